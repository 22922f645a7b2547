//! Files that are there whole or not at all.

use std::io::{self, BufWriter};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;

/// Writes a file that takes its name once it is whole and on the disk.
pub(super) fn write_whole(
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
