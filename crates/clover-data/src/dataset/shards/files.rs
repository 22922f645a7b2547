//! Open shards, a few at a time: reading nearly in order opens each of them once.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::index::Span;
use crate::files::open_regular;

/// Files kept open while nobody reads from them; about one a thread and some to change over.
const KEPT_OPEN: usize = 32;

/// Files that wait to be read from again, by the number of their shard.
#[derive(Debug, Default)]
pub(super) struct OpenFiles {
    idle: Mutex<Vec<(usize, File)>>,
}

impl OpenFiles {
    /// Reads some contents of one shard.
    pub(super) fn read(
        &self,
        shard: usize,
        path: &Path,
        spans: &[Span],
    ) -> io::Result<Vec<Vec<u8>>> {
        if spans.is_empty() {
            return Ok(Vec::new());
        }
        let mut file = match self.take(shard) {
            Some(file) => file,
            None => open_regular(path)?,
        };
        let contents = spans
            .iter()
            .map(|span| read(&mut file, *span))
            .collect::<io::Result<_>>()?;
        self.give_back(shard, file);
        Ok(contents)
    }

    /// A file is taken out while it is read from: its position belongs to one thread.
    fn take(&self, shard: usize) -> Option<File> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let place = idle.iter().rposition(|(number, _)| *number == shard)?;
        Some(idle.remove(place).1)
    }

    fn give_back(&self, shard: usize, file: File) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= KEPT_OPEN {
            idle.remove(0);
        }
        idle.push((shard, file));
    }
}

fn read(file: &mut File, span: Span) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(span.offset()))?;
    // The length was within the file when the index was built; what is gone since costs nothing.
    let mut content = Vec::new();
    file.take(span.len() as u64).read_to_end(&mut content)?;
    if content.len() < span.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_read_again_and_again_and_what_is_gone_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar");
        std::fs::write(&path, [&[0; 512][..], b"cat", &[0; 509], b"dog"].concat()).unwrap();
        let [cat, dog] = [512, 1_024].map(|offset| Span::new(offset, 3).unwrap());
        let files = OpenFiles::default();

        for _ in 0..2 {
            let read = files.read(0, &path, &[dog, cat]).unwrap();
            assert_eq!(read, [b"dog", b"cat"]);
        }
        let gone = files.read(0, &path, &[Span::new(1_024, 4).unwrap()]);

        assert!(gone.is_err());
        assert!(files.read(1, &folder.path().join("b.tar"), &[cat]).is_err());
    }
}
