//! How much the folder of files that are sent may hold: what lies there, and what is on its way.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;

use crate::problem::Problem;

/// Files of the folder.
const MAX_FILES: usize = 10_000;

/// A folder of bounded size.
#[derive(Debug)]
pub(crate) struct UploadSpace {
    folder: PathBuf,
    max_bytes: u64,
    held: Mutex<Held>,
    /// Files begin to arrive one after the other: what lies in the folder is counted while none arrives.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: u64,
    arriving: usize,
}

/// The room of a file that arrives, given back unless the file is kept.
#[derive(Debug)]
pub(crate) struct UploadRoom<'s> {
    space: &'s UploadSpace,
    bytes: u64,
    is_kept: bool,
}

impl UploadSpace {
    pub(crate) fn new(folder: PathBuf, max_bytes: u64) -> Self {
        Self {
            folder,
            max_bytes,
            held: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Room for a file that is said to have so many bytes.
    pub(crate) async fn room(&self, announced: u64) -> Result<UploadRoom<'_>, Problem> {
        let _turn = self.turn.lock().await;
        let folder = self.folder.clone();
        let counted = tokio::task::spawn_blocking(move || count(&folder)).await;
        let counted = counted
            .map_err(io::Error::other)
            .and_then(|counted| counted);
        let (files, bytes) = counted.map_err(|error| Problem::of_writing(&error))?;
        if files >= MAX_FILES {
            let detail = format!("the folder has {MAX_FILES} files already: remove some of them");
            return Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail));
        }
        let mut held = self.held();
        // Of a file that arrives, only a part lies there yet.
        if held.arriving == 0 {
            held.bytes = bytes;
        }
        if held.bytes.saturating_add(announced) > self.max_bytes {
            return Err(self.full(held.bytes));
        }
        held.arriving += 1;
        Ok(UploadRoom {
            space: self,
            bytes: 0,
            is_kept: false,
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn full(&self, held: u64) -> Problem {
        Problem::new(
            StatusCode::INSUFFICIENT_STORAGE,
            format!(
                "the folder of files that were sent holds {held} of at most {} bytes: remove some of them, or \
                 start the server with a larger `--max-upload-dir`",
                self.max_bytes
            ),
        )
    }
}

impl UploadRoom<'_> {
    /// Takes room for more bytes, before they are written.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), Problem> {
        let mut held = self.space.held();
        if held.bytes.saturating_add(bytes) > self.space.max_bytes {
            return Err(self.space.full(held.bytes));
        }
        held.bytes += bytes;
        self.bytes += bytes;
        Ok(())
    }

    /// The file stays.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for UploadRoom<'_> {
    fn drop(&mut self) {
        let mut held = self.space.held();
        held.arriving -= 1;
        if !self.is_kept {
            held.bytes -= self.bytes;
        }
    }
}

/// Files and their bytes; of more files than there may be, some.
fn count(folder: &Path) -> io::Result<(usize, u64)> {
    let (mut files, mut bytes) = (0, 0_u64);
    for entry in folder.read_dir()?.take(MAX_FILES) {
        files += 1;
        match entry?.metadata() {
            Ok(about) => bytes = bytes.saturating_add(about.len()),
            // Removed since.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok((files, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(space: &UploadSpace, announced: u64) -> Result<UploadRoom<'_>, Problem> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(space.room(announced))
    }

    #[test]
    fn what_lies_there_and_what_arrives_at_the_same_time_stay_below_the_bound_together() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("old"), [0; 40]).unwrap();
        let space = UploadSpace::new(folder.path().to_owned(), 100);

        let mut first = room(&space, 60).unwrap();
        let mut second = room(&space, 0).unwrap();
        first.take(50).unwrap();
        second.take(10).unwrap();

        let full = second.take(1).unwrap_err();
        assert_eq!(full.status.as_u16(), 507);
        assert!(
            full.detail.contains("holds 100 of at most 100 bytes"),
            "{full:?}"
        );
        assert!(full.detail.contains("--max-upload-dir"), "{full:?}");
        assert!(room(&space, 1).is_err());
        // One breaks off, the other stays.
        drop(second);
        assert!(first.take(10).is_ok() && first.take(1).is_err());
        std::fs::write(folder.path().join("new"), [0; 60]).unwrap();
        first.keep();
        assert!(room(&space, 1).is_err());
        std::fs::remove_file(folder.path().join("old")).unwrap();
        assert!(room(&space, 40).is_ok() && room(&space, 41).is_err());
    }
}
