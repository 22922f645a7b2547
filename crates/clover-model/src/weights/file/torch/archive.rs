//! Checkpoints since PyTorch 1.6: a zip archive with the pickle and a file for each storage.
//!
//! A TorchScript program is such an archive, too: its parameters are read, and its code is left alone.

use clover_pickle::Pickle;

use super::super::source::Source;
use super::super::zip::{Archive, Stored};
use super::super::{Contents, FileFault};
use super::names::Named;
use super::{MAX_PICKLE_BYTES, Place, assemble};

const PICKLE: &str = "data.pkl";

/// `little` or `big`.
const MAX_BYTE_ORDER_BYTES: u64 = 16;

/// What the file holds.
pub(in super::super) fn contents(source: &Source) -> Result<Contents, FileFault> {
    let archive = Archive::open(source)?;
    let folder = folder(&archive)?;
    if let Some(order) = archive.entry(&format!("{folder}byteorder"))? {
        let order = entry_bytes(source, "the byte order", order, MAX_BYTE_ORDER_BYTES)?;
        if order.trim_ascii() == b"big" {
            return Err(FileFault::BigEndian);
        }
    }
    let stored = archive.entry(&format!("{folder}{PICKLE}"))?;
    let stored = stored.ok_or(FileFault::NoPickle)?;
    let bytes = entry_bytes(source, "the pickle", stored, MAX_PICKLE_BYTES)?;
    let pickle = Pickle::parse_checkpoint(&bytes)?;
    drop(bytes);
    assemble(Named::read(&pickle)?, |storage| {
        let name = format!("{folder}data/{}", storage.key);
        let stored = archive.entry(&name)?.ok_or(FileFault::Entry {
            entry: name,
            reason: "is missing, though a tensor is stored in it",
        })?;
        Ok(Place {
            start: stored.start,
            bytes: stored.bytes,
            checksum: stored.checksum,
        })
    })
}

/// The folder inside the archive, with its slash; its name is that of the file it was saved as.
fn folder(archive: &Archive<'_>) -> Result<String, FileFault> {
    let mut folders = archive
        .names()
        .filter_map(|name| name.strip_suffix(PICKLE))
        .filter(|folder| match folder.strip_suffix('/') {
            Some(name) => !name.contains('/'),
            None => folder.is_empty(),
        });
    match (folders.next(), folders.next()) {
        (Some(folder), None) => Ok(folder.to_owned()),
        (Some(_), Some(_)) => Err(FileFault::Zip {
            reason: "it has several pickles",
        }),
        (None, _) => Err(FileFault::NoPickle),
    }
}

fn entry_bytes(
    source: &Source,
    what: &'static str,
    stored: Stored,
    limit: u64,
) -> Result<Vec<u8>, FileFault> {
    let bytes = source.bytes(what, stored.start, stored.bytes, limit)?;
    match stored.checksum {
        Some(checksum) if checksum != crc32fast::hash(&bytes) => Err(FileFault::Checksum {
            what: what.to_owned(),
        }),
        _ => Ok(bytes),
    }
}
