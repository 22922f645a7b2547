//! Storages: what a pickle says of the bytes that stand outside it.

use std::fmt;

use burn::tensor::{BoolStore, DType};
use clover_pickle::{Node, Pickle, Place};

/// The type of the elements of a storage or tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StorageType {
    /// One that is read.
    Known(DType),
    /// Bytes of whatever type the tensor says.
    Untyped,
    /// Another, of elements of this size (if it is known), by PyTorch's name for it.
    Other { name: String, size: Option<u64> },
}

/// PyTorch's names, for elements (`torch.float32`) and for storages (`torch.FloatStorage`).
const TYPES: &[(&str, &str, DType)] = &[
    ("float64", "DoubleStorage", DType::F64),
    ("float32", "FloatStorage", DType::F32),
    ("float16", "HalfStorage", DType::F16),
    ("bfloat16", "BFloat16Storage", DType::BF16),
    ("int64", "LongStorage", DType::I64),
    ("int32", "IntStorage", DType::I32),
    ("int16", "ShortStorage", DType::I16),
    ("int8", "CharStorage", DType::I8),
    ("uint8", "ByteStorage", DType::U8),
    ("bool", "BoolStorage", DType::Bool(BoolStore::Native)),
    ("uint64", "", DType::U64),
    ("uint32", "", DType::U32),
    ("uint16", "", DType::U16),
];

const OTHERS: &[(&str, u64)] = &[
    ("ComplexDoubleStorage", 16),
    ("ComplexFloatStorage", 8),
    ("ComplexHalfStorage", 4),
    ("QInt8Storage", 1),
    ("QUInt8Storage", 1),
    ("QInt32Storage", 4),
];

impl StorageType {
    /// The type that a global stands for, if it is one of PyTorch's.
    pub(super) fn of(global: &str) -> Option<Self> {
        let name = global.strip_prefix("torch.")?;
        // The device is said a second time, beside the type.
        let name = name.strip_prefix("cuda.").unwrap_or(name);
        if matches!(
            name,
            "storage.UntypedStorage" | "storage._UntypedStorage" | "UntypedStorage"
        ) {
            return Some(Self::Untyped);
        }
        let is_it = |(element, storage, _): &&(&str, &str, _)| {
            *element == name || (*storage == name && !storage.is_empty())
        };
        if let Some((_, _, dtype)) = TYPES.iter().find(is_it) {
            return Some(Self::Known(*dtype));
        }
        let other = OTHERS.iter().find(|(other, _)| *other == name);
        Some(Self::Other {
            name: global.to_owned(),
            size: other.map(|(_, size)| *size),
        })
    }

    /// The bytes of an element.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::Known(dtype) => Some(dtype.size() as u64),
            Self::Untyped => Some(1),
            Self::Other { size, .. } => *size,
        }
    }
}

impl fmt::Display for StorageType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(dtype) => formatter.write_str(dtype.name()),
            Self::Untyped => formatter.write_str("bytes of no type"),
            Self::Other { name, .. } => formatter.write_str(name),
        }
    }
}

/// A storage, as the pickle names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    /// Its name outside the pickle.
    pub(super) key: String,
    pub(super) stored_as: StorageType,
    /// Its elements.
    elements: u64,
    /// The element where the part begins that tensors are counted from; checkpoints before PyTorch
    /// 0.4 had storages within storages.
    pub(super) view_offset: u64,
}

impl Storage {
    /// Its bytes by the pickle's word.
    pub(super) fn bytes(&self) -> Option<u64> {
        match self.stored_as.size() {
            Some(size) => self.elements.checked_mul(size),
            None => Some(0),
        }
    }

    /// Reads `('storage', type, key, device, elements)`, which older pickles end with a view
    /// `(key, offset, elements)` or nothing.
    pub(super) fn read(pickle: &Pickle, name: Place) -> Option<Self> {
        let Node::List(parts) = pickle.node(name) else {
            return None;
        };
        let (&[mark, stored_as, key, _device, elements], rest) = parts.split_first_chunk()?;
        if !matches!(pickle.node(mark), Node::Text(mark) if &**mark == "storage") {
            return None;
        }
        let Node::Global(global) = pickle.node(stored_as) else {
            return None;
        };
        let key = match pickle.node(key) {
            Node::Text(key) => key.to_string(),
            Node::Int(key) => key.to_string(),
            _ => return None,
        };
        let view = rest.first().map(|&view| pickle.node(view));
        let view_offset = match view {
            None | Some(Node::None) => 0,
            Some(Node::List(view)) => whole(pickle, *view.get(1)?)?,
            Some(_) => return None,
        };
        Some(Self {
            key,
            stored_as: StorageType::of(global)?,
            elements: whole(pickle, elements)?,
            view_offset,
        })
    }
}

/// A number that is not negative.
pub(super) fn whole(pickle: &Pickle, place: Place) -> Option<u64> {
    match pickle.node(place) {
        Node::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}
