//! What an evaluation has read so far, kept so that an interrupted one goes on.
//!
//! A file of lines: the first says what is measured, then come items, items left out, and after each
//! batch how far it went. What follows the last of these is done again.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::LeftOut;
use crate::TrainerError;
use crate::whole_file::write_whole;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line<T> {
    /// What is measured; another measurement starts anew.
    Of(String),
    Item(T),
    LeftOut(LeftOut),
    /// Items of the list that are done with.
    Done(usize),
}

/// The open record of an evaluation, or of none.
#[derive(Debug)]
pub(super) struct Record<T> {
    file: Option<(PathBuf, File)>,
    /// Items read so far.
    pub(super) items: Vec<T>,
    /// Items left out so far.
    pub(super) left_out: Vec<LeftOut>,
    /// Where in the list it goes on.
    pub(super) done: usize,
}

impl<T: Serialize + DeserializeOwned> Record<T> {
    /// Opens the record at `path`, with what is there of the same measurement; without a path nothing
    /// is kept.
    pub(super) fn open(path: Option<&Path>, of: &str) -> Result<Self, TrainerError> {
        let mut record = Self {
            file: None,
            items: Vec::new(),
            left_out: Vec::new(),
            done: 0,
        };
        let Some(path) = path else {
            return Ok(record);
        };
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut kept = serde_json::to_string(&Line::<T>::Of(of.to_owned())).unwrap_or_default();
        kept.push('\n');
        let same = text.starts_with(&kept);
        // A last line cut short has no end.
        let whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let (mut items, mut left_out, mut pending) = (Vec::new(), Vec::new(), String::new());
        for line in whole.skip(1).take_while(|_| same) {
            pending.push_str(line);
            match serde_json::from_str::<Line<T>>(line) {
                Ok(Line::Item(item)) => items.push(item),
                Ok(Line::LeftOut(item)) => left_out.push(item),
                Ok(Line::Done(done)) => {
                    record.items.append(&mut items);
                    record.left_out.append(&mut left_out);
                    record.done = done;
                    kept.push_str(&std::mem::take(&mut pending));
                }
                Ok(Line::Of(_)) | Err(_) => break,
            }
        }
        write_whole(path, kept.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path);
        let file = file.map_err(|source| TrainerError::Write {
            path: path.to_owned(),
            source,
        })?;
        record.file = Some((path.to_owned(), file));
        Ok(record)
    }

    pub(super) fn add(&mut self, item: T) -> Result<(), TrainerError> {
        let line = Line::Item(item);
        self.write(&line)?;
        if let Line::Item(item) = line {
            self.items.push(item);
        }
        Ok(())
    }

    pub(super) fn leave_out(&mut self, item: LeftOut) -> Result<(), TrainerError> {
        self.write(&Line::LeftOut(item.clone()))?;
        self.left_out.push(item);
        Ok(())
    }

    pub(super) fn advance(&mut self, done: usize) -> Result<(), TrainerError> {
        self.done = done;
        self.write(&Line::Done(done))
    }

    fn write(&mut self, line: &Line<T>) -> Result<(), TrainerError> {
        let Some((path, file)) = &mut self.file else {
            return Ok(());
        };
        let mut text = serde_json::to_vec(line).map_err(|source| TrainerError::Json {
            path: path.clone(),
            source,
        })?;
        text.push(b'\n');
        file.write_all(&text).map_err(|source| TrainerError::Write {
            path: path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path, of: &str) -> Record<usize> {
        Record::open(Some(path), of).unwrap()
    }

    #[test]
    fn what_follows_the_last_whole_batch_is_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.jsonl");
        let mut record = open(&path, "this");
        let broken = LeftOut {
            name: "b".to_owned(),
            reason: "is empty".to_owned(),
        };
        record.add(7).unwrap();
        record.leave_out(broken.clone()).unwrap();
        record.advance(2).unwrap();
        record.add(8).unwrap();
        drop(record);
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"item\":");
        fs::write(&path, text).unwrap();

        let mut resumed = open(&path, "this");
        assert_eq!((&resumed.items[..], resumed.done), (&[7][..], 2));
        assert_eq!(resumed.left_out, [broken]);
        resumed.add(9).unwrap();
        resumed.advance(3).unwrap();

        assert_eq!(open(&path, "this").items, [7, 9]);
        assert_eq!(open(&path, "another").done, 0);
    }

    #[test]
    fn without_a_path_nothing_is_written() {
        let mut record = Record::open(None, "this").unwrap();

        record.add(1).unwrap();
        record.advance(1).unwrap();

        assert_eq!((record.items, record.done), (vec![1], 1));
    }
}
