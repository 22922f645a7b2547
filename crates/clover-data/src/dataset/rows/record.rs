//! Tables in text files: records, and columns found by name.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::splitter::Splitter;
use super::{Line, Lines, MAX_ROW_BYTES, Opened, RowFault, text_of};
use crate::DataError;

/// A quote that is still open after so many lines was not meant as one; published captions have at
/// most a few line ends.
const MAX_RECORD_LINES: usize = 16;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableStyle {
    /// What stands between two fields.
    pub(crate) delimiter: u8,
    /// Whether a quote is more than a letter.
    pub(crate) quoting: bool,
}

/// A record and the line it starts on, counted from one.
pub(crate) type Record = (usize, Result<Vec<String>, RowFault>);

/// Reads a table record by record.
pub(crate) struct Records {
    lines: Lines<Opened>,
    /// Lines that were read in search of a closing quote, and given back.
    returned: VecDeque<Line>,
    style: TableStyle,
}

/// The names of a table's columns.
#[derive(Debug)]
pub(crate) struct Header {
    path: PathBuf,
    names: Vec<String>,
}

impl TableStyle {
    /// Comma-separated, as spreadsheet programs write it.
    pub(crate) const CSV: Self = Self::quoted(b',');
    /// As spreadsheet programs write it where a comma stands in numbers.
    pub(crate) const SEMICOLONS: Self = Self::quoted(b';');
    /// Separated by tabs, and quoted as a csv file is.
    pub(crate) const QUOTED_TABS: Self = Self::quoted(b'\t');
    /// Separated by tabs; quotes are letters.
    pub(crate) const PLAIN_TABS: Self = Self {
        delimiter: b'\t',
        quoting: false,
    };
}

impl TableStyle {
    /// Quoted as a csv file is.
    pub(crate) const fn quoted(delimiter: u8) -> Self {
        Self {
            delimiter,
            quoting: true,
        }
    }
}

impl Records {
    pub(crate) fn open(path: &Path, style: TableStyle) -> Result<Self, DataError> {
        Ok(Self {
            lines: Lines::open(path)?,
            returned: VecDeque::new(),
            style,
        })
    }

    /// The next record that is not blank.
    pub(crate) fn next_record(&mut self) -> Result<Option<Record>, DataError> {
        while let Some(line) = self.next_line()? {
            let bytes = match line.bytes {
                Ok(bytes) if bytes.trim_ascii().is_empty() => continue,
                Ok(bytes) => bytes,
                Err(fault) => return Ok(Some((line.number, Err(fault)))),
            };
            let fields = match self.style.quoting {
                true => self.split_quoted(bytes)?,
                false => Ok(bytes
                    .split(|&byte| byte == self.style.delimiter)
                    .map(<[u8]>::to_vec)
                    .collect()),
            };
            let decode = |fields: Vec<Vec<u8>>| fields.iter().map(|field| text_of(field)).collect();
            return Ok(Some((line.number, fields.map(decode))));
        }
        Ok(None)
    }

    /// The first record as the names of the columns.
    pub(crate) fn header(&mut self, path: &Path) -> Result<Header, DataError> {
        let names = match self.next_record()? {
            Some((_, Ok(names))) => names,
            Some((_, Err(_))) | None => Vec::new(),
        };
        Ok(Header {
            path: path.to_path_buf(),
            names: names.iter().map(|name| name.trim().to_owned()).collect(),
        })
    }

    fn next_line(&mut self) -> Result<Option<Line>, DataError> {
        match self.returned.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next_line(),
        }
    }

    /// Splits a record whose quoted fields may go on in the next lines. Where no quote closes, only
    /// its own line is lost.
    fn split_quoted(
        &mut self,
        first: Vec<u8>,
    ) -> Result<Result<Vec<Vec<u8>>, RowFault>, DataError> {
        let mut splitter = Splitter::new(self.style.delimiter);
        let mut complete = splitter.feed(&first);
        let mut length = first.len();
        let mut taken = VecDeque::new();
        while !complete && taken.len() + 1 < MAX_RECORD_LINES {
            let Some(line) = self.next_line()? else { break };
            let fits = match &line.bytes {
                Ok(bytes) => {
                    length += bytes.len() + 1;
                    length <= MAX_ROW_BYTES && {
                        complete = splitter.feed(bytes);
                        true
                    }
                }
                Err(_) => false,
            };
            taken.push_back(line);
            if !fits {
                break;
            }
        }
        // Over several lines, a quote before a letter opens a field of its own row.
        if complete && (taken.is_empty() || !splitter.has_stray_letter()) {
            return Ok(Ok(splitter.finish()));
        }
        taken.append(&mut self.returned);
        self.returned = taken;
        Ok(Err(RowFault::UnclosedQuote))
    }
}

impl Header {
    /// The names in the order of the columns.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.names.iter().map(String::as_str)
    }

    /// The place of a column.
    pub(crate) fn find(&self, column: &str) -> Option<usize> {
        self.names.iter().position(|name| name == column)
    }

    /// The place of a column that has to be there.
    pub(crate) fn column(&self, column: &'static str) -> Result<usize, DataError> {
        self.find(column).ok_or_else(|| self.lacks(column))
    }

    /// The error about a column that is not there.
    pub(crate) fn lacks(&self, column: &str) -> DataError {
        let mut found = self.names.join(", ");
        // A file of another kind may have anything as its first line.
        found.truncate(found.floor_char_boundary(200));
        DataError::MissingColumn {
            path: self.path.clone(),
            column: column.to_owned(),
            found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(content: &str, style: TableStyle) -> Vec<Record> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let mut records = Records::open(file.path(), style).unwrap();
        std::iter::from_fn(|| records.next_record().unwrap()).collect()
    }

    #[test]
    fn a_quote_that_never_closes_costs_one_line() {
        for (last, value) in [("3,y", "y"), ("3,\"y z\"", "y z"), ("\"3\",\"y\"", "y")] {
            let content = format!("a,b\n1,\"open\n2,x\n{last}\n");

            let found = records(&content, TableStyle::CSV);

            assert_eq!(found[0].1.as_deref().unwrap(), ["a", "b"]);
            assert!(matches!(found[1], (2, Err(RowFault::UnclosedQuote))));
            assert_eq!(found[2].1.as_deref().unwrap(), ["2", "x"]);
            assert_eq!(
                (found[3].0, found[3].1.as_deref().unwrap()),
                (4, &["3".to_owned(), value.to_owned()][..])
            );
        }
    }

    #[test]
    fn a_caption_with_a_line_end_is_one_record() {
        let found = records("1,\"two\nlines\"\n2,x\n", TableStyle::CSV);

        assert_eq!(found[0].1.as_deref().unwrap(), ["1", "two\nlines"]);
        assert_eq!(found[1].0, 3);
    }

    #[test]
    fn without_quoting_a_quote_is_a_letter() {
        let found = records("1\t\"Go,\n2\tx\n", TableStyle::PLAIN_TABS);

        assert_eq!(found[0].1.as_deref().unwrap(), ["1", "\"Go,"]);
        assert_eq!(found.len(), 2);
    }
}
