//! Items that were left out, and why.

use std::error::Error;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::rows::{AnnotationError, RowFault, RowNumber};
use crate::DataError;

/// A list with more broken rows names the first ones and counts the rest.
const MAX_NAMED: usize = 100_000;

/// Enough for a path, a place, and what is wrong there.
const MAX_REASON_BYTES: usize = 2_000;

/// An item that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedItem {
    /// The item: a file, or a manifest with a line.
    pub name: String,
    /// The error with its causes.
    pub reason: String,
}

impl SkippedItem {
    /// Keeps the words of an error and of everything that caused it, but for the name, where they
    /// begin with it.
    pub fn new(name: String, error: &dyn Error) -> Self {
        let causes = std::iter::successors(error.source(), |&cause| cause.source());
        let mut reason = causes.fold(error.to_string(), |reason, cause| {
            format!("{reason}: {cause}")
        });
        if let Some(rest) = reason.strip_prefix(&*name)
            && let Some(rest) = rest.strip_prefix(": ").or_else(|| rest.strip_prefix(' '))
        {
            reason = rest.to_owned();
        }
        Self { name, reason }
    }
}

impl fmt::Display for SkippedItem {
    /// The item and the reason, with the item named once.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, reason } = self;
        if reason.contains(name.as_str()) {
            formatter.write_str(reason)
        } else {
            write!(formatter, "{name}: {reason}")
        }
    }
}

/// The rows of a list that cannot be used: the first ones by name, the others as one item.
#[derive(Debug, Default)]
pub(crate) struct SkippedRows {
    named: Vec<SkippedItem>,
    more: usize,
}

impl SkippedRows {
    /// Adds a row of some file with the reason why it gives nothing.
    pub(crate) fn push(&mut self, path: &Path, row: RowNumber, source: RowFault) {
        if self.named.len() >= MAX_NAMED {
            self.more += 1;
            return;
        }
        let name = format!("{}: {row}", path.display());
        let path = path.to_path_buf();
        let mut skipped = SkippedItem::new(name, &AnnotationError::Row { path, row, source });
        // A reason may quote a name from the file, however long.
        let end = skipped.reason.floor_char_boundary(MAX_REASON_BYTES);
        skipped.reason.truncate(end);
        self.named.push(skipped);
    }

    /// What the usable rows of the list at `path` gave, of which there must be one, and the others.
    pub(crate) fn beside<T>(
        mut self,
        used: Option<T>,
        path: &Path,
    ) -> Result<(T, Vec<SkippedItem>), DataError> {
        let Some(used) = used else {
            let path = path.to_path_buf();
            return Err(match self.named.first() {
                Some(first) => DataError::NoUsableRow {
                    path,
                    skipped: self.named.len() + self.more,
                    first: first.to_string(),
                },
                None => DataError::NoRows { path },
            });
        };
        if self.more > 0 {
            self.named.push(SkippedItem {
                name: path.display().to_string(),
                reason: format!("{} more rows cannot be used", self.more),
            });
        }
        Ok((used, self.named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_tells_the_cause_too() {
        let error = DataError::Read {
            path: "a.csv".into(),
            source: std::io::Error::other("disk on fire"),
        };

        let item = SkippedItem::new("item 1".to_owned(), &error);

        assert!(item.reason.contains("a.csv"), "{item:?}");
        assert!(item.reason.ends_with(": disk on fire"), "{item:?}");
    }

    #[test]
    fn a_reason_does_not_repeat_the_name() {
        let error = DataError::EmptyFile {
            path: "a.mp4".into(),
        };

        let item = SkippedItem::new("a.mp4".to_owned(), &error);

        assert_eq!(item.reason, "is empty");
        assert_eq!(item.to_string(), "a.mp4: is empty");
    }

    #[test]
    fn of_many_broken_rows_the_first_are_named_and_the_rest_counted() {
        let mut rows = SkippedRows::default();

        for line in 0..MAX_NAMED + 3 {
            let fault = RowFault::Missing { key: "caption" };
            rows.push(Path::new("a.csv"), RowNumber::Line(line), fault);
        }

        let ((), skipped) = rows.beside(Some(()), Path::new("a.csv")).unwrap();
        assert_eq!(skipped.len(), MAX_NAMED + 1);
        let last = skipped.last().unwrap().to_string();
        assert_eq!(last, "a.csv: 3 more rows cannot be used");
    }

    #[test]
    fn a_reason_does_not_repeat_a_huge_row() {
        let mut rows = SkippedRows::default();
        let video = "ä".repeat(1_000_000);

        let fault = RowFault::NotAnnotated { video };
        rows.push(Path::new("list.csv"), RowNumber::Line(1), fault);

        assert!(rows.named[0].reason.len() <= MAX_REASON_BYTES);
    }

    #[test]
    fn an_item_is_named_once() {
        let item = |reason: &str| SkippedItem {
            name: "a.mp4".to_owned(),
            reason: reason.to_owned(),
        };

        assert_eq!(item("a.mp4: is empty").to_string(), "a.mp4: is empty");
        assert_eq!(item("is empty").to_string(), "a.mp4: is empty");
    }
}
