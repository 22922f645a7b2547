//! Opening a file that somebody else wrote.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::AnnotationError;
use crate::{DataError, files};

/// A file that is being read.
pub(crate) type Opened = Box<dyn BufRead + Send>;

/// Opens a regular file for reading, unpacked if it is a gzip file, and without the mark that some
/// programs put in front of text.
///
/// A pipe or a device could wait for ever, so neither is opened. At most `limit` bytes are read,
/// also from a file that grows meanwhile or on unpacking.
pub(crate) fn open_regular(path: &Path, limit: Option<u64>) -> Result<Opened, DataError> {
    let failed = |source| DataError::Read {
        path: path.to_path_buf(),
        source,
    };
    let file = files::open_regular(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let limit = limit.unwrap_or(u64::MAX);
    if bytes > limit {
        return Err(AnnotationError::TooLarge {
            path: path.to_path_buf(),
            bytes,
            limit,
        }
        .into());
    }
    let mut packed = BufReader::new(file);
    let is_gzip = packed.fill_buf().map_err(failed)?.starts_with(b"\x1f\x8b");
    let mut reader: Opened = match is_gzip {
        true => Box::new(BufReader::new(MultiGzDecoder::new(packed)).take(limit)),
        false => Box::new(packed.take(limit)),
    };
    let start = reader.fill_buf().map_err(failed)?;
    if start.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_folder_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();

        let opened = open_regular(folder.path(), None);

        assert!(matches!(opened, Err(DataError::Read { .. })));
    }

    #[test]
    fn a_file_beyond_the_limit_is_refused_with_its_size() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "0123456789").unwrap();

        let opened = open_regular(file.path(), Some(9));

        let error = opened.err().unwrap().to_string();
        assert!(error.contains("10 bytes"), "{error}");
    }

    #[test]
    fn a_gzip_file_is_unpacked_within_the_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all("\u{feff}video".as_bytes()).unwrap();
        std::fs::write(file.path(), packed.finish().unwrap()).unwrap();
        let read = |limit| {
            let mut text = String::new();
            let mut reader = open_regular(file.path(), limit).unwrap();
            reader.read_to_string(&mut text).unwrap();
            text
        };

        assert_eq!(read(None), "video");
        assert_eq!(read(Some(1_000)), "video");
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
