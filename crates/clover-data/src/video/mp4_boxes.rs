//! The boxes of an mp4 file: those at its top level, read from the file, and those within a box
//! that is in memory.
//!
//! Each step goes over at least a box's header, so that no size can make a walk stand still.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use mp4_atom::{Decode, FourCC, Header, ReadFrom};

use super::DecodeLimits;
use super::limits::{Deadline, at_most};
use super::media::Media;
use crate::DataError;

/// More than the boxes of any video take, each of which is read into memory.
const MAX_BOX_BYTES: u64 = 256 << 20;

/// A box at the top level of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct TopBox {
    pub(super) kind: FourCC,
    /// Where its header begins.
    pub(super) start: u64,
    /// Where its contents begin.
    body: u64,
    /// What it says of the size of its contents.
    size: u64,
}

/// A walk over the boxes at the top level of a file.
#[derive(Debug)]
pub(super) struct TopLevel<'a> {
    file: &'a mut Media,
    file_bytes: u64,
    path: &'a Path,
    deadline: Deadline,
    at: u64,
}

impl<'a> TopLevel<'a> {
    /// Begins at the first box of a file of `file_bytes` bytes.
    pub(super) fn new(
        file: &'a mut Media,
        file_bytes: u64,
        path: &'a Path,
        limits: &DecodeLimits,
    ) -> Self {
        Self {
            file,
            file_bytes,
            path,
            deadline: limits.start(),
            at: 0,
        }
    }

    /// The next box; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<TopBox>, DataError> {
        self.deadline.check(self.path)?;
        let start = self.at;
        // What is shorter than a header is no box.
        if self.file_bytes.saturating_sub(start) < 8 {
            return Ok(None);
        }
        self.file
            .seek(SeekFrom::Start(start))
            .map_err(|source| self.failed(source))?;
        let header =
            Header::read_from(self.file).map_err(|source| unreadable(self.path, source))?;
        let body = self
            .file
            .stream_position()
            .map_err(|source| self.failed(source))?;
        // A size of zero means: to the end of the file.
        let rest = self.file_bytes.saturating_sub(body);
        let size = header.size.map_or(rest, |size| size as u64);
        self.at = body.saturating_add(size);
        Ok(Some(TopBox {
            kind: header.kind,
            start,
            body,
            size,
        }))
    }

    /// The contents of a box.
    pub(super) fn contents(&mut self, found: TopBox) -> Result<Vec<u8>, DataError> {
        let TopBox { body, size, .. } = found;
        if size > self.file_bytes.saturating_sub(body) {
            let fault = "a box with its frames' places lies beyond its end: the file is cut short";
            return Err(broken(self.path, fault));
        }
        let what = "the size of a box in bytes";
        at_most(self.path, what, size, MAX_BOX_BYTES)?;
        let mut contents = vec![0; size as usize];
        self.file
            .seek(SeekFrom::Start(body))
            .and_then(|_| self.file.read_exact(&mut contents))
            .map_err(|source| self.failed(source))?;
        Ok(contents)
    }

    /// The contents of the first box of a kind.
    pub(super) fn read_first(mut self, kind: FourCC) -> Result<Vec<u8>, DataError> {
        while let Some(found) = self.next()? {
            if found.kind == kind {
                return self.contents(found);
            }
        }
        let fault = "it has no moov box: the file is cut short or no video";
        Err(broken(self.path, fault))
    }

    fn failed(&self, source: std::io::Error) -> DataError {
        DataError::Read {
            path: self.path.to_path_buf(),
            source,
        }
    }
}

/// The boxes within a box: the kind and the contents of each.
#[derive(Debug)]
pub(super) struct Boxes<'a> {
    rest: &'a [u8],
    path: &'a Path,
}

impl<'a> Boxes<'a> {
    /// Walks over the contents of a box.
    pub(super) fn new(contents: &'a [u8], path: &'a Path) -> Self {
        Self {
            rest: contents,
            path,
        }
    }

    fn split(&mut self) -> Result<(FourCC, &'a [u8]), DataError> {
        let mut rest = self.rest;
        let header = Header::decode(&mut rest).map_err(|source| unreadable(self.path, source))?;
        let size = header.size.unwrap_or(rest.len());
        let Some((body, rest)) = rest.split_at_checked(size) else {
            let fault = "a box is longer than the box it lies in";
            return Err(broken(self.path, fault));
        };
        self.rest = rest;
        Ok((header.kind, body))
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<(FourCC, &'a [u8]), DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Some writers end a box with zeros that are no box.
        if self.rest.len() < 8 {
            return None;
        }
        let found = self.split();
        if found.is_err() {
            self.rest = &[];
        }
        Some(found)
    }
}

/// Names the file that contradicts itself.
pub(super) fn broken(path: &Path, fault: &'static str) -> DataError {
    DataError::BrokenVideo {
        path: path.to_path_buf(),
        fault,
    }
}

/// Names the file with a box that cannot be read.
pub(super) fn unreadable(path: &Path, source: mp4_atom::Error) -> DataError {
    DataError::Mp4Box {
        path: path.to_path_buf(),
        source,
    }
}
