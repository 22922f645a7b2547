//! Reading the project's own form.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::rows::{RowFault, each_row};
use super::gathered::Gathered;
use super::{Item, ItemsFile, MultipleChoiceItem, OpenEndedItem, RetrievalItem, span_of};
use crate::DataError;

/// Reads a file of items: an object a line, or one list of objects.
///
/// A row that is no item, or of another task than the first, is skipped and listed by file and
/// line (or entry of the list).
///
/// # Errors
///
/// When the file cannot be read, is a broken list, or has no usable row.
pub fn read_items(path: impl AsRef<Path>) -> Result<ItemsFile, DataError> {
    let path = path.as_ref();
    gather_items(path, Gathered::new(path))?.finish()
}

/// Adds the items of a file to what was gathered.
pub(crate) fn gather_items(path: &Path, mut gathered: Gathered) -> Result<Gathered, DataError> {
    each_row(path, &mut |row, value| {
        gathered.push(row, value.and_then(item));
    })?;
    Ok(gathered)
}

/// The keys tell the task; a key too many is an error that names it.
fn item(mut value: Value) -> Result<Item, RowFault> {
    let Value::Object(keys) = &mut value else {
        return Err(RowFault::NotAnObject);
    };
    let (start, end) = (keys.remove("start"), keys.remove("end"));
    if let Some(span) = span_of(start.as_ref(), end.as_ref())? {
        let span = serde_json::to_value(span).map_err(RowFault::Span)?;
        keys.insert("span".to_owned(), span);
    }
    if keys.contains_key("captions") {
        parse::<RetrievalItem>(value)
    } else if keys.contains_key("options") {
        parse::<MultipleChoiceItem>(value)
    } else if keys.contains_key("answers") {
        parse::<OpenEndedItem>(value)
    } else {
        Err(RowFault::Missing {
            key: "captions, options or answers",
        })
    }
}

fn parse<I: DeserializeOwned + Into<Item>>(value: Value) -> Result<Item, RowFault> {
    serde_json::from_value::<I>(value)
        .map(Into::into)
        .map_err(RowFault::NotJson)
}

#[cfg(test)]
mod tests {
    use super::super::Items;
    use super::*;

    fn read(content: &str) -> Result<ItemsFile, DataError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        read_items(file.path())
    }

    #[test]
    fn lines_and_a_list_hold_the_same_items() {
        let rows = [
            r#"{"clip":"a.mp4","question":"what","answers":["cat"]}"#,
            r#"{"id":"7","clip":"b/c.mp4","question":"a [MASK]","answers":["dog","pup"]}"#,
        ];

        let lines = read(&rows.join("\n")).unwrap();
        let list = read(&format!("[{}]", rows.join(",\n"))).unwrap();

        assert_eq!(lines, list);
        let Items::OpenEnded(items) = lines.items else {
            panic!("another task")
        };
        assert_eq!(items[1].answers, ["dog", "pup"]);
    }

    #[test]
    fn broken_rows_are_skipped_by_line() {
        let content = concat!(
            "{\"clip\":\"a.mp4\",\"captions\":[\"a cat\"]}\n",
            "\n",
            "{\"clip\":\"../a.mp4\",\"captions\":[\"a cat\"]}\n",
            "{\"clip\":\"a.mp4\",\"captions\":[]}\n",
            "{\"clip\":\"a.mp4\",\"captions\":[\"a cat\"],\"label\":1}\n",
            "{\"clip\":\"a.mp4\",\"options\":[\"a\",\"b\"],\"question\":\"\",\"answer\":0}\n",
            "[]\n{\"clip\":\"b.mp4\",\"cap",
        );

        let file = read(content).unwrap();

        assert_eq!(file.items.len(), 1);
        let wanted = [
            "climbs",
            "captions",
            "label",
            "multiple-choice",
            "object",
            "JSON",
        ];
        assert_eq!(file.skipped.len(), wanted.len());
        for (index, (skipped, wanted)) in file.skipped.iter().zip(wanted).enumerate() {
            assert!(
                skipped.name.ends_with(&format!("line {}", index + 3)),
                "{skipped}"
            );
            assert!(skipped.reason.contains(wanted), "{skipped}");
        }
    }

    #[test]
    fn a_truncated_list_is_an_error() {
        assert!(read(r#"[{"clip":"a.mp4","captions":["a cat"]}"#).is_err());
    }
}
