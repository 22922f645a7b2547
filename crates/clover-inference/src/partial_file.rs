//! Files that appear whole or not at all.

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

use crate::InferenceError;

/// A file without its name until it is [finished](Self::finish); dropped before, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct PartialFile {
    path: PathBuf,
    file: BufWriter<AtomicWriteFile>,
}

impl PartialFile {
    pub(crate) fn create(path: &Path) -> Result<Self, InferenceError> {
        let file = AtomicWriteFile::open(path).map_err(|source| InferenceError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 20, file),
        })
    }

    /// Where it will lie.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn write(
        &mut self,
        write: impl FnOnce(&mut BufWriter<AtomicWriteFile>) -> io::Result<()>,
    ) -> Result<(), InferenceError> {
        write(&mut self.file).map_err(|source| InferenceError::File {
            path: self.path.clone(),
            source,
        })
    }

    /// Brings the file to the disk and gives it its name.
    pub(crate) fn finish(self) -> Result<(), InferenceError> {
        let file = self.file.into_inner();
        let committed = file
            .map_err(io::IntoInnerError::into_error)
            .and_then(AtomicWriteFile::commit);
        committed.map_err(|source| InferenceError::File {
            path: self.path,
            source,
        })
    }
}
