//! One writer a folder: a lock file that names its holder.
//!
//! The lock itself is the operating system's, which lets go of it when the holder ends, however it
//! ends; what the file says is only for people.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::DataError;

/// More of a lock file is not read.
const LONGEST_HOLDER: u64 = 200;

/// The right to write into a folder, held as long as this lives.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// The file in the folder that is locked. It stays when the lock is let go.
    pub const FILE: &'static str = "lock";

    /// Takes the lock of a folder, which is created where it is missing.
    ///
    /// A file system that knows no locks is written to without one.
    ///
    /// # Errors
    ///
    /// Another program, or another part of this one, holds the lock, or the file cannot be written.
    pub fn take(folder: &Path) -> Result<Self, DataError> {
        Self::take_file(folder, Self::FILE)
    }

    /// As [`take`](Self::take), of a share of the work in a folder, by a file of its own.
    pub(crate) fn take_file(folder: &Path, file: &str) -> Result<Self, DataError> {
        let path = folder.join(file);
        let failed = |source| DataError::Write {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(|source| DataError::Write {
            path: folder.to_owned(),
            source,
        })?;
        let about = std::fs::metadata(&path);
        if about.is_ok_and(|about| !about.is_file()) {
            return Err(failed(std::io::Error::other("it is not a regular file")));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Where a system locks reading too, nobody is named.
                let _ = (&mut file).take(LONGEST_HOLDER).read_to_string(&mut holder);
                return Err(DataError::FolderLocked {
                    folder: folder.to_owned(),
                    holder: match holder.trim() {
                        "" => "another program".to_owned(),
                        holder => holder.to_owned(),
                    },
                });
            }
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| write!(file, "process {}", std::process::id()))
            .map_err(failed)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_told_who_is_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path()).unwrap();

        let error = FolderLock::take(folder.path()).unwrap_err().to_string();

        let own = format!("process {}", std::process::id());
        assert!(error.contains(&own), "{error}");
        drop(first);
        assert!(FolderLock::take(folder.path()).is_ok());
    }

    #[test]
    fn what_a_crashed_holder_left_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let left = "process 1 that ended in a crash";
        std::fs::write(folder.path().join(FolderLock::FILE), left).unwrap();

        assert!(FolderLock::take(folder.path()).is_ok());
    }
}
