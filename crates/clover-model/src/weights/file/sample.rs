//! Files of weights made by hand, byte by byte, as PyTorch and safetensors write them.

use std::fs;
use std::path::PathBuf;

use super::WeightFile;
use super::kind::LEGACY_MARK;
use crate::weights::WeightError;

/// A folder for one test's files.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// Opens a file with these bytes.
pub(super) fn open(bytes: impl AsRef<[u8]>) -> Result<WeightFile, WeightError> {
    WeightFile::from_bytes(bytes.as_ref().to_vec())
}

/// Why a file with these bytes is refused, with all causes.
pub(super) fn refusal(bytes: impl AsRef<[u8]>) -> String {
    message(&open(bytes).unwrap_err())
}

pub(super) fn message(error: &WeightError) -> String {
    let mut error: &dyn std::error::Error = error;
    let mut message = error.to_string();
    while let Some(source) = error.source() {
        message = format!("{message}: {source}");
        error = source;
    }
    message
}

pub(super) fn values(file: &WeightFile, name: &str) -> Vec<f32> {
    file.data(name).unwrap().to_vec().unwrap()
}

/// The bytes of 32-bit floats.
pub(super) fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

pub(super) fn text(text: &str) -> Vec<u8> {
    [
        b"X",
        &(text.len() as u32).to_le_bytes()[..],
        text.as_bytes(),
    ]
    .concat()
}

pub(super) fn int(number: i64) -> Vec<u8> {
    [b"\x8a\x08", &number.to_le_bytes()[..]].concat()
}

pub(super) fn global(module: &str, name: &str) -> Vec<u8> {
    format!("c{module}\n{name}\n").into_bytes()
}

pub(super) fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

pub(super) fn call(function: Vec<u8>, arguments: &[Vec<u8>]) -> Vec<u8> {
    [function, tuple(arguments), b"R".to_vec()].concat()
}

pub(super) fn dict(pairs: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let pairs: Vec<u8> = pairs
        .iter()
        .flat_map(|(key, value)| [text(key), value.clone()].concat())
        .collect();
    [b"}(", &pairs[..], b"u"].concat()
}

/// A reference to a storage of this many elements.
pub(super) fn storage(class: &str, key: &str, elements: i64) -> Vec<u8> {
    let name = [
        text("storage"),
        global("torch", class),
        text(key),
        text("cpu"),
        int(elements),
    ];
    [tuple(&name), b"Q".to_vec()].concat()
}

/// A view of a storage.
pub(super) fn view(storage: Vec<u8>, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let numbers = |list: &[i64]| tuple(&list.iter().map(|&n| int(n)).collect::<Vec<_>>());
    let hooks = call(global("collections", "OrderedDict"), &[]);
    let arguments = [
        storage,
        int(offset),
        numbers(shape),
        numbers(strides),
        b"\x89".to_vec(),
        hooks,
    ];
    call(global("torch._utils", "_rebuild_tensor_v2"), &arguments)
}

/// A pickle of one value.
pub(super) fn pickle(value: &[u8]) -> Vec<u8> {
    [b"\x80\x02", value, b"."].concat()
}

/// A checkpoint since PyTorch 1.6.
pub(super) fn archive(value: &[u8], storages: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut entries = vec![
        Entry::new("model/data.pkl", pickle(value)),
        Entry::new("model/byteorder", "little"),
    ];
    for (key, bytes) in storages {
        entries.push(Entry::new(&format!("model/data/{key}"), bytes));
    }
    entries.push(Entry::new("model/version", "3\n"));
    zip(&entries)
}

/// A checkpoint before PyTorch 1.6; storages are key, elements and bytes.
pub(super) fn legacy(value: &[u8], storages: &[(&str, u64, Vec<u8>)]) -> Vec<u8> {
    let keys: Vec<_> = storages.iter().map(|(key, ..)| text(key)).collect();
    let machine = [b"}", &text("little_endian")[..], b"\x88s"].concat();
    let mut bytes = [
        LEGACY_MARK.to_vec(),
        pickle(&int(1001)),
        pickle(&machine),
        pickle(value),
        pickle(&[b"](", &keys.concat()[..], b"e"].concat()),
    ]
    .concat();
    for (_, elements, values) in storages {
        bytes.extend(elements.to_le_bytes());
        bytes.extend(values);
    }
    bytes
}

pub(super) fn safetensors(header: &str, values: &[u8]) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), values].concat()
}

/// An entry of an archive, and what its directory says of it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) claimed: u32,
    pub(super) method: u16,
    pub(super) checksum: u32,
}

impl Entry {
    pub(super) fn new(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref().to_vec();
        Self {
            name: name.to_owned(),
            claimed: bytes.len() as u32,
            method: 0,
            checksum: crc32fast::hash(&bytes),
            bytes,
        }
    }

    /// What header and directory have in common, and the name.
    fn facts(&self) -> Vec<u8> {
        let mut facts = [0_u16, self.method, 0, 0].map(u16::to_le_bytes).concat();
        facts.extend(self.checksum.to_le_bytes());
        facts.extend(self.claimed.to_le_bytes());
        facts.extend(self.claimed.to_le_bytes());
        facts.extend((self.name.len() as u16).to_le_bytes());
        facts
    }
}

pub(super) fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let header = bytes.len() as u32;
        bytes.extend(b"PK\x03\x04\0\0");
        bytes.extend(entry.facts());
        bytes.extend(0_u16.to_le_bytes());
        bytes.extend(entry.name.as_bytes());
        bytes.extend(&entry.bytes);
        directory.extend(b"PK\x01\x02\0\0\0\0");
        directory.extend(entry.facts());
        directory.extend([0; 12]);
        directory.extend(header.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let place = bytes.len() as u32;
    let size = directory.len() as u32;
    let count = (entries.len() as u16).to_le_bytes();
    bytes.extend(directory);
    bytes.extend([b"PK\x05\x06\0\0\0\0", &count[..], &count].concat());
    bytes.extend([size.to_le_bytes(), place.to_le_bytes()].concat());
    bytes.extend([0, 0]);
    bytes
}
