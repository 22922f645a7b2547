//! One writer an index: a lock file that names its holder.
//!
//! The lock itself is the operating system's, which lets go of it when the holder ends, however it
//! ends; what the file says is only for people.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::InferenceError;

pub(super) const LOCK: &str = "lock";
/// More of a lock file is not read.
const LONGEST_HOLDER: u64 = 200;

/// Held as long as it lives.
#[derive(Debug)]
pub(super) struct IndexLock {
    _file: File,
}

impl IndexLock {
    /// Takes the lock of an index.
    ///
    /// # Errors
    ///
    /// Another program holds it, or it cannot be written.
    pub(super) fn take(folder: &Path) -> Result<Self, InferenceError> {
        let path = folder.join(LOCK);
        let failed = |source| InferenceError::File {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Where a system locks reading too, nobody is named.
                let _ = (&mut file).take(LONGEST_HOLDER).read_to_string(&mut holder);
                return Err(InferenceError::IndexInUse {
                    path,
                    holder: match holder.trim() {
                        "" => "another program".to_owned(),
                        holder => holder.to_owned(),
                    },
                });
            }
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
        let first = IndexLock::take(folder.path()).unwrap();

        let error = IndexLock::take(folder.path()).unwrap_err().to_string();

        let own = format!("process {}", std::process::id());
        assert!(error.contains(&own), "{error}");
        drop(first);
        assert!(IndexLock::take(folder.path()).is_ok());
    }

    #[test]
    fn what_a_crashed_holder_left_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LOCK), "process 1 that ended in a crash").unwrap();

        assert!(IndexLock::take(folder.path()).is_ok());
    }
}
