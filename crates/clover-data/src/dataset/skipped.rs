//! Items that were left out, and why.

use std::error::Error;
use std::fmt;

use serde::Serialize;

/// An item that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    fn an_item_is_named_once() {
        let item = |reason: &str| SkippedItem {
            name: "a.mp4".to_owned(),
            reason: reason.to_owned(),
        };

        assert_eq!(item("a.mp4: is empty").to_string(), "a.mp4: is empty");
        assert_eq!(item("is empty").to_string(), "a.mp4: is empty");
    }
}
