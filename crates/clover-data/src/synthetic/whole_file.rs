//! Files that are whole or absent: written under a temporary name, then renamed.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::DataError;

/// A file being written; until [`finish`](Self::finish) nothing has its name.
#[derive(Debug)]
pub(super) struct WholeFile {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
}

impl WholeFile {
    /// Begins the file under its temporary name.
    pub(super) fn create(path: &Path) -> Result<Self, DataError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let file = File::create(&partial).map_err(|source| failed(path, source))?;
        Ok(Self {
            path: path.to_path_buf(),
            partial,
            file: BufWriter::new(file),
        })
    }

    /// Adds to the file.
    pub(super) fn write(&mut self, content: &[u8]) -> Result<(), DataError> {
        self.file
            .write_all(content)
            .map_err(|source| failed(&self.path, source))
    }

    /// Ends the file and gives it its name.
    pub(super) fn finish(self) -> Result<(), DataError> {
        let Self {
            path,
            partial,
            file,
        } = self;
        file.into_inner()
            .map_err(|error| failed(&path, error.into_error()))?;
        fs::rename(&partial, &path).map_err(|source| failed(&path, source))
    }
}

/// Writes a file at once.
pub(super) fn write_renamed(path: &Path, content: &[u8]) -> Result<(), DataError> {
    let mut file = WholeFile::create(path)?;
    file.write(content)?;
    file.finish()
}

fn failed(path: &Path, source: std::io::Error) -> DataError {
    DataError::Write {
        path: path.to_path_buf(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_no_name_before_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let mut file = WholeFile::create(&path).unwrap();

        file.write(b"half").unwrap();
        let before = path.exists();
        file.write(b" whole").unwrap();
        file.finish().unwrap();

        assert!(!before);
        assert_eq!(fs::read(&path).unwrap(), b"half whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
