//! Items gathered from rows: checked, of one task, and the others left out by name.

use std::path::{Path, PathBuf};

use super::super::clip_rows::Files;
use super::super::clip_table::ClipTable;
use super::super::rows::{RowFault, RowNumber};
use super::super::skipped::SkippedRows;
use super::{Item, Items, ItemsFile, ItemsTask};
use crate::DataError;

/// The items of a file while it is read.
#[derive(Debug)]
pub(crate) struct Gathered {
    path: PathBuf,
    rows: Rows,
    skipped: SkippedRows,
    /// Rows or videos that a list or a split leaves out.
    pub(crate) unlisted: usize,
}

/// Where the items go.
#[derive(Debug)]
enum Rows {
    /// One by one, of the first one's task.
    Items(Option<Items>),
    /// Into a table, which holds far more of them.
    Table(Files, Option<ItemsTask>),
}

impl Gathered {
    /// Items one by one.
    pub(crate) fn new(path: &Path) -> Self {
        Self::into_rows(path, Rows::Items(None))
    }

    /// A table of items whose clips lie in `folder`.
    pub(crate) fn table(path: &Path, folder: &Path) -> Self {
        Self::into_rows(path, Rows::Table(Files::in_folder(folder, false), None))
    }

    fn into_rows(path: &Path, rows: Rows) -> Self {
        Self {
            path: path.to_path_buf(),
            rows,
            skipped: SkippedRows::default(),
            unlisted: 0,
        }
    }

    /// Takes the item of a row, or lists the row with the reason why it has none.
    pub(crate) fn push<I: Into<Item>>(&mut self, row: RowNumber, item: Result<I, RowFault>) {
        let taken = item
            .and_then(|item| item.into().check())
            .and_then(|item| self.take(item));
        if let Err(fault) = taken {
            self.skipped.push(&self.path, row, fault);
        }
    }

    /// Lists a row of some file that gives no item.
    pub(crate) fn skip(&mut self, path: &Path, row: RowNumber, fault: RowFault) {
        self.skipped.push(path, row, fault);
    }

    /// All items, which must be one at least.
    pub(crate) fn finish(self) -> Result<ItemsFile, DataError> {
        let items = match self.rows {
            Rows::Items(items) => items,
            Rows::Table(..) => None,
        };
        let (items, skipped) = self.skipped.beside(items, &self.path)?;
        Ok(ItemsFile { items, skipped })
    }

    /// All items as a table, which must have a row at least.
    pub(crate) fn finish_table(self) -> Result<ClipTable, DataError> {
        let files = match self.rows {
            Rows::Table(files, Some(_)) => Some(files),
            _ => None,
        };
        let (files, skipped) = self.skipped.beside(files, &self.path)?;
        Ok(ClipTable::from(files.joined()).with_skipped(skipped))
    }

    /// The first item decides which task the file is for.
    fn take(&mut self, item: Item) -> Result<(), RowFault> {
        let first = match &self.rows {
            Rows::Items(items) => items.as_ref().map(Items::task),
            Rows::Table(_, task) => *task,
        };
        let task = item.task();
        match first {
            Some(first) if first != task => {
                return Err(RowFault::OtherTask {
                    found: task.name(),
                    first: first.name(),
                });
            }
            _ => {}
        }
        match &mut self.rows {
            Rows::Table(files, first) => {
                *first = Some(task);
                files.push_item(item);
            }
            Rows::Items(items) => match (items, item) {
                (items @ None, item) => *items = Some(item.into()),
                (Some(Items::Retrieval(items)), Item::Retrieval(item)) => items.push(item),
                (Some(Items::MultipleChoice(items)), Item::MultipleChoice(item)) => {
                    items.push(item);
                }
                (Some(Items::OpenEnded(items)), Item::OpenEnded(item)) => items.push(item),
                // Of another task than the first, which was refused above.
                (Some(_), _) => {}
            },
        }
        Ok(())
    }
}

impl From<Item> for Items {
    fn from(item: Item) -> Self {
        match item {
            Item::Retrieval(item) => Self::Retrieval(vec![item]),
            Item::MultipleChoice(item) => Self::MultipleChoice(vec![item]),
            Item::OpenEnded(item) => Self::OpenEnded(vec![item]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Caption, OpenEndedItem, RetrievalItem};
    use super::*;

    fn retrieval(clip: &str) -> Result<Item, RowFault> {
        Ok(Item::from(RetrievalItem {
            id: None,
            span: None,
            clip: clip.to_owned(),
            captions: vec![Caption::Plain("a cat".to_owned())],
        }))
    }

    #[test]
    fn an_item_of_another_task_is_skipped_by_its_row() {
        let mut gathered = Gathered::new(Path::new("rows.jsonl"));

        gathered.push(RowNumber::Line(1), retrieval("a.mp4"));
        let question = OpenEndedItem {
            id: None,
            span: None,
            clip: "b.mp4".to_owned(),
            question: "what".to_owned(),
            answers: vec!["cat".to_owned()],
        };
        gathered.push(RowNumber::Line(2), Ok(question));
        let file = gathered.finish().unwrap();

        assert_eq!(file.items.len(), 1);
        assert_eq!(file.skipped[0].name, "rows.jsonl: line 2");
        assert!(
            file.skipped[0].reason.contains("open-ended"),
            "{:?}",
            file.skipped
        );
    }

    #[test]
    fn a_file_without_a_usable_row_is_an_error_with_the_first_reason() {
        let mut gathered = Gathered::new(Path::new("rows.jsonl"));

        gathered.push(RowNumber::Line(1), retrieval("/a.mp4"));
        let message = gathered.finish().unwrap_err().to_string();

        for part in ["rows.jsonl", "line 1", "absolute"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
