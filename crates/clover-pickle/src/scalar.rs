//! Numbers, texts and bytes of a pickle.

use super::cursor::Cursor;
use super::{Node, PickleError, PickleFault};

/// Reads the integer that an instruction announces.
pub(super) fn integer(code: u8, cursor: &mut Cursor<'_>) -> Result<Node, PickleError> {
    let value = match code {
        b'I' | b'L' => return decimal(code, cursor),
        b'J' => i64::from(i32::from_le_bytes(cursor.array()?)),
        b'K' => i64::from(cursor.u8()?),
        b'M' => i64::from(u16::from_le_bytes(cursor.array()?)),
        0x8a => little_endian(cursor, 1)?,
        _ => little_endian(cursor, 4)?,
    };
    Ok(Node::Int(value))
}

fn decimal(code: u8, cursor: &mut Cursor<'_>) -> Result<Node, PickleError> {
    let line = cursor.line()?.trim_ascii();
    match (code, line) {
        // Truth values had no instruction of their own before protocol 2.
        (b'I', b"00") => return Ok(Node::Bool(false)),
        (b'I', b"01") => return Ok(Node::Bool(true)),
        _ => {}
    }
    let digits = line.strip_suffix(b"L").unwrap_or(line);
    let unsigned = digits.strip_prefix(b"-").unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.iter().all(u8::is_ascii_digit) {
        return Err(cursor.error(PickleFault::Number));
    }
    let value = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok());
    let value = value.ok_or_else(|| cursor.error(PickleFault::IntegerTooLarge))?;
    Ok(Node::Int(value))
}

/// Two's complement with as many bytes as the number needs; none is zero.
fn little_endian(cursor: &mut Cursor<'_>, width: usize) -> Result<i64, PickleError> {
    let bytes = cursor.prefixed(width)?;
    if bytes.len() > 8 {
        return Err(cursor.error(PickleFault::IntegerTooLarge));
    }
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut whole = [if negative { 0xff } else { 0 }; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    Ok(i64::from_le_bytes(whole))
}

/// Reads the floating-point number that an instruction announces.
pub(super) fn float(code: u8, cursor: &mut Cursor<'_>) -> Result<Node, PickleError> {
    if code == b'G' {
        return Ok(Node::Float(f64::from_be_bytes(cursor.array()?)));
    }
    let line = std::str::from_utf8(cursor.line()?.trim_ascii());
    let value = line.ok().and_then(|line| line.parse().ok());
    let value = value.ok_or_else(|| cursor.error(PickleFault::Number))?;
    Ok(Node::Float(value))
}

/// Reads the text or the bytes that an instruction announces.
pub(super) fn text(code: u8, cursor: &mut Cursor<'_>) -> Result<Node, PickleError> {
    let bytes = match code {
        b'S' => return quoted(cursor),
        b'V' => return unicode_line(cursor),
        b'U' | b'C' | 0x8c => cursor.prefixed(1)?,
        b'T' | b'B' | b'X' => cursor.prefixed(4)?,
        _ => cursor.prefixed(8)?,
    };
    match (std::str::from_utf8(bytes), code) {
        // Old programs had no other text, so `U` and `T` are text wherever they can be.
        (Ok(text), b'U' | b'T' | b'X' | 0x8c | 0x8d) => Ok(Node::Text(text.into())),
        (Err(_), b'X' | 0x8c | 0x8d) => Err(cursor.error(PickleFault::Text)),
        _ => Ok(Node::Bytes(bytes.into())),
    }
}

/// A text in quotes, with the escapes of a Python literal.
fn quoted(cursor: &mut Cursor<'_>) -> Result<Node, PickleError> {
    let line = cursor.line()?.trim_ascii();
    let broken = cursor.error(PickleFault::Text);
    let ([b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"']) = line else {
        return Err(broken);
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let escaped = match rest.next() {
            Some(byte @ (b'\\' | b'\'' | b'"')) => byte,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'x') => {
                let value = hexadecimal(&mut rest, 2).and_then(|value| u8::try_from(value).ok());
                value.ok_or_else(|| broken.clone())?
            }
            _ => return Err(broken),
        };
        bytes.push(escaped);
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => Node::Text(text.into()),
        Err(error) => Node::Bytes(error.into_bytes().into()),
    })
}

/// A line of Latin-1 letters, others written as `\uXXXX` or `\UXXXXXXXX`.
fn unicode_line(cursor: &mut Cursor<'_>) -> Result<Node, PickleError> {
    let line = cursor.line()?;
    let broken = cursor.error(PickleFault::Text);
    let mut text = String::with_capacity(line.len());
    let mut rest = line.iter().copied();
    while let Some(byte) = rest.next() {
        let digits = match (byte, rest.clone().next()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => {
                text.push(char::from(byte));
                continue;
            }
        };
        rest.next();
        let letter = hexadecimal(&mut rest, digits).and_then(char::from_u32);
        text.push(letter.ok_or_else(|| broken.clone())?);
    }
    Ok(Node::Text(text.into()))
}

fn hexadecimal(bytes: &mut impl Iterator<Item = u8>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0_u32, |value, _| {
        let digit = char::from(bytes.next()?).to_digit(16)?;
        Some(value << 4 | digit)
    })
}
