//! Safetensors: eight bytes of length, a header in JSON, and the values without a gap.
//!
//! The `safetensors` crate wants the whole file in memory, and of two tensors with one name it keeps
//! the last.

use std::collections::HashSet;

use burn::tensor::{BoolStore, DType};
use serde::Deserialize;

use super::json::Pairs;
use super::source::Source;
use super::stored::{Location, StoredTensor, UnreadableTensor, count};
use super::{Contents, FileFault};

/// The limit of the format's own reader.
const MAX_HEADER_BYTES: u64 = 100_000_000;

const LENGTH_BYTES: u64 = 8;

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// What the file holds.
pub(super) fn contents(source: &Source) -> Result<Contents, FileFault> {
    let mut length = [0; LENGTH_BYTES as usize];
    source.contains("the header's length", 0, LENGTH_BYTES)?;
    source.read(0, &mut length)?;
    let length = u64::from_le_bytes(length);
    let header = source.bytes("the header", LENGTH_BYTES, length, MAX_HEADER_BYTES)?;
    let Pairs(entries): Pairs<Entry> =
        serde_json::from_slice(&header).map_err(|source| FileFault::Json {
            what: "header",
            source,
        })?;
    let start = LENGTH_BYTES + length;
    let mut names = HashSet::new();
    let mut spans = Vec::with_capacity(entries.len());
    let mut contents = Contents::default();
    for (name, entry) in entries {
        if !names.insert(name.clone()) {
            return Err(FileFault::Duplicate { name });
        }
        spans.push(entry.data_offsets);
        add(&mut contents, name, entry, start)?;
    }
    without_gaps(&mut spans, source.length() - start, source)?;
    Ok(contents)
}

fn add(contents: &mut Contents, name: String, entry: Entry, start: u64) -> Result<(), FileFault> {
    let Entry {
        dtype: stored_as,
        shape,
        data_offsets: (from, to),
    } = entry;
    let Some(elements) = count(&shape) else {
        let reason = "its shape has more elements than can be counted";
        return Err(FileFault::Tensor { name, reason });
    };
    let Some(bytes) = to.checked_sub(from) else {
        let reason = "its values end before they begin";
        return Err(FileFault::Tensor { name, reason });
    };
    let Some(dtype) = dtype(&stored_as) else {
        contents
            .unreadable
            .push(UnreadableTensor { name, stored_as });
        return Ok(());
    };
    if elements.checked_mul(dtype.size() as u64) != Some(bytes) {
        let reason = "its shape and type need another number of bytes than it has";
        return Err(FileFault::Tensor { name, reason });
    }
    let location = Location::contiguous(start.saturating_add(from), elements, &shape);
    let entry = StoredTensor { name, shape, dtype };
    contents.tensors.push((entry, location));
    Ok(())
}

/// The format leaves no byte unused and none used twice: what does not add up is damaged.
fn without_gaps(spans: &mut [(u64, u64)], length: u64, source: &Source) -> Result<(), FileFault> {
    spans.sort_unstable();
    let end = spans.last().map_or(0, |&(_, to)| to);
    source.contains("the last tensor", source.length() - length, end)?;
    let mut reached = 0;
    for &(from, to) in &*spans {
        if from != reached {
            return Err(FileFault::Gap {
                from: reached.min(from),
                to: reached.max(from),
            });
        }
        reached = to;
    }
    match reached == length {
        true => Ok(()),
        false => Err(FileFault::Gap {
            from: reached,
            to: length,
        }),
    }
}

fn dtype(stored_as: &str) -> Option<DType> {
    Some(match stored_as {
        "F64" => DType::F64,
        "F32" => DType::F32,
        "F16" => DType::F16,
        "BF16" => DType::BF16,
        "I64" => DType::I64,
        "I32" => DType::I32,
        "I16" => DType::I16,
        "I8" => DType::I8,
        "U64" => DType::U64,
        "U32" => DType::U32,
        "U16" => DType::U16,
        "U8" => DType::U8,
        "BOOL" => DType::Bool(BoolStore::Native),
        _ => return None,
    })
}
