//! Characters that a web page writes as `&amp;`, `&#233;` or `&#xe9;`.
//!
//! `unescape` is what Python's `html.unescape` does, and so CLIP; `unescape_certain` is ftfy's,
//! which takes only what ends in a semicolon, and knows `&EACUTE;` too.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use entities::ENTITIES;

/// Names without `&`; some are there with and without their semicolon.
static NAMED: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let named = ENTITIES.iter();
    named
        .filter_map(|entity| Some((entity.entity.strip_prefix('&')?, entity.characters)))
        .collect()
});

/// The longest name that is looked up, in characters.
const LONGEST_NAME: usize = 32;
/// The longest that ftfy looks up, without its semicolon.
const LONGEST_CERTAIN_NAME: usize = 24;

/// What browsers take the numbers 128 to 159 for: the characters of Windows-1252.
pub(super) const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

/// Replaces every reference as HTML 5 has it, the one of `&ampm` and the one of `&notit;` too.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    replace(text, |rest| {
        if let Some(numbered) = rest.strip_prefix('#') {
            let (value, len) = number(numbered)?;
            let semicolon = usize::from(numbered[len..].starts_with(';'));
            return Some((value.into(), 1 + len + semicolon));
        }
        let ends = |c| matches!(c, '\t' | '\n' | '\u{c}' | ' ' | '<' | '&' | '#' | ';');
        let name = rest.char_indices().take(LONGEST_NAME);
        let name = name.take_while(|(_, c)| !ends(*c));
        let len = name.last().map(|(at, c)| at + c.len_utf8())?;
        let with_semicolon = len + usize::from(rest[len..].starts_with(';'));
        if let Some(characters) = NAMED.get(&rest[..with_semicolon]) {
            return Some(((*characters).into(), with_semicolon));
        }
        let starts = (2..with_semicolon).rev();
        let mut starts = starts.filter_map(|len| Some((len, NAMED.get(rest.get(..len)?)?)));
        let (len, characters) = starts.next()?;
        Some(((*characters).into(), len))
    })
}

/// Replaces the references that are nothing else: those with a semicolon.
pub(super) fn unescape_certain(text: &str) -> Cow<'_, str> {
    replace(text, |rest| {
        let body = rest.strip_prefix('#').unwrap_or(rest);
        let len = body.bytes().take_while(u8::is_ascii_alphanumeric).count();
        if !(1..=LONGEST_CERTAIN_NAME).contains(&len) || !body[len..].starts_with(';') {
            return None;
        }
        let consumed = rest.len() - body.len() + len + 1;
        if rest.len() > body.len() {
            let (value, digits) = number(body)?;
            return (digits == len).then(|| (value.into(), consumed));
        }
        let name = &rest[..consumed];
        if let Some(characters) = NAMED.get(name) {
            return Some(((*characters).into(), consumed));
        }
        // A name in capitals that was written in small letters: P&EACUTE;REZ.
        let lowered = name.to_ascii_lowercase();
        let characters = NAMED.get(&*lowered).filter(|_| {
            name == lowered.to_ascii_uppercase() && unescape(&format!("&{name}")).starts_with('&')
        })?;
        Some((characters.to_uppercase().into(), consumed))
    })
}

/// What stands for a reference, and how many bytes after its `&` belong to it.
type Replacement = (Cow<'static, str>, usize);

fn replace(text: &str, reference: impl Fn(&str) -> Option<Replacement>) -> Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        rest = after;
        match reference(after) {
            Some((characters, len)) => {
                out.push_str(&characters);
                rest = &after[len..];
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    out.into()
}

/// The character of a number, nothing for one of a control character, and the length of the number.
fn number(text: &str) -> Option<(String, usize)> {
    let hexadecimal = text.strip_prefix(['x', 'X']);
    let (digits, radix) = hexadecimal.map_or((text, 10), |digits| (digits, 16));
    let len = digits
        .bytes()
        .take_while(|c| char::from(*c).is_digit(radix));
    let len = len.count();
    if len == 0 {
        return None;
    }
    // A number too large for 32 bits is as wrong as any other.
    let value = u32::from_str_radix(&digits[..len], radix).unwrap_or(u32::MAX);
    Some((character(value), text.len() - digits.len() + len))
}

fn character(value: u32) -> String {
    let none = matches!(value, 0x1..=0x8 | 0xb | 0xe..=0x1f | 0x7f | 0xfdd0..=0xfdef)
        || (value & 0xfffe == 0xfffe && value <= 0x10_ffff);
    match value {
        0 => char::REPLACEMENT_CHARACTER.into(),
        0x80..=0x9f => WINDOWS_1252[value as usize - 0x80].into(),
        _ if none => String::new(),
        _ => char::from_u32(value)
            .unwrap_or(char::REPLACEMENT_CHARACTER)
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_as_python_does() {
        for (text, expected) in [
            ("no reference & none", "no reference & none"),
            ("&lt;b&gt; &amp;amp; bold", "<b> &amp; bold"),
            (
                "fish &ampchips &notit; &bogus; &",
                "fish &chips ¬it; &bogus; &",
            ),
            ("&#233;&#xE9;&#128;&#0;&#1;&#xD800;", "éé€\u{fffd}\u{fffd}"),
            ("&#99999999999;&#x;&#;&#12x", "\u{fffd}&#x;&#;\u{c}x"),
            ("&NotEqualTilde;", "≂̸"),
            ("&é;&日本", "&é;&日本"),
        ] {
            assert_eq!(unescape(text), expected, "{text}");
        }
    }

    #[test]
    fn certain_references_end_in_a_semicolon() {
        for (text, expected) in [
            ("this&not that &amp", "this&not that &amp"),
            (
                "P&eacute;REZ P&EACUTE;REZ &NTILDE;&nTILDE;",
                "PéREZ PÉREZ Ñ&nTILDE;",
            ),
            ("&#233; &#233 &#23x;", "é &#233 &#23x;"),
        ] {
            assert_eq!(unescape_certain(text), expected, "{text}");
        }
    }
}
