//! What an evaluation has read so far, kept so that an interrupted one goes on.
//!
//! A file of lines: the first says what is measured, then come items, items left out, and after each
//! batch how far it went. What follows the last of these is done again.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clover_data::dataset::SkippedItem;
use clover_data::files::read_regular;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::TrainerError;
use crate::whole_file::write_whole;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line<T> {
    /// What is measured; another measurement starts anew.
    Of(String),
    Item(T),
    LeftOut(SkippedItem),
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
    pub(super) left_out: Vec<SkippedItem>,
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
        let text = match read_regular(path, u64::MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            text => text.map_err(|source| TrainerError::Read {
                path: path.to_owned(),
                source,
            })?,
        };
        let mut head = serde_json::to_vec(&Line::<T>::Of(of.to_owned())).unwrap_or_default();
        head.push(b'\n');
        if !text.starts_with(&head) {
            write_whole(path, &head)?;
        }
        // Up to the last batch that is whole; what is damaged behind it, or cut short, is measured again.
        let (mut kept, mut read) = (head.len(), 0);
        let (mut items, mut left_out) = (Vec::new(), Vec::new());
        let lines = text.split_inclusive(|&byte| byte == b'\n');
        for line in lines.take_while(|_| text.starts_with(&head)) {
            read += line.len();
            match serde_json::from_slice::<Line<T>>(line) {
                Ok(Line::Of(_)) if read == head.len() => {}
                Ok(Line::Item(item)) => items.push(item),
                Ok(Line::LeftOut(item)) => left_out.push(item),
                Ok(Line::Done(done)) if line.ends_with(b"\n") => {
                    record.items.append(&mut items);
                    record.left_out.append(&mut left_out);
                    record.done = done;
                    kept = read;
                }
                Ok(Line::Of(_) | Line::Done(_)) | Err(_) => break,
            }
        }
        let opened = OpenOptions::new().append(true).open(path);
        let opened = opened.and_then(|file| file.set_len(kept as u64).map(|()| file));
        let file = opened.map_err(|source| TrainerError::Write {
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

    pub(super) fn leave_out(&mut self, item: SkippedItem) -> Result<(), TrainerError> {
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
    use std::fs;

    fn open(path: &Path, of: &str) -> Record<usize> {
        Record::open(Some(path), of).unwrap()
    }

    #[test]
    fn what_follows_the_last_whole_batch_is_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.jsonl");
        let mut record = open(&path, "this");
        let broken = SkippedItem {
            name: "b".to_owned(),
            reason: "is empty".to_owned(),
        };
        record.add(7).unwrap();
        record.leave_out(broken.clone()).unwrap();
        record.advance(2).unwrap();
        record.add(8).unwrap();
        drop(record);
        let whole = fs::read(&path).unwrap();
        // Cut short, and with a byte that is not UTF-8.
        fs::write(&path, [&whole, &b"{\"item\":\xff"[..]].concat()).unwrap();

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
