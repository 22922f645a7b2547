//! JSON as Python's `json.dump` writes it, made into JSON.
//!
//! Python writes `NaN`, `Infinity` and `-Infinity`, which are read as `null`; and it writes half of a
//! surrogate pair (`\ud83d`, where a text was cut in the middle of an emoji), which is no character.
//! Each half, and each byte of a text that is not UTF-8, becomes [`BROKEN`], so that only what uses
//! the text is lost.

use std::io::{self, Read};

use super::MAX_ROW_BYTES;

/// Stands for what is no character: a code that Unicode keeps free for programs' own use.
pub(crate) const BROKEN: char = '\u{ffff}';

/// The longest that is looked at together: a surrogate pair.
const LOOKAHEAD: usize = r"\ud83d\ude00".len();

/// Bytes that are taken over at a time.
const BLOCK: usize = 8 << 10;

/// What Python writes where JSON has no number.
const NO_NUMBERS: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];

/// Text, with [`BROKEN`] for what is no UTF-8.
pub(crate) fn text_of(raw: &[u8]) -> String {
    let mut text = String::with_capacity(raw.len());
    for chunk in raw.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(BROKEN);
        }
    }
    text
}

/// A whole text.
pub(crate) fn repaired(json: &[u8]) -> Vec<u8> {
    let mut repaired = Vec::with_capacity(json.len());
    Repair::default().take(json, true, &mut repaired);
    repaired
}

/// A file, of which no more than a block is in memory.
#[derive(Debug)]
pub(crate) struct Repaired<R> {
    inner: R,
    repair: Repair,
    /// What was read and needs more behind it.
    raw: Vec<u8>,
    ended: bool,
    ready: Vec<u8>,
    given: usize,
}

/// Where the text has come to.
#[derive(Debug, Default)]
struct Repair {
    in_string: bool,
    /// Bytes of the string or the number so far, which whoever parses it holds in memory.
    token: usize,
}

impl<R: Read> Repaired<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            repair: Repair::default(),
            raw: Vec::new(),
            ended: false,
            ready: Vec::new(),
            given: 0,
        }
    }
}

impl<R: Read> Read for Repaired<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() && !self.ended {
            let more = self.inner.by_ref().take(BLOCK as u64);
            self.ended = { more }.read_to_end(&mut self.raw)? < BLOCK;
            self.ready.clear();
            self.given = 0;
            let used = self.repair.take(&self.raw, self.ended, &mut self.ready);
            self.raw.drain(..used);
            if self.repair.token > MAX_ROW_BYTES {
                let reason = format!("a string or number has more than {MAX_ROW_BYTES} bytes");
                return Err(io::Error::other(reason));
            }
        }
        let given = (&self.ready[self.given..]).read(out)?;
        self.given += given;
        Ok(given)
    }
}

impl Repair {
    /// Repairs as much as can be told, all of it if it is the `last`, and tells how much that was.
    fn take(&mut self, raw: &[u8], last: bool, out: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while at < raw.len() && (last || raw.len() - at >= LOOKAHEAD) {
            at += match self.in_string {
                true => self.string(&raw[at..], last, out),
                false => self.between(&raw[at..], out),
            };
        }
        at
    }

    fn between(&mut self, raw: &[u8], out: &mut Vec<u8>) -> usize {
        if let Some(word) = NO_NUMBERS.iter().find(|word| raw.starts_with(word)) {
            out.extend(b"null");
            return word.len();
        }
        self.in_string = raw[0] == b'"';
        let ends_token = b"\",:[]{} \t\r\n".contains(&raw[0]);
        self.token = if ends_token { 0 } else { self.token + 1 };
        out.push(raw[0]);
        1
    }

    fn string(&mut self, raw: &[u8], last: bool, out: &mut Vec<u8>) -> usize {
        let before = out.len();
        let used = self.string_part(raw, last, out);
        self.token += out.len() - before;
        used
    }

    fn string_part(&mut self, raw: &[u8], last: bool, out: &mut Vec<u8>) -> usize {
        let plain = raw.iter().position(|byte| matches!(byte, b'"' | b'\\'));
        let used = match (plain, raw) {
            (Some(0), [b'"', ..]) => {
                self.in_string = false;
                1
            }
            (Some(0), _) => match (surrogate(raw), raw.get(6..).and_then(surrogate)) {
                (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => LOOKAHEAD,
                (Some(0xd800..0xe000), _) => {
                    out.extend(BROKEN.to_string().as_bytes());
                    return 6;
                }
                _ => raw.len().min(2),
            },
            (Some(length), _) => length,
            (None, _) => raw.len(),
        };
        let mut text = &raw[..used];
        if plain.is_none() && !last {
            // Its last character may go on behind what was read.
            let half = text
                .utf8_chunks()
                .last()
                .map_or(0, |end| end.invalid().len());
            text = &text[..used - half];
        }
        out.extend(text_of(text).as_bytes());
        text.len()
    }
}

/// The number of an escape such as `\ud83d`.
fn surrogate(raw: &[u8]) -> Option<u32> {
    let digits = raw.strip_prefix(br"\u")?.get(..4)?;
    // A sign would pass for the first digit.
    let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &[u8]) -> String {
        String::from_utf8(repaired(json)).unwrap()
    }

    #[test]
    fn numbers_that_json_lacks_are_null_and_texts_about_them_stay() {
        let json = r#"{"a":NaN,"b":[Infinity,-Infinity,-1],"NaN":"\"NaN \\","c":"Infinity"}"#;

        let wanted = r#"{"a":null,"b":[null,null,-1],"NaN":"\"NaN \\","c":"Infinity"}"#;
        assert_eq!(text(json.as_bytes()), wanted);
    }

    #[test]
    fn half_a_pair_is_no_character_and_a_whole_one_stays() {
        for (json, wanted) in [
            (r#""a \ud83d""#, "\"a \u{ffff}\""),
            (r#""\ud83d\ud83d\ude00""#, "\"\u{ffff}\\ud83d\\ude00\""),
            (r#""\uDE00b""#, "\"\u{ffff}b\""),
            (r#""\ud83d\u0041""#, "\"\u{ffff}\\u0041\""),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\ud83"#, r#""\ud83"#),
            (r#""\"#, r#""\"#),
        ] {
            assert_eq!(text(json.as_bytes()), wanted);
        }
        // As Python's `surrogatepass` writes the half, and as another encoding does an accent.
        assert_eq!(text(b"\"\xed\xa0\xbd\""), "\"\u{ffff}\u{ffff}\u{ffff}\"");
        assert_eq!(text(b"\"caf\xe9\""), "\"caf\u{ffff}\"");
    }

    #[test]
    fn a_file_is_repaired_as_one_text_wherever_a_block_ends() {
        let unit = r#"{"a":NaN,"b":"é\ud83d\ude00 \ud83d 漢𝄞","c":-Infinity},"#;
        for shift in 0..unit.len() {
            let json = " ".repeat(shift) + &unit.repeat(3 * BLOCK / unit.len());
            let mut found = Vec::new();

            Repaired::new(json.as_bytes())
                .read_to_end(&mut found)
                .unwrap();

            assert!(found == repaired(json.as_bytes()), "{shift}");
        }
    }
}
