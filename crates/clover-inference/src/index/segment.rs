//! A segment: rows of an index in one safetensors file, written once and never changed.
//!
//! | tensor | content |
//! |---|---|
//! | `embeddings` | `[rows, dim]`, f16 or f32, of unit length |
//! | `content` | `[rows]`, u32, the number of the content a row is of |
//! | `start_ms`, `end_ms` | `[rows]`, u32, the window; the whole clip where both are zero |
//!
//! The file's name says which commits its rows come from. A file whose commits all lie within those of
//! another is what a merge has not cleared away yet.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use safetensors::tensor::{Dtype, SafeTensors, View};

use super::settings::RowPrecision;
use crate::InferenceError;
use crate::bundle::write_whole;

const EXTENSION: &str = "safetensors";
const EMBEDDINGS: &str = "embeddings";
const CONTENT: &str = "content";
const START: &str = "start_ms";
const END: &str = "end_ms";
/// The checksum over all tensors, in the file's metadata.
const CHECKSUM: &str = "blake3";
/// Where tensors begin in the aligned buffer that a file is read into.
const WORD: usize = size_of::<u64>();

/// What a row is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// The number of its content; several files may have one content.
    pub content: u32,
    /// Start of its window in milliseconds.
    pub start_ms: u32,
    /// End of its window; the row is of the whole clip where both are zero.
    pub end_ms: u32,
}

impl RowKey {
    /// Whether the row is of the whole clip.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.end_ms == 0
    }
}

/// Rows that were read, in one buffer.
#[derive(Debug)]
pub(crate) struct Segment {
    words: Vec<u64>,
    embeddings: Range<usize>,
    pub(crate) keys: Vec<RowKey>,
    pub(crate) precision: RowPrecision,
    /// Of all tensors: what tells this segment from any other.
    pub(super) checksum: String,
}

/// Rows to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) keys: Vec<RowKey>,
    /// `[rows, dim]`.
    pub(super) values: Vec<f32>,
}

impl Rows {
    pub(super) fn push(&mut self, key: RowKey, row: &[f32]) {
        self.keys.push(key);
        self.values.extend_from_slice(row);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// The name of a segment: its first commit and its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SegmentFile {
    pub(super) path: PathBuf,
    pub(super) first: u64,
    pub(super) last: u64,
}

impl SegmentFile {
    pub(super) fn new(folder: &Path, first: u64, last: u64) -> Self {
        let path = folder.join(format!("{first:010}-{last:010}.{EXTENSION}"));
        Self { path, first, last }
    }

    fn of(path: PathBuf) -> Option<Self> {
        let stem = path.file_name()?.to_str()?.strip_suffix(EXTENSION)?;
        let (first, last) = stem.strip_suffix('.')?.split_once('-')?;
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some(Self { path, first, last })
    }
}

/// The segments of a folder in order, and the files that they replace or that no commit was finished
/// for.
#[derive(Debug, Default)]
pub(super) struct SegmentList {
    pub(super) live: Vec<SegmentFile>,
    pub(super) stale: Vec<PathBuf>,
}

impl SegmentList {
    /// Looks into a folder; segments of commits after `last_commit` were never finished.
    pub(super) fn of(folder: &Path, last_commit: u64) -> Result<Self, InferenceError> {
        let failed = |source| InferenceError::File {
            path: folder.to_owned(),
            source,
        };
        let mut list = Self::default();
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let partial = path.extension().is_some_and(|end| end == "partial");
            match SegmentFile::of(path.clone()) {
                Some(file) if file.last <= last_commit => found.push(file),
                Some(file) => list.stale.push(file.path),
                None if partial => list.stale.push(path),
                None => {}
            }
        }
        // The longer of two that begin alike comes first.
        found.sort_by_key(|file| (file.first, std::cmp::Reverse(file.last)));
        for file in found {
            match list.live.last() {
                Some(before) if file.last <= before.last => list.stale.push(file.path),
                _ => list.live.push(file),
            }
        }
        Ok(list)
    }
}

/// A tensor's bytes, for writing.
struct Bytes<'b> {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Cow<'b, [u8]>,
}

impl View for &Bytes<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Writes rows, whole or not at all.
///
/// # Errors
///
/// The file cannot be written.
pub(super) fn write_segment(
    file: &SegmentFile,
    rows: &Rows,
    dim: usize,
    precision: RowPrecision,
) -> Result<(), InferenceError> {
    let numbers = |of: fn(&RowKey) -> u32| -> Vec<u8> {
        rows.keys
            .iter()
            .flat_map(|key| of(key).to_le_bytes())
            .collect()
    };
    let (dtype, embeddings): (_, Vec<u8>) = match precision {
        RowPrecision::F32 => (
            Dtype::F32,
            rows.values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        ),
        RowPrecision::F16 => {
            let mut half = vec![f16::ZERO; rows.values.len()];
            half.convert_from_f32_slice(&rows.values);
            let bytes = half.into_iter().flat_map(f16::to_le_bytes).collect();
            (Dtype::F16, bytes)
        }
    };
    let count = rows.keys.len();
    let tensor = |dtype, shape, bytes: Vec<u8>| Bytes {
        dtype,
        shape,
        bytes: Cow::Owned(bytes),
    };
    let tensors = [
        (EMBEDDINGS, tensor(dtype, vec![count, dim], embeddings)),
        (
            CONTENT,
            tensor(Dtype::U32, vec![count], numbers(|key| key.content)),
        ),
        (
            START,
            tensor(Dtype::U32, vec![count], numbers(|key| key.start_ms)),
        ),
        (
            END,
            tensor(Dtype::U32, vec![count], numbers(|key| key.end_ms)),
        ),
    ];
    let checksum = checksum(tensors.iter().map(|(_, tensor)| &*tensor.bytes));
    let metadata = HashMap::from([(CHECKSUM.to_owned(), checksum)]);
    let named = tensors.iter().map(|(name, tensor)| (*name, tensor));
    let bytes = safetensors::serialize(named, Some(metadata)).map_err(|source| {
        InferenceError::Damaged {
            path: file.path.clone(),
            fault: source.to_string(),
        }
    })?;
    write_whole(&file.path, &bytes)
}

fn checksum<'b>(tensors: impl Iterator<Item = &'b [u8]>) -> String {
    let mut hasher = blake3::Hasher::new();
    for bytes in tensors {
        hasher.update(bytes);
    }
    hasher.finalize().to_hex().to_string()
}

impl Segment {
    /// Reads a segment and checks every byte of it.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is cut or changed, or has rows of another width.
    pub(super) fn read(
        path: &Path,
        dim: usize,
        precision: RowPrecision,
    ) -> Result<Self, InferenceError> {
        let failed = |source| InferenceError::File {
            path: path.to_owned(),
            source,
        };
        let damaged = |fault: &str| InferenceError::Damaged {
            path: path.to_owned(),
            fault: fault.to_owned(),
        };
        let mut file = File::open(path).map_err(failed)?;
        let bytes = file.seek(SeekFrom::End(0)).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let bytes = usize::try_from(bytes).map_err(|_| damaged("it is larger than the memory"))?;
        let mut words = vec![0_u64; bytes.div_ceil(WORD)];
        file.read_exact(&mut bytemuck::cast_slice_mut(&mut words)[..bytes])
            .map_err(failed)?;

        let all: &[u8] = &bytemuck::cast_slice(&words)[..bytes];
        let broken = |source: safetensors::SafeTensorError| damaged(&source.to_string());
        let (_, header) = SafeTensors::read_metadata(all).map_err(broken)?;
        let tensors = SafeTensors::deserialize(all).map_err(broken)?;
        let tensor = |name| tensors.tensor(name).map_err(broken);
        let embeddings = tensor(EMBEDDINGS)?;
        let columns = [tensor(CONTENT)?, tensor(START)?, tensor(END)?];
        let &[rows, width] = embeddings.shape() else {
            return Err(damaged("its rows have no width"));
        };
        let dtype = match precision {
            RowPrecision::F16 => Dtype::F16,
            RowPrecision::F32 => Dtype::F32,
        };
        if (width, embeddings.dtype()) != (dim, dtype) {
            return Err(damaged(&format!(
                "its rows are {width} numbers of {:?}, and the index has {dim} of {dtype:?}",
                embeddings.dtype()
            )));
        }
        let fits = |column: &safetensors::tensor::TensorView<'_>| {
            (column.dtype(), column.shape()) == (Dtype::U32, &[rows])
        };
        if !columns.iter().all(fits) {
            return Err(damaged("its columns do not have the length of its rows"));
        }
        let written = header
            .metadata()
            .as_ref()
            .and_then(|about| about.get(CHECKSUM));
        let data = std::iter::once(embeddings.data()).chain(columns.iter().map(|c| c.data()));
        let checksum = checksum(data);
        if written != Some(&checksum) {
            return Err(damaged(
                "its checksum does not fit its content; remove the file and run `clover index` \
                 again, which fills in what is missing",
            ));
        }
        let [content, start, end] = columns.map(|column| {
            let numbers = column.data().chunks_exact(4);
            let numbers = numbers.map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            numbers.collect::<Vec<u32>>()
        });
        let keys = content.into_iter().zip(start).zip(end);
        let keys = keys
            .map(|((content, start_ms), end_ms)| RowKey {
                content,
                start_ms,
                end_ms,
            })
            .collect();
        let start = embeddings.data().as_ptr() as usize - all.as_ptr() as usize;
        let embeddings = start..start + embeddings.data().len();
        if !start.is_multiple_of(size_of::<f32>()) {
            return Err(damaged("its rows do not lie at a multiple of four bytes"));
        }
        Ok(Self {
            words,
            embeddings,
            keys,
            precision,
            checksum,
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.keys.len()
    }

    /// The rows of the content that a row is of, which lie together.
    pub(super) fn run_of(&self, row: usize) -> Range<usize> {
        let other = |key: &RowKey| key.content != self.keys[row].content;
        let start = self.keys[..row].iter().rposition(other);
        let end = self.keys[row..].iter().position(other);
        start.map_or(0, |before| before + 1)..end.map_or(self.keys.len(), |rows| row + rows)
    }

    /// All rows as bytes, aligned for their type.
    fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[self.embeddings.clone()]
    }

    /// The bits of the rows where they are of half precision, empty otherwise.
    pub(crate) fn bits(&self) -> &[u16] {
        match self.precision {
            RowPrecision::F16 => bytemuck::try_cast_slice(self.bytes()).unwrap_or_default(),
            RowPrecision::F32 => &[],
        }
    }

    /// The rows where they are of single precision, empty otherwise.
    pub(crate) fn singles(&self) -> &[f32] {
        match self.precision {
            RowPrecision::F32 => bytemuck::try_cast_slice(self.bytes()).unwrap_or_default(),
            RowPrecision::F16 => &[],
        }
    }

    /// One row.
    pub(crate) fn row(&self, row: usize, dim: usize) -> Vec<f32> {
        let own = row * dim..(row + 1) * dim;
        match self.precision {
            RowPrecision::F16 => self.bits()[own].reinterpret_cast::<f16>().to_f32_vec(),
            RowPrecision::F32 => self.singles()[own].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        let mut rows = Rows::default();
        let key = |content, start_ms, end_ms| RowKey {
            content,
            start_ms,
            end_ms,
        };
        rows.push(key(3, 0, 0), &[0.5, -0.25]);
        rows.push(key(3, 0, 8_000), &[1.0, 0.0]);
        rows
    }

    fn written(folder: &Path, precision: RowPrecision) -> SegmentFile {
        let file = SegmentFile::new(folder, 1, 1);
        write_segment(&file, &rows(), 2, precision).unwrap();
        file
    }

    #[test]
    fn rows_read_back_as_written() {
        for precision in [RowPrecision::F16, RowPrecision::F32] {
            let folder = tempfile::tempdir().unwrap();
            let file = written(folder.path(), precision);

            let segment = Segment::read(&file.path, 2, precision).unwrap();

            assert_eq!(segment.keys, rows().keys);
            assert_eq!(
                [segment.row(0, 2), segment.row(1, 2)].concat(),
                rows().values
            );
        }
    }

    #[test]
    fn a_cut_or_changed_file_is_refused_by_name_wherever_it_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(folder.path(), RowPrecision::F16);
        let whole = fs::read(&file.path).unwrap();
        let refused = |bytes: &[u8]| {
            fs::write(&file.path, bytes).unwrap();
            let error = Segment::read(&file.path, 2, RowPrecision::F16).unwrap_err();
            assert!(
                error.to_string().contains("0000000001-0000000001"),
                "{error}"
            );
        };

        for length in 0..whole.len() {
            refused(&whole[..length]);
        }
        let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
        for bit in header * 8..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            refused(&flipped);
        }
    }

    #[test]
    fn a_flipped_bit_in_a_header_never_gives_other_rows() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(folder.path(), RowPrecision::F32);
        let whole = fs::read(&file.path).unwrap();
        let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;

        for bit in 0..header * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file.path, &flipped).unwrap();
            if let Ok(segment) = Segment::read(&file.path, 2, RowPrecision::F32) {
                assert_eq!(segment.keys, rows().keys);
                assert_eq!(segment.singles(), rows().values);
            }
        }
    }

    #[test]
    fn rows_of_another_width_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(folder.path(), RowPrecision::F16);

        let error = Segment::read(&file.path, 4, RowPrecision::F16).unwrap_err();

        assert!(error.to_string().contains("2 numbers"), "{error}");
    }

    #[test]
    fn merged_and_unfinished_segments_are_told_from_live_ones() {
        let folder = tempfile::tempdir().unwrap();
        let names = [(1, 1), (2, 2), (1, 2), (3, 3), (4, 4)];
        for (first, last) in names {
            fs::write(SegmentFile::new(folder.path(), first, last).path, "").unwrap();
        }
        fs::write(folder.path().join("x.safetensors.partial"), "").unwrap();

        let list = SegmentList::of(folder.path(), 3).unwrap();

        let live: Vec<_> = list
            .live
            .iter()
            .map(|file| (file.first, file.last))
            .collect();
        assert_eq!(live, [(1, 2), (3, 3)]);
        assert_eq!(list.stale.len(), 4);
    }
}
