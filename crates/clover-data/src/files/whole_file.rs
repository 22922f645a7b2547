//! Files that are there whole or not at all.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;

/// What `atomic-write-file` ends a name with that is not whole yet.
const RANDOM_LETTERS: usize = 6;

/// Writes a file that takes its name once it is whole and on the disk. Nothing else is left beside it,
/// also when this fails.
///
/// # Errors
///
/// The file cannot be written; one that was there before is then still whole.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<AtomicWriteFile>) -> io::Result<()>,
) -> io::Result<()> {
    // Otherwise found out when all is written, which would then lie beside the folder.
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut file = BufWriter::new(AtomicWriteFile::open(path)?);
    write(&mut file)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.commit()
}

/// Removes what killed writers of a file left beside it: `.a.txt.Ab12Cd` beside `a.txt`. Nobody else may
/// be writing the file.
///
/// # Errors
///
/// The folder cannot be read, or a file not be removed.
pub fn remove_half_written(path: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str))
    else {
        return Ok(());
    };
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let entries = match folder.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let file = entry.file_name();
        let random = file.to_str().and_then(|file| {
            file.strip_prefix('.')?
                .strip_prefix(name)?
                .strip_prefix('.')
        });
        let is_random = |text: &str| {
            text.len() == RANDOM_LETTERS && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if random.is_some_and(is_random) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Makes the names inside a folder as durable as its files. Only Unix opens folders as files.
///
/// # Errors
///
/// The folder cannot be opened or written.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_killed_writer_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let kept = [".a.json.Ab12", ".b.json.Ab12Cd", "a.json", "a.json.Ab12Cd"];
        for name in kept.iter().chain(&[".a.json.Ab12Cd"]) {
            std::fs::write(folder.path().join(name), "").unwrap();
        }

        remove_half_written(&folder.path().join("a.json")).unwrap();

        let entries = folder.path().read_dir().unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, kept);
    }
}
