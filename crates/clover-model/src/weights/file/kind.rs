//! What a file is, by its first bytes: its name may say anything.

use super::FileFault;
use super::source::Source;

/// The kinds that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// PyTorch's checkpoints since version 1.6.
    Zip,
    /// PyTorch's checkpoints before.
    LegacyTorch,
    /// Hugging Face's format.
    Safetensors,
    /// Hugging Face's list of which file holds which tensor.
    Index,
}

/// Enough for a tar header's mark, and to skip what stands before a page's first tag.
const LOOKED_AT: u64 = 1024;

/// A pickle of the number 0x1950a86a20f9469cfc6c.
pub(super) const LEGACY_MARK: &[u8] = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.";

/// What else is met under the name of weights, by its first bytes.
const OTHERS: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"\x93NUMPY", "an array of numpy"),
    (b"GGUF", "a GGUF file"),
    (b"\x80", "a pickle that PyTorch's `save` did not write"),
];

const PAGES: &[&[u8]] = &[
    b"<!doctype",
    b"<html",
    b"<head",
    b"<body",
    b"<?xml",
    b"<!--",
    b"<script",
    b"<error",
];

/// Says what a file is.
pub(super) fn of(source: &Source) -> Result<Kind, FileFault> {
    let start = source.up_to(0, LOOKED_AT)?;
    if start.is_empty() {
        return Err(FileFault::Empty);
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return Ok(Kind::Zip);
    }
    if start.starts_with(LEGACY_MARK) {
        return Ok(Kind::LegacyTorch);
    }
    // Eight bytes of length, then a JSON object.
    if start.get(8) == Some(&b'{') && start[5..8] == [0; 3] {
        return Ok(Kind::Safetensors);
    }
    if start.starts_with(b"version https://git-lfs.github.com/spec/") {
        return Err(FileFault::LfsPointer);
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    let text = text.trim_ascii_start();
    if text.first() == Some(&b'{') {
        return Ok(Kind::Index);
    }
    let is_page = |tag: &&[u8]| {
        let begin = text.get(..tag.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(tag))
    };
    if PAGES.iter().any(|tag| is_page(tag)) {
        return Err(FileFault::WebPage);
    }
    if start.get(257..262) == Some(b"ustar") {
        return Err(FileFault::OtherKind {
            kind: "a tar archive",
        });
    }
    match OTHERS.iter().find(|(mark, _)| start.starts_with(mark)) {
        Some((_, kind)) => Err(FileFault::OtherKind { kind }),
        None => Err(FileFault::Unknown),
    }
}
