//! The zip archives that PyTorch writes: entries as they are, none compressed.
//!
//! Sizes and places come from the directory at the end, as in every reader of zip; each is compared
//! with the file and with the entry's own header.

use std::collections::HashMap;

use super::FileFault;
use super::source::Source;

const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const LONG_END_LOCATOR: &[u8] = b"PK\x06\x07";
const LONG_END_LOCATOR_BYTES: u64 = 20;
const LONG_END: &[u8] = b"PK\x06\x06";
const LONG_END_BYTES: u64 = 56;
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
const DIRECTORY_ENTRY_BYTES: usize = 46;
const HEADER: &[u8] = b"PK\x03\x04";
const HEADER_BYTES: u64 = 30;

/// What stands in place of a number that does not fit in 16 or 32 bits.
const ELSEWHERE_16: u64 = 0xffff;
const ELSEWHERE_32: u64 = 0xffff_ffff;

/// 600,000 entries.
const MAX_DIRECTORY_BYTES: u64 = 64 << 20;

/// An archive's directory.
#[derive(Debug)]
pub(super) struct Archive<'s> {
    source: &'s Source,
    entries: HashMap<String, Entry>,
    /// Where the directory starts: all entries lie before it.
    directory: u64,
}

/// What the directory says of an entry.
#[derive(Clone, Copy, Debug)]
struct Entry {
    header: u64,
    bytes: u64,
    checksum: Option<u32>,
    is_stored: bool,
}

/// Where the bytes of an entry stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) start: u64,
    pub(super) bytes: u64,
    /// Nothing where the writer left it out.
    pub(super) checksum: Option<u32>,
}

impl<'s> Archive<'s> {
    /// Reads the directory.
    pub(super) fn open(source: &'s Source) -> Result<Self, FileFault> {
        let (entries, bytes, directory) = directory_place(source)?;
        let listed = source.bytes(
            "the archive's directory",
            directory,
            bytes,
            MAX_DIRECTORY_BYTES,
        )?;
        let mut archive = Self {
            source,
            entries: HashMap::new(),
            directory,
        };
        let mut rest = listed.as_slice();
        while !rest.is_empty() {
            rest = archive.add(rest)?;
        }
        match archive.entries.len() as u64 == entries {
            true => Ok(archive),
            false => Err(broken("its directory has another number of entries")),
        }
    }

    /// The names of its entries.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Where an entry stands; its own header must agree with the directory.
    pub(super) fn entry(&self, name: &str) -> Result<Option<Stored>, FileFault> {
        let Some(entry) = self.entries.get(name) else {
            return Ok(None);
        };
        let refused = |reason| FileFault::Entry {
            entry: name.to_owned(),
            reason,
        };
        if !entry.is_stored {
            return Err(refused(
                "is compressed or encrypted, which PyTorch's are not",
            ));
        }
        let bytes = HEADER_BYTES + name.len() as u64;
        let header = self
            .source
            .bytes("an entry's header", entry.header, bytes, bytes)?;
        let own_name = &header[HEADER_BYTES as usize..];
        let lengths = number(&header, 26, 2) == name.len() as u64;
        if !header.starts_with(HEADER) || !lengths || own_name != name.as_bytes() {
            return Err(refused("is not where the directory says"));
        }
        let start = entry.header + bytes + number(&header, 28, 2);
        let end = start.saturating_add(entry.bytes);
        match end > self.directory {
            true => Err(refused("reaches beyond the archive's contents")),
            false => Ok(Some(Stored {
                start,
                bytes: entry.bytes,
                checksum: entry.checksum,
            })),
        }
    }

    /// Takes the first entry of the directory and returns the rest.
    fn add<'b>(&mut self, listed: &'b [u8]) -> Result<&'b [u8], FileFault> {
        let cut = || broken("its directory is cut short");
        let (fixed, rest) = listed
            .split_at_checked(DIRECTORY_ENTRY_BYTES)
            .ok_or_else(cut)?;
        if !fixed.starts_with(DIRECTORY_ENTRY) {
            return Err(broken("its directory is damaged"));
        }
        let part = |offset| number(fixed, offset, 2) as usize;
        let (name, rest) = rest.split_at_checked(part(28)).ok_or_else(cut)?;
        let (extra, rest) = rest.split_at_checked(part(30)).ok_or_else(cut)?;
        let (_comment, rest) = rest.split_at_checked(part(32)).ok_or_else(cut)?;
        let name = std::str::from_utf8(name).map_err(|_| broken("a name is no text"))?;
        let [bytes, packed, header] = long_numbers(fixed, extra)?;
        let is_encrypted = number(fixed, 8, 2) & 1 != 0;
        let checksum = number(fixed, 16, 4) as u32;
        let entry = Entry {
            header,
            bytes,
            // PyTorch can be told not to compute any, and writes a zero.
            checksum: (checksum != 0).then_some(checksum),
            is_stored: number(fixed, 10, 2) == 0 && !is_encrypted && packed == bytes,
        };
        match self.entries.insert(name.to_owned(), entry) {
            Some(_) => Err(FileFault::Entry {
                entry: name.to_owned(),
                reason: "is there twice",
            }),
            None => Ok(rest),
        }
    }
}

/// The number of entries, and the size and place of the directory.
fn directory_place(source: &Source) -> Result<(u64, u64, u64), FileFault> {
    let tail_bytes = (END_BYTES as u64 + ELSEWHERE_16).min(source.length());
    let tail_start = source.length() - tail_bytes;
    let tail = source.up_to(tail_start, tail_bytes)?;
    // A comment may follow, and must reach to the end exactly.
    let is_end = |place: &usize| {
        let end = &tail[*place..];
        end.starts_with(END) && END_BYTES as u64 + number(end, 20, 2) == end.len() as u64
    };
    let last = tail.len().checked_sub(END_BYTES);
    let place = last.and_then(|last| (0..=last).rev().find(is_end));
    let Some(place) = place else {
        return Err(broken("its end is missing, is the file cut short?"));
    };
    let end = &tail[place..];
    let mut found = (number(end, 10, 2), number(end, 12, 4), number(end, 16, 4));
    let mut limit = tail_start + place as u64;
    if found.0 == ELSEWHERE_16 || found.1 == ELSEWHERE_32 || found.2 == ELSEWHERE_32 {
        (found, limit) = long_end(source, limit)?;
    }
    let (entries, bytes, directory) = found;
    match directory.checked_add(bytes) {
        Some(end) if end <= limit => Ok((entries, bytes, directory)),
        _ => Err(broken("its directory reaches beyond its end")),
    }
}

/// The same of archives that are too large for the plain end, and where that end stands.
fn long_end(source: &Source, end: u64) -> Result<((u64, u64, u64), u64), FileFault> {
    let missing = || broken("the end for large archives is missing");
    let locator = end
        .checked_sub(LONG_END_LOCATOR_BYTES)
        .ok_or_else(missing)?;
    let bytes = LONG_END_LOCATOR_BYTES;
    let locator = source.bytes("the archive's end", locator, bytes, bytes)?;
    if !locator.starts_with(LONG_END_LOCATOR) {
        return Err(missing());
    }
    let place = number(&locator, 8, 8);
    let long = source.bytes("the archive's end", place, LONG_END_BYTES, LONG_END_BYTES)?;
    if !long.starts_with(LONG_END) {
        return Err(missing());
    }
    let found = (
        number(&long, 32, 8),
        number(&long, 40, 8),
        number(&long, 48, 8),
    );
    Ok((found, place))
}

/// Size, packed size and header's place of a directory entry; those too large for it stand in its
/// extra field, in this order.
fn long_numbers(fixed: &[u8], extra: &[u8]) -> Result<[u64; 3], FileFault> {
    let mut numbers = [24, 20, 42].map(|offset| number(fixed, offset, 4));
    if !numbers.contains(&ELSEWHERE_32) {
        return Ok(numbers);
    }
    let mut rest = extra;
    while let Some((head, after)) = rest.split_at_checked(4) {
        let length = number(head, 2, 2) as usize;
        let Some((mut field, after)) = after.split_at_checked(length) else {
            break;
        };
        if number(head, 0, 2) == 1 {
            for wanted in numbers.iter_mut().filter(|found| **found == ELSEWHERE_32) {
                let Some((value, others)) = field.split_at_checked(8) else {
                    return Err(broken("the size of a large entry is missing"));
                };
                *wanted = number(value, 0, 8);
                field = others;
            }
            return Ok(numbers);
        }
        rest = after;
    }
    Err(broken("the size of a large entry is missing"))
}

/// A little-endian number of `width` bytes, which are there.
fn number(bytes: &[u8], offset: usize, width: usize) -> u64 {
    let digits = bytes[offset..offset + width].iter().rev();
    digits.fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn broken(reason: &'static str) -> FileFault {
    FileFault::Zip { reason }
}
