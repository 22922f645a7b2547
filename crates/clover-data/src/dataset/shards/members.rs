//! The members of a tar file, one header at a time; contents are passed over.
//!
//! POSIX.1-2017, pax, "ustar Interchange Format", with the extensions of GNU tar and of pax for
//! long names and large sizes. The walk ends at the first thing that cannot be a header: nothing
//! behind it can be trusted to be where it seems to be.

use std::io::{self, BufReader, Read, Seek};

use tar::{EntryType, Header};

use super::pax::PaxRecords;

/// Headers, contents and everything else begin at multiples of this.
pub(super) const BLOCK: u64 = 512;

/// Captions are small, so that a header, a caption and the next header are read at once.
const READ_AHEAD: usize = 4_096;

/// More than any name or list of attributes takes.
const MAX_EXTENSION_BYTES: u64 = 64 << 10;

/// A member of a tar file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// The complete name.
    pub(super) name: Vec<u8>,
    /// Where the content begins.
    pub(super) offset: u64,
    /// The bytes of the content.
    pub(super) length: u64,
    /// How it is stored.
    pub(super) storage: Storage,
}

/// How a member is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    /// As it is.
    Whole,
    /// With holes left out.
    Sparse,
    /// Somewhere else: a link.
    Link,
    /// A folder, or a note of the writer.
    Nothing,
}

/// Why a walk ended too early.
#[derive(Debug)]
pub(super) enum WalkEnd {
    /// What is at `offset` cannot be right.
    Fault { offset: u64, fault: &'static str },
    /// The file could not be read.
    Io(io::Error),
}

/// Walks from header to header.
#[derive(Debug)]
pub(super) struct Members<R> {
    reader: BufReader<R>,
    at: u64,
    end: u64,
}

/// What extension headers said about the next member.
#[derive(Debug, Default)]
struct Extensions {
    long_name: Option<Vec<u8>>,
    pax: PaxRecords,
}

impl From<io::Error> for WalkEnd {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<R: Read + Seek> Members<R> {
    /// Starts at the beginning of a tar file of `end` bytes.
    pub(super) fn new(reader: R, end: u64) -> Self {
        Self {
            reader: BufReader::with_capacity(READ_AHEAD, reader),
            at: 0,
            end,
        }
    }

    /// The next member, or nothing at the end of the archive.
    pub(super) fn next_member(&mut self) -> Result<Option<Member>, WalkEnd> {
        let mut extensions = Extensions::default();
        loop {
            let header_at = self.at;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let size = extensions.pax.size.filter(|_| !is_extension(&header));
            let size = size.or_else(|| header.entry_size().ok());
            let size = size.ok_or_else(|| fault(header_at, "a size is no number"))?;
            if header.entry_type().is_gnu_sparse() {
                self.pass_sparse_headers(&header)?;
            }
            if size > self.end.saturating_sub(self.at) {
                return Err(fault(header_at, "a member is cut short"));
            }
            if is_extension(&header) {
                self.extension(&header, header_at, size, &mut extensions)?;
                continue;
            }
            let member = Member {
                storage: storage(&header, &extensions),
                name: extensions
                    .pax
                    .path
                    .or(extensions.long_name)
                    .unwrap_or_else(|| header.path_bytes().into_owned()),
                offset: self.at,
                length: size,
            };
            self.pass(size)?;
            return Ok(Some(member));
        }
    }

    /// Reads a header; nothing at the end of the file or at the block of zeros that marks it.
    fn header(&mut self) -> Result<Option<Header>, WalkEnd> {
        let at = self.at;
        if at >= self.end {
            return Ok(None);
        }
        if self.end - at < BLOCK {
            return Err(fault(at, "a header is cut short"));
        }
        let mut header = Header::new_old();
        self.read_exact(header.as_mut_bytes())?;
        let bytes = header.as_bytes();
        if bytes.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        // The field of the sum itself counts as eight blanks.
        let sum: u32 = bytes.iter().map(|&byte| u32::from(byte)).sum();
        let own: u32 = bytes[148..156].iter().map(|&byte| u32::from(byte)).sum();
        if header.cksum().ok() != Some(sum - own + 8 * 32) {
            return Err(fault(at, "there is no tar header"));
        }
        Ok(Some(header))
    }

    fn extension(
        &mut self,
        header: &Header,
        header_at: u64,
        size: u64,
        extensions: &mut Extensions,
    ) -> Result<(), WalkEnd> {
        let kind = header.entry_type();
        if kind.is_pax_global_extensions() || kind.is_gnu_longlink() {
            return self.pass(size);
        }
        if size > MAX_EXTENSION_BYTES {
            return Err(fault(header_at, "an extended header is too long"));
        }
        let mut content = vec![0; size as usize];
        self.read_exact(&mut content)?;
        self.skip(size.next_multiple_of(BLOCK) - size)?;
        if kind.is_gnu_longname() {
            let end = content.iter().position(|&byte| byte == 0);
            content.truncate(end.unwrap_or(content.len()));
            extensions.long_name = Some(content);
        } else {
            let records = PaxRecords::parse(&content);
            extensions.pax =
                records.ok_or_else(|| fault(header_at, "an extended header has no records"))?;
        }
        Ok(())
    }

    /// Passes over the list of pieces that goes on after the header of a member with holes.
    fn pass_sparse_headers(&mut self, header: &Header) -> Result<(), WalkEnd> {
        let mut goes_on = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
        while goes_on {
            if self.end - self.at < BLOCK {
                return Err(fault(self.at, "a header is cut short"));
            }
            let mut more = tar::GnuExtSparseHeader::new();
            self.read_exact(more.as_mut_bytes())?;
            goes_on = more.is_extended();
        }
        Ok(())
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> Result<(), WalkEnd> {
        self.reader.read_exact(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Goes on behind `bytes` of content and what fills up their last block.
    fn pass(&mut self, bytes: u64) -> Result<(), WalkEnd> {
        self.skip(bytes.next_multiple_of(BLOCK))
    }

    fn skip(&mut self, bytes: u64) -> Result<(), WalkEnd> {
        // The writer may have been cut off within the filling.
        let bytes = bytes.min(self.end.saturating_sub(self.at));
        let distance = i64::try_from(bytes).map_err(|_| fault(self.at, "a member is too long"))?;
        self.reader.seek_relative(distance)?;
        self.at += bytes;
        Ok(())
    }
}

fn fault(offset: u64, fault: &'static str) -> WalkEnd {
    WalkEnd::Fault { offset, fault }
}

fn is_extension(header: &Header) -> bool {
    let kind = header.entry_type();
    kind.is_gnu_longname()
        || kind.is_gnu_longlink()
        || kind.is_pax_local_extensions()
        || kind.is_pax_global_extensions()
}

fn storage(header: &Header, extensions: &Extensions) -> Storage {
    if extensions.pax.sparse {
        return Storage::Sparse;
    }
    match header.entry_type() {
        EntryType::Regular | EntryType::Continuous => Storage::Whole,
        EntryType::GNUSparse => Storage::Sparse,
        EntryType::Link | EntryType::Symlink => Storage::Link,
        _ => Storage::Nothing,
    }
}

#[cfg(test)]
mod tests;
