//! Items that were left out, and why.

use std::error::Error;

/// An item that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedItem {
    /// The item: a file, or a manifest with a line.
    pub name: String,
    /// The error with its causes.
    pub reason: String,
}

impl SkippedItem {
    /// Keeps the words of an error and of everything that caused it.
    pub fn new(name: String, error: &dyn Error) -> Self {
        let causes = std::iter::successors(error.source(), |&cause| cause.source());
        let reason = causes.fold(error.to_string(), |reason, cause| {
            format!("{reason}: {cause}")
        });
        Self { name, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DataError;

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
}
