//! Opening a file that somebody else wrote.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take};
use std::path::Path;

use super::AnnotationError;
use crate::DataError;

/// Opens a regular file for reading, without the mark that some programs put in front of text.
///
/// A pipe or a device could wait for ever, so neither is opened. At most `limit` bytes are read,
/// also from a file that grows meanwhile.
pub(crate) fn open_regular(
    path: &Path,
    limit: Option<u64>,
) -> Result<BufReader<Take<File>>, DataError> {
    let failed = |source| DataError::Read {
        path: path.to_path_buf(),
        source,
    };
    let facts = std::fs::metadata(path).map_err(failed)?;
    if !facts.is_file() {
        return Err(failed(io::Error::other("it is not a regular file")));
    }
    let limit = limit.unwrap_or(u64::MAX);
    if facts.len() > limit {
        return Err(AnnotationError::TooLarge {
            path: path.to_path_buf(),
            bytes: facts.len(),
            limit,
        }
        .into());
    }
    let file = File::open(path).map_err(failed)?;
    let mut reader = BufReader::new(file.take(limit));
    let start = reader.fill_buf().map_err(failed)?;
    if start.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();

        let error = open_regular(folder.path(), None).unwrap_err();

        assert!(matches!(error, DataError::Read { .. }));
    }

    #[test]
    fn a_file_beyond_the_limit_is_refused_with_its_size() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "0123456789").unwrap();

        let error = open_regular(file.path(), Some(9)).unwrap_err().to_string();

        assert!(error.contains("10 bytes"), "{error}");
    }

    #[test]
    fn the_mark_before_the_text_is_dropped() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\u{feff}video").unwrap();
        let mut text = String::new();

        let mut reader = open_regular(file.path(), None).unwrap();
        reader.read_to_string(&mut text).unwrap();

        assert_eq!(text, "video");
    }
}
