//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::InferenceError;

/// A file under another name until it is [finished](Self::finish); dropped before, it leaves nothing
/// behind.
#[derive(Debug)]
pub(crate) struct PartialFile {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    renamed: bool,
}

impl PartialFile {
    pub(crate) fn create(path: &Path) -> Result<Self, InferenceError> {
        let mut partial = path.as_os_str().to_owned();
        // Two programs that write the same file do not meet in it.
        partial.push(format!(".{}.partial", std::process::id()));
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(|source| InferenceError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            file: BufWriter::with_capacity(1 << 20, file),
            renamed: false,
        })
    }

    /// Where it will lie.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn write(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), InferenceError> {
        write(&mut self.file).map_err(|source| InferenceError::File {
            path: self.path.clone(),
            source,
        })
    }

    /// Brings the file to the disk and gives it its name.
    pub(crate) fn finish(&mut self) -> Result<(), InferenceError> {
        let (partial, path) = (self.partial.clone(), self.path.clone());
        self.write(|file| {
            file.flush()?;
            file.get_ref().sync_all()?;
            fs::rename(partial, path)
        })?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.renamed {
            // What is left of a file that nobody will finish.
            let _ = fs::remove_file(&self.partial);
        }
    }
}
