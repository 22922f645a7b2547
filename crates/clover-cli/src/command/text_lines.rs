//! Texts, a line each, of a file that may be larger than memory.

use std::io::{BufRead, Read};

use anyhow::{Context, Result, bail};
use clover_data::dataset::MAX_CAPTION_BYTES;

/// The lines of a file that are not empty, without the blanks around them.
pub(super) struct TextLines<R> {
    reader: R,
    name: String,
    line: usize,
    empty: usize,
}

impl<R: BufRead> TextLines<R> {
    pub(super) fn new(reader: R, name: impl Into<String>) -> Self {
        Self {
            reader,
            name: name.into(),
            line: 0,
            empty: 0,
        }
    }

    /// Empty lines so far.
    pub(super) fn empty(&self) -> usize {
        self.empty
    }

    /// The next `count` of them, or as many as there are.
    pub(super) fn take(&mut self, count: usize) -> impl Iterator<Item = Result<String>> {
        let mut left = count;
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            self.next_text().transpose()
        })
    }

    /// The number of the line that was read last, from one.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    fn next_text(&mut self) -> Result<Option<String>> {
        loop {
            match self.next_line()? {
                Some(text) if text.is_empty() => self.empty += 1,
                text => return Ok(text),
            }
        }
    }

    /// The next line, which may be empty. After a line that cannot be used, the one behind it is next.
    pub(super) fn next_line(&mut self) -> Result<Option<String>> {
        let mut bytes = Vec::new();
        // One more than allowed, and the end of the line.
        let mut longest = self.reader.by_ref().take(MAX_CAPTION_BYTES as u64 + 2);
        let read = longest.read_until(b'\n', &mut bytes);
        let unreadable = || format!("{}: cannot be read", self.name);
        if read.with_context(unreadable)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        let (name, line) = (&self.name, self.line);
        let endless = !bytes.ends_with(b"\n") && bytes.len() > MAX_CAPTION_BYTES;
        if endless {
            self.reader.skip_until(b'\n').with_context(unreadable)?;
        }
        if endless || bytes.trim_ascii().len() > MAX_CAPTION_BYTES {
            bail!("{name}: line {line} has more than {MAX_CAPTION_BYTES} bytes");
        }
        let Ok(text) = std::str::from_utf8(bytes.trim_ascii()) else {
            bail!("{name}: line {line} is not UTF-8");
        };
        Ok(Some(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Result<Vec<String>>, usize) {
        let mut lines = TextLines::new(bytes, "a.txt");
        let found = lines.take(100).collect();
        (found, lines.empty())
    }

    #[test]
    fn lines_are_texts_and_empty_ones_are_counted() {
        let (found, empty) = read(b"a red circle\r\n\n  blue \n\t\nlast");

        assert_eq!(found.unwrap(), ["a red circle", "blue", "last"]);
        assert_eq!(empty, 2);
    }

    #[test]
    fn as_many_as_asked_for_are_read_at_a_time() {
        let mut lines = TextLines::new(&b"a\nb\nc\n"[..], "a.txt");
        let mut next = || lines.take(2).collect::<Result<Vec<_>>>().unwrap();

        assert_eq!(next(), ["a", "b"]);
        assert_eq!(next(), ["c"]);
        assert!(next().is_empty());
    }

    #[test]
    fn lines_after_one_that_cannot_be_used_are_read() {
        let endless = "y".repeat(3 * MAX_CAPTION_BYTES);
        let text = [b"a\n\xff\n", endless.as_bytes(), b"\n\nlast"].concat();
        let mut lines = TextLines::new(&text[..], "a.txt");
        let mut next = || lines.next_line().ok();

        let found: Vec<_> = (0..6).map(|_| next()).collect();

        let text = |text: &str| Some(Some(text.to_owned()));
        assert_eq!(
            found,
            [text("a"), None, None, text(""), text("last"), Some(None)]
        );
        assert_eq!(lines.line(), 5);
    }

    #[test]
    fn an_endless_line_and_one_of_other_bytes_are_refused_by_number() {
        let longest = "y".repeat(MAX_CAPTION_BYTES);
        let fits = read(format!("a\n{longest}\n").as_bytes()).0.unwrap();
        let endless = read(format!("a\n{longest}y\n").as_bytes()).0.unwrap_err();
        let binary = read(b"a\n\xff\xfe\n").0.unwrap_err();

        assert_eq!(fits[1], longest);
        assert!(
            endless
                .to_string()
                .contains("a.txt: line 2 has more than 32768")
        );
        assert_eq!(binary.to_string(), "a.txt: line 2 is not UTF-8");
    }
}
