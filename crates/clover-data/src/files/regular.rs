//! Opening files that somebody else wrote.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file for reading. A pipe or a device could be waited for, or read, for ever, so
/// neither is opened.
///
/// # Errors
///
/// It is another kind of file, or cannot be opened.
pub fn open_regular(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    File::open(path)
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
///
/// It is another kind of file, larger, or cannot be read.
pub fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open_regular(path)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let reason = format!("it has more than {limit} bytes");
        return Err(io::Error::other(reason));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_within_the_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "0123").unwrap();

        assert_eq!(read_regular(&path, 4).unwrap(), b"0123");
        for (path, limit, reason) in [
            (path.as_path(), 3, "more than 3 bytes"),
            (folder.path(), 9, "not a regular file"),
            (Path::new("/dev/zero"), 9, "not a regular file"),
        ] {
            // There is no such device elsewhere.
            if path.exists() {
                let error = read_regular(path, limit).unwrap_err().to_string();
                assert!(error.contains(reason), "{error}");
            }
        }
    }
}
