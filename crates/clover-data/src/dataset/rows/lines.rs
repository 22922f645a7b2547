//! A text file line by line, in bounded memory.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use super::{Opened, RowFault, open_regular};
use crate::DataError;

/// A row of more bytes is skipped; the longest published rows have a few kilobytes.
pub(crate) const MAX_ROW_BYTES: usize = 4 << 20;

/// A line without its end.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its number, counted from one.
    pub(crate) number: usize,
    /// Its bytes, unless there are too many.
    pub(crate) bytes: Result<Vec<u8>, RowFault>,
}

/// Reads a file line by line.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    path: PathBuf,
    number: usize,
}

impl Lines<Opened> {
    /// Opens a file of any size.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        Ok(Self {
            reader: open_regular(path, None)?,
            path: path.to_path_buf(),
            number: 0,
        })
    }
}

impl<R: BufRead> Lines<R> {
    /// The next line, without its `\n` or `\r\n`; a line that is too long is read past.
    pub(crate) fn next_line(&mut self) -> Result<Option<Line>, DataError> {
        let mut bytes = Vec::new();
        let length = self.read_line(&mut bytes);
        let length = length.map_err(|source| DataError::Read {
            path: self.path.clone(),
            source,
        })?;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let too_long = length > MAX_ROW_BYTES as u64;
        Ok(Some(Line {
            number: self.number,
            bytes: match too_long {
                true => Err(RowFault::TooLong {
                    limit: MAX_ROW_BYTES,
                }),
                false => Ok(bytes),
            },
        }))
    }

    /// Reads up to and with the next `\n`, keeps no more than a row's bytes, and gives the length.
    fn read_line(&mut self, bytes: &mut Vec<u8>) -> io::Result<u64> {
        let mut length = 0;
        loop {
            let buffer = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            let end = buffer.iter().position(|&byte| byte == b'\n');
            let used = end.map_or(buffer.len(), |end| end + 1);
            let kept = used.min(MAX_ROW_BYTES.saturating_sub(bytes.len()));
            bytes.extend_from_slice(&buffer[..kept]);
            self.reader.consume(used);
            length += used as u64;
            if end.is_some() || used == 0 {
                return Ok(length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn lines(content: &[u8]) -> Vec<Line> {
        let mut lines = Lines {
            // A buffer of three bytes: lines do not fit into it.
            reader: BufReader::with_capacity(3, content),
            path: "rows.txt".into(),
            number: 0,
        };
        std::iter::from_fn(|| lines.next_line().unwrap()).collect()
    }

    #[test]
    fn lines_lose_their_ends_and_keep_their_numbers() {
        let found = lines(b"first\r\n\nthird");

        let found: Vec<_> = found
            .into_iter()
            .map(|line| (line.number, line.bytes.unwrap()))
            .collect();
        let wanted = [(1, b"first".to_vec()), (2, vec![]), (3, b"third".to_vec())];
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_line_that_is_too_long_does_not_hide_the_next() {
        let mut content = vec![b'x'; MAX_ROW_BYTES + 1];
        content.extend_from_slice(b"\nnext\n");

        let found = lines(&content);

        assert!(matches!(found[0].bytes, Err(RowFault::TooLong { .. })));
        assert_eq!(found[1].bytes.as_deref().unwrap(), b"next");
        assert_eq!(found[1].number, 2);
    }
}
