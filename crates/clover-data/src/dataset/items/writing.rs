//! Writing the project's own form.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::Items;
use crate::DataError;
use crate::files::write_whole;

/// Writes items, an object a line, or one list where the name of the file ends in `.json`.
///
/// The file appears complete or not at all.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write_items(path: impl AsRef<Path>, items: &Items) -> Result<(), DataError> {
    let path = path.as_ref();
    let as_list = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    write_whole(path, |file| write_all(file, items, as_list)).map_err(|source| DataError::Write {
        path: path.to_path_buf(),
        source,
    })
}

/// Writes items, an object a line.
///
/// # Errors
///
/// When the writer cannot be written to.
pub fn write_item_lines(writer: &mut impl Write, items: &Items) -> io::Result<()> {
    write_all(writer, items, false)
}

fn write_all(writer: &mut impl Write, items: &Items, as_list: bool) -> io::Result<()> {
    match items {
        Items::Retrieval(items) => write_rows(writer, items, as_list),
        Items::MultipleChoice(items) => write_rows(writer, items, as_list),
        Items::OpenEnded(items) => write_rows(writer, items, as_list),
    }
}

fn write_rows(writer: &mut impl Write, items: &[impl Serialize], as_list: bool) -> io::Result<()> {
    for (index, item) in items.iter().enumerate() {
        match (as_list, index) {
            (true, 0) => writer.write_all(b"[\n")?,
            (true, _) => writer.write_all(b",\n")?,
            (false, _) => {}
        }
        serde_json::to_writer(&mut *writer, item)?;
        if !as_list {
            writer.write_all(b"\n")?;
        }
    }
    match (as_list, items.is_empty()) {
        (true, true) => writer.write_all(b"[]\n"),
        (true, false) => writer.write_all(b"\n]\n"),
        (false, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MultipleChoiceItem, read_items};
    use super::*;
    use std::fs;

    fn items() -> Items {
        let item = |clip: &str, answer| MultipleChoiceItem {
            skill: (answer == 1).then(|| "color".to_owned()),
            id: Some(clip.to_owned()),
            span: None,
            clip: format!("{clip}.mp4"),
            question: "what does \"no\" mean?".to_owned(),
            options: vec!["a\tb".to_owned(), "c".to_owned()],
            answer,
        };
        Items::MultipleChoice(vec![item("a", 0), item("b", 1)])
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["items.jsonl", "items.json"] {
            let path = folder.path().join(name);

            write_items(&path, &items()).unwrap();

            let read = read_items(&path).unwrap();
            assert_eq!(read.items, items());
            assert_eq!(read.skipped, []);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let mut lines = Vec::new();
        write_item_lines(&mut lines, &items()).unwrap();
        assert_eq!(lines, fs::read(folder.path().join("items.jsonl")).unwrap());
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("items.jsonl");
        fs::create_dir(&path).unwrap();

        let error = write_items(&path, &items()).unwrap_err();

        assert!(error.to_string().contains("items.jsonl"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
