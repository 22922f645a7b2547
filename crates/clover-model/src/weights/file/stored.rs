//! What a file says about a tensor, and its values as 32-bit floats.

use burn::tensor::{DType, TensorData, bf16, f16};

use super::FileFault;
use super::source::Source;
use crate::weights::WeightError;

/// Bytes that are read and converted at a time: they stay in the processor's cache.
const CHUNK_BYTES: u64 = 256 << 10;

/// What a file says about one of its tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTensor {
    /// Its name; names within each other are joined by a dot.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its type as stored.
    pub dtype: DType,
}

impl StoredTensor {
    /// The number of its values.
    #[must_use]
    pub fn elements(&self) -> u64 {
        count(&self.shape).unwrap_or(u64::MAX)
    }

    /// The bytes of its values as stored.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.elements().saturating_mul(self.dtype.size() as u64)
    }
}

/// A tensor of a type or form that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableTensor {
    /// Its name.
    pub name: String,
    /// Its type or form in the file's own words.
    pub stored_as: String,
}

/// Where the values of a tensor stand: a storage, which tensors may share, and a view of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    /// Which of the files.
    pub(super) source: usize,
    /// The byte where the storage starts.
    pub(super) start: u64,
    /// The elements of the storage; all of them lie in the file.
    pub(super) storage: u64,
    /// The element of the storage that comes first.
    pub(super) offset: u64,
    /// By how many elements of the storage one step along each axis moves on.
    pub(super) strides: Vec<u64>,
    /// The checksum (CRC-32) of the storage.
    pub(super) checksum: Option<u32>,
}

impl Location {
    /// Elements without a gap, the last axis fastest.
    pub(super) fn contiguous(start: u64, elements: u64, shape: &[usize]) -> Self {
        Self {
            source: 0,
            start,
            storage: elements,
            offset: 0,
            strides: row_major(shape),
            checksum: None,
        }
    }

    /// The elements from the first to the last that a tensor of this shape takes, or nothing if they
    /// reach beyond the storage.
    pub(super) fn extent(&self, shape: &[usize]) -> Option<u64> {
        if shape.contains(&0) {
            return Some(0);
        }
        let mut last = 0_u64;
        for (&size, &stride) in shape.iter().zip(&self.strides) {
            last = last.checked_add((size as u64 - 1).checked_mul(stride)?)?;
        }
        let extent = last.checked_add(1)?;
        (self.offset.checked_add(extent)? <= self.storage).then_some(extent)
    }
}

/// The elements of a shape, if they can be counted.
pub(super) fn count(shape: &[usize]) -> Option<u64> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape
        .iter()
        .try_fold(1_u64, |product, &size| product.checked_mul(size as u64))
}

fn row_major(shape: &[usize]) -> Vec<u64> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = (shape[axis] as u64).saturating_mul(strides[axis]);
    }
    strides
}

/// The values of a tensor, its elements in row-major order.
pub(super) fn floats(
    source: &Source,
    entry: &StoredTensor,
    location: &Location,
) -> Result<TensorData, WeightError> {
    let in_file = |fault: FileFault| fault.in_file(source.path());
    let Some(convert) = conversion(entry.dtype) else {
        let error = WeightError::NotAFloat {
            name: entry.name.clone(),
            found: entry.dtype.name().to_owned(),
        };
        return Err(error.in_file(source.path()));
    };
    let broken = |reason| {
        in_file(FileFault::Tensor {
            name: entry.name.clone(),
            reason,
        })
    };
    let Some(extent) = location.extent(&entry.shape) else {
        return Err(broken("it reaches beyond its storage"));
    };
    // A view that repeats its elements can make a terabyte of a byte.
    if entry.elements() > location.storage {
        return Err(broken("it repeats the elements of its storage"));
    }
    let values = read(source, entry, location, extent, convert).map_err(in_file)?;
    let strides = row_major(&entry.shape);
    let mut axes = entry
        .shape
        .iter()
        .zip(location.strides.iter().zip(&strides));
    let in_order = axes.all(|(&size, (stored, wanted))| size == 1 || stored == wanted);
    let values = match in_order || values.is_empty() {
        true => values,
        false => gather(&values, &entry.shape, &location.strides),
    };
    Ok(TensorData::new(values, entry.shape.clone()))
}

/// Reads `extent` elements and compares the checksum where they are the whole storage.
fn read(
    source: &Source,
    entry: &StoredTensor,
    location: &Location,
    extent: u64,
    convert: fn(&[u8], &mut Vec<f32>),
) -> Result<Vec<f32>, FileFault> {
    let size = entry.dtype.size() as u64;
    let checksum = location.checksum.filter(|_| extent == location.storage);
    let mut hasher = crc32fast::Hasher::new();
    let mut values = Vec::with_capacity(usize::try_from(extent).unwrap_or(usize::MAX));
    let mut offset = location.start + location.offset * size;
    let mut left = extent * size;
    let mut buffer = vec![0; CHUNK_BYTES.min(left) as usize];
    while left > 0 {
        let bytes = CHUNK_BYTES.min(left);
        let chunk = &mut buffer[..bytes as usize];
        source.read(offset, chunk)?;
        if checksum.is_some() {
            hasher.update(chunk);
        }
        convert(chunk, &mut values);
        offset += bytes;
        left -= bytes;
    }
    match checksum {
        Some(stored) if stored != hasher.finalize() => Err(FileFault::Checksum {
            what: format!("tensor `{}`", entry.name),
        }),
        _ => Ok(values),
    }
}

/// The elements in row-major order of a view that has another.
fn gather(stored: &[f32], shape: &[usize], strides: &[u64]) -> Vec<f32> {
    let elements: usize = shape.iter().product();
    let mut values = Vec::with_capacity(elements);
    let mut index = vec![0_usize; shape.len()];
    let mut place = 0_usize;
    for _ in 0..elements {
        values.push(stored[place]);
        for axis in (0..shape.len()).rev() {
            let stride = strides[axis] as usize;
            index[axis] += 1;
            place += stride;
            if index[axis] < shape[axis] {
                break;
            }
            place -= stride * shape[axis];
            index[axis] = 0;
        }
    }
    values
}

fn conversion(dtype: DType) -> Option<fn(&[u8], &mut Vec<f32>)> {
    Some(match dtype {
        DType::F32 => |bytes, values| extend(bytes, values, f32::from_le_bytes),
        DType::F64 => |bytes, values| extend(bytes, values, |b| f64::from_le_bytes(b) as f32),
        DType::F16 => |bytes, values| extend(bytes, values, |b| f16::from_le_bytes(b).to_f32()),
        DType::BF16 => |bytes, values| extend(bytes, values, |b| bf16::from_le_bytes(b).to_f32()),
        _ => return None,
    })
}

fn extend<const N: usize>(bytes: &[u8], values: &mut Vec<f32>, value: impl Fn([u8; N]) -> f32) {
    let (elements, _) = bytes.as_chunks::<N>();
    values.extend(elements.iter().map(|&element| value(element)));
}
