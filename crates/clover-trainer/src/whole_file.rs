//! Files that are written whole or not at all.

use std::io::Write;
use std::path::Path;

use clover_data::files;

use crate::TrainerError;

/// Writes a file whole or not at all. Nothing else is left beside it, also when it fails, nor what a
/// killed writer of the same file left. Nobody else may be writing it.
///
/// # Errors
///
/// The file cannot be written; one that was there before is then still whole.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), TrainerError> {
    let written = files::write_whole(path, |file| file.write_all(content));
    let written = written.and_then(|()| files::remove_half_written(path));
    written.map_err(|source| TrainerError::Write {
        path: path.to_owned(),
        source,
    })
}
