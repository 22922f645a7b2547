//! An open file, read by position.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::FileFault;
use crate::weights::WeightError;

/// An open file, read by position.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    file: Mutex<File>,
    length: u64,
}

impl Source {
    /// Opens an ordinary file: a pipe would keep the reader waiting.
    pub(super) fn open(path: &Path) -> Result<Self, WeightError> {
        let failed = |error| FileFault::Unreadable(error).in_file(path);
        if !fs::metadata(path).map_err(failed)?.is_file() {
            return Err(FileFault::NotAFile.in_file(path));
        }
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        Ok(Self {
            path: path.to_owned(),
            file: Mutex::new(file),
            length,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its bytes when it was opened.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Fills `buffer` with the bytes from `offset` on.
    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FileFault> {
        let mut file = match self.file.lock() {
            Ok(file) => file,
            // Each read seeks first, so one that was broken off does no harm.
            Err(broken) => broken.into_inner(),
        };
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_exact(buffer))
            .map_err(FileFault::Unreadable)
    }

    /// The bytes from `offset` on, which must lie in the file and be no more than `limit`.
    pub(super) fn bytes(
        &self,
        what: &'static str,
        offset: u64,
        bytes: u64,
        limit: u64,
    ) -> Result<Vec<u8>, FileFault> {
        self.contains(what, offset, bytes)?;
        if bytes > limit {
            return Err(FileFault::TooLarge { what, bytes, limit });
        }
        let mut buffer = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
        self.read(offset, &mut buffer)?;
        Ok(buffer)
    }

    /// The bytes from `offset` on, as many of `most` as there are.
    pub(super) fn up_to(&self, offset: u64, most: u64) -> Result<Vec<u8>, FileFault> {
        let bytes = most.min(self.length.saturating_sub(offset));
        self.bytes("the file", offset, bytes, most)
    }

    /// Whether the file reaches far enough.
    pub(super) fn contains(&self, what: &str, offset: u64, bytes: u64) -> Result<(), FileFault> {
        let needed = offset.saturating_add(bytes);
        match needed > self.length {
            true => Err(FileFault::Truncated {
                what: what.to_owned(),
                needed,
                found: self.length,
            }),
            false => Ok(()),
        }
    }
}
