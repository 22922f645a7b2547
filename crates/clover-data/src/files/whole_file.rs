//! Files that are there whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;

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
