//! Checkpoints before PyTorch 1.6: pickles one after the other, then the storages.
//!
//! The pickles are a mark, the version, facts about the machine, the checkpoint, and the list of the
//! storages' keys. Each storage is the number of its elements in eight bytes, and its elements.

use std::collections::HashMap;

use clover_pickle::{Node, Pickle, PickleError, PickleFault};

use super::super::kind::LEGACY_MARK;
use super::super::source::Source;
use super::super::{Contents, FileFault};
use super::names::Named;
use super::storage::Storage;
use super::{MAX_PICKLE_BYTES, Place, assemble};

/// The version of all files of this form.
const VERSION: i64 = 1001;

/// What is tried first; a pickle that is longer is read again with more.
const FIRST_TRY_BYTES: u64 = 1 << 20;
const GROWTH: u64 = 8;

const COUNT_BYTES: u64 = 8;

/// What the file holds.
pub(in super::super) fn contents(source: &Source) -> Result<Contents, FileFault> {
    let mut offset = LEGACY_MARK.len() as u64;
    let version = next(source, &mut offset)?;
    if *version.node(version.root()) != Node::Int(VERSION) {
        return Err(FileFault::OtherKind {
            kind: "a checkpoint of another version",
        });
    }
    let machine = next(source, &mut offset)?;
    if is_big_endian(&machine) {
        return Err(FileFault::BigEndian);
    }
    let pickle = next(source, &mut offset)?;
    let keys = next(source, &mut offset)?;
    let places = places(source, &pickle, &keys, offset)?;
    assemble(Named::read(&pickle)?, |storage| {
        places.get(&storage.key).copied().ok_or(FileFault::Storages)
    })
}

/// Reads the pickle at `offset`, and moves on to what follows.
fn next(source: &Source, offset: &mut u64) -> Result<Pickle, FileFault> {
    let mut most = FIRST_TRY_BYTES;
    loop {
        let bytes = source.up_to(*offset, most)?;
        let is_all = *offset + bytes.len() as u64 == source.length();
        match Pickle::parse_checkpoint(&bytes) {
            Ok(pickle) => {
                *offset += pickle.length() as u64;
                return Ok(pickle);
            }
            Err(PickleError {
                fault: PickleFault::Truncated,
                ..
            }) if !is_all && most < MAX_PICKLE_BYTES => {
                most = most.saturating_mul(GROWTH).min(MAX_PICKLE_BYTES);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_big_endian(machine: &Pickle) -> bool {
    let Node::Dict(facts) = machine.node(machine.root()) else {
        return false;
    };
    facts.iter().any(|&(key, value)| {
        matches!(machine.node(key), Node::Text(key) if &**key == "little_endian")
            && *machine.node(value) == Node::Bool(false)
    })
}

/// Where each storage stands: they follow each other in the order of the keys.
fn places(
    source: &Source,
    pickle: &Pickle,
    keys: &Pickle,
    mut offset: u64,
) -> Result<HashMap<String, Place>, FileFault> {
    let sizes = element_sizes(pickle)?;
    let Node::List(keys_in_order) = keys.node(keys.root()) else {
        return Err(FileFault::Storages);
    };
    let mut places = HashMap::new();
    for &key in keys_in_order {
        let key = match keys.node(key) {
            Node::Text(key) => key.to_string(),
            Node::Int(key) => key.to_string(),
            _ => return Err(FileFault::Storages),
        };
        let size = *sizes.get(&key).ok_or(FileFault::Storages)?;
        source.contains("a storage", offset, COUNT_BYTES)?;
        let mut elements = [0; COUNT_BYTES as usize];
        source.read(offset, &mut elements)?;
        let bytes = u64::from_le_bytes(elements)
            .checked_mul(size)
            .ok_or(FileFault::Storages)?;
        let start = offset + COUNT_BYTES;
        source.contains("a storage", start, bytes)?;
        let place = Place {
            start,
            bytes,
            checksum: None,
        };
        if places.insert(key, place).is_some() {
            return Err(FileFault::Storages);
        }
        offset = start + bytes;
    }
    Ok(places)
}

/// The bytes of an element of each storage that the pickle names, in whatever object.
fn element_sizes(pickle: &Pickle) -> Result<HashMap<String, u64>, FileFault> {
    let mut sizes = HashMap::new();
    for node in pickle.nodes() {
        let Node::Persistent(name) = node else {
            continue;
        };
        let Some(storage) = Storage::read(pickle, *name) else {
            continue;
        };
        let Some(size) = storage.stored_as.size() else {
            return Err(FileFault::Storages);
        };
        if sizes
            .insert(storage.key, size)
            .is_some_and(|known| known != size)
        {
            return Err(FileFault::Storages);
        }
    }
    Ok(sizes)
}
