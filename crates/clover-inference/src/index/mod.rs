//! An index: the embeddings of a library of videos, a row a window, in a folder.
//!
//! | file | content |
//! |---|---|
//! | `index.toml` | the bundle, the windows and the sources ([`IndexSettings`]) |
//! | `files.jsonl` | what became of every clip, a journal ([`Library`]) |
//! | `segments/*.safetensors` | rows, written once and never changed |
//! | `approximate.safetensors` | lists of near rows ([`InvertedFile`]), where they were asked for |
//! | `lock` | who writes to it |

mod contents;
mod inverted_file;
mod library;
mod plan;
mod reading;
mod scan;
mod segment;
mod settings;
mod source;
mod windows;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use inverted_file::InvertedFile;
pub use library::{ClipKey, ClipRecord, ClipState, Library};
pub use plan::IndexSource;
pub use segment::RowKey;
use segment::Segment;
pub use settings::{INDEX_FORMAT, IndexSettings, RowPrecision, is_index};
pub use source::LibrarySource;
pub use windows::WindowSettings;
pub use writer::{IndexEvent, IndexProgress, IndexWriter, UpdateOptions, UpdateSummary, WindowRow};

use burn::prelude::*;
use clover_data::dataset::ClipTable;
use clover_data::files::without_detours;
use clover_data::video::{ClipSource, Span};
use rayon::prelude::*;

use crate::{Bundle, Embeddings, InferenceError, bundle_checksum};

const SEGMENTS: &str = "segments";
/// A writer may merge segments while they are being opened; then they are listed again.
const TRIES: usize = 5;

/// An index, read into memory to be searched.
#[derive(Debug)]
pub struct VideoIndex {
    folder: PathBuf,
    settings: IndexSettings,
    library: Library,
    segments: Vec<Segment>,
    /// The clips of each content; rows of other contents are of clips that are gone.
    clips: BTreeMap<u32, Vec<ClipKey>>,
    inverted_file: Option<InvertedFile>,
    /// Shards whose samples were looked at again: their headers are read once.
    opened: Mutex<BTreeMap<usize, Arc<Samples>>>,
}

/// The samples of shards, by name.
#[derive(Debug)]
struct Samples {
    table: ClipTable,
    rows: HashMap<String, usize>,
}

impl Samples {
    fn of(table: ClipTable) -> Self {
        // Of two alike, the first.
        let rows = (0..table.len()).rev().map(|row| (table.clip(row), row));
        Self {
            rows: rows.collect(),
            table,
        }
    }
}

impl VideoIndex {
    /// Reads an index; one that is being written to is read as it was at its last commit.
    ///
    /// # Errors
    ///
    /// The folder is no index, or one of another format version; or a file is damaged.
    pub fn open(folder: &Path) -> Result<Self, InferenceError> {
        let settings = IndexSettings::read(folder)?;
        let (library, segments) = read_segments(folder, &settings)?;
        let clips = library.clips_of_contents();
        Ok(Self {
            folder: folder.to_owned(),
            settings,
            library,
            segments,
            clips,
            inverted_file: None,
            opened: Mutex::default(),
        })
    }

    /// Reads the bundle that the index was made with.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is no longer the same.
    pub fn bundle<B: Backend>(&self, device: &B::Device) -> Result<Bundle<B>, InferenceError> {
        let folder = &self.settings.bundle;
        let bundle = Bundle::read(folder, device)?;
        if bundle_checksum(folder)? == self.settings.bundle_checksum {
            return Ok(bundle);
        }
        Err(InferenceError::OtherIndex {
            index: self.folder.clone(),
            reason: format!(
                "the bundle {} was changed since the index was made: build the index anew (`--rebuild`)",
                folder.display()
            ),
        })
    }

    /// Sorts all rows into lists for approximate search and writes these beside the index, in place of
    /// those that are there. Texts like those that will be searched for, in `queries`, decide how many
    /// lists a search looks into; rows of the index do where there are none.
    ///
    /// # Errors
    ///
    /// The index has no rows, or the file cannot be written.
    pub fn build_inverted_file(&self, queries: &Embeddings) -> Result<(), InferenceError> {
        InvertedFile::build(&self.folder, &self.segments, self.settings.dim, queries)
    }

    /// Reads the lists for approximate search, if the index has any.
    ///
    /// # Errors
    ///
    /// Their file is damaged.
    pub fn read_inverted_file(&mut self) -> Result<Option<&InvertedFile>, InferenceError> {
        let dim = self.settings.dim;
        self.inverted_file = InvertedFile::read(&self.folder, &self.segments, dim)?;
        Ok(self.inverted_file.as_ref())
    }

    /// The lists for approximate search, once they were [read](Self::read_inverted_file).
    pub fn inverted_file(&self) -> Option<&InvertedFile> {
        self.inverted_file.as_ref()
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it was made with.
    pub fn settings(&self) -> &IndexSettings {
        &self.settings
    }

    /// What it knows of every clip.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The number of the commit that it was read at.
    pub(crate) fn last_commit(&self) -> u64 {
        self.library.last_commit()
    }

    /// Rows in all, those of clips that are gone among them.
    pub fn rows(&self) -> usize {
        self.segments.iter().map(Segment::rows).sum()
    }

    /// What every row is of, and the row.
    pub fn each_row(&self) -> impl Iterator<Item = (RowKey, Vec<f32>)> {
        let dim = self.settings.dim;
        self.segments.iter().flat_map(move |segment| {
            let rows = segment.keys.iter().enumerate();
            rows.map(move |(row, &key)| (key, segment.row(row, dim)))
        })
    }

    /// The clips that have a content; several where a file was copied.
    pub fn clips_of(&self, content: u32) -> &[ClipKey] {
        self.clips.get(&content).map_or(&[], Vec::as_slice)
    }

    /// Where a clip lies; of shards, the name of the sample.
    pub fn path_of(&self, clip: &ClipKey) -> PathBuf {
        let Some(source) = self.settings.sources.get(clip.source) else {
            return PathBuf::from(&clip.path);
        };
        without_detours(&source.join(&clip.path))
    }

    /// What a clip is read from, and the part of it that is meant.
    ///
    /// # Errors
    ///
    /// It is no longer there, or cannot be read.
    pub fn open_clip(&self, clip: &ClipKey) -> Result<(ClipSource, Option<Span>), InferenceError> {
        let path = self.path_of(clip);
        if path.exists() {
            return Ok((ClipSource::Path(path), clip.span()));
        }
        // A sample of a shard is found by its name.
        let gone = || InferenceError::File {
            path: path.clone(),
            source: std::io::Error::from(std::io::ErrorKind::NotFound),
        };
        let source = self.settings.sources.get(clip.source).ok_or_else(gone)?;
        let samples = {
            // Nothing is left half done where a thread that held it ended.
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            match opened.get(&clip.source) {
                Some(samples) => samples.clone(),
                None => {
                    let samples = Arc::new(Samples::of(source.open(&|_, _| ())?));
                    opened.insert(clip.source, samples.clone());
                    samples
                }
            }
        };
        let row = samples.rows.get(&clip.path).copied().ok_or_else(gone)?;
        let read = samples.table.read(row)?;
        Ok((read.clip, read.span))
    }

    /// The embedding of a clip of the index, of unit length, from its rows: of a span the mean of the windows
    /// that lie in it, and otherwise the row for all of it. None where it has no rows.
    #[must_use]
    pub fn embedding(&self, clip: &ClipKey, span: Option<Span>) -> Option<Vec<f32>> {
        let content = self.library.record(clip)?.content?;
        let mut rows = Vec::new();
        for segment in &self.segments {
            let own = segment.keys.iter().enumerate();
            let own = own.filter(|(_, key)| key.content == content);
            rows.extend(own.map(|(row, key)| (*key, segment.row(row, self.settings.dim))));
        }
        let within = |key: &RowKey| {
            span.is_some_and(|span| {
                !key.is_whole()
                    && span.start() <= u64::from(key.start_ms)
                    && u64::from(key.end_ms) <= span.end()
            })
        };
        let chosen: Vec<_> = match rows.iter().any(|(key, _)| within(key)) {
            true => rows.iter().filter(|(key, _)| within(key)).collect(),
            false => rows.iter().filter(|(key, _)| key.is_whole()).collect(),
        };
        let chosen = if chosen.is_empty() {
            rows.iter().collect()
        } else {
            chosen
        };
        let mut mean = vec![0.0_f32; self.settings.dim];
        for (_, row) in &chosen {
            mean.iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += value);
        }
        let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
        mean.iter_mut().for_each(|value| *value /= length.max(1e-8));
        (!chosen.is_empty()).then_some(mean)
    }

    /// What every row is of, in their order.
    pub fn keys(&self) -> impl Iterator<Item = RowKey> + Clone {
        self.segments
            .iter()
            .flat_map(|segment| segment.keys.iter().copied())
    }

    /// The keys and scores of each segment.
    pub(crate) fn parts<'i>(&'i self, scores: &'i [f32]) -> Vec<(&'i [RowKey], &'i [f32])> {
        let mut rest = scores;
        let parts = self.segments.iter().map(|segment| {
            let (own, others) = rest.split_at(segment.rows());
            rest = others;
            (segment.keys.as_slice(), own)
        });
        parts.collect()
    }

    /// So many of the best rows among those that the lists give, with their scores; none where the lists
    /// were not [read](Self::read_inverted_file).
    pub fn near_rows(&self, query: &[f32], count: usize) -> Vec<(RowKey, f32)> {
        let mut near = self.near(query);
        near.truncate(count);
        let rows = near.into_iter().map(|(place, score)| {
            let segment = &self.segments[place.segment as usize];
            (segment.keys[place.row as usize], score)
        });
        rows.collect()
    }

    /// Rows that the lists give, the best first.
    fn near(&self, query: &[f32]) -> Vec<(scan::RowPlace, f32)> {
        let lists = self.inverted_file.as_ref();
        let mut near = lists.map_or_else(Vec::new, |lists| lists.candidates(&self.segments, query));
        near.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near
    }

    /// All rows, and their scores, of so many contents that have a row among those that the lists give;
    /// of fewer where these give fewer, and none where there are no lists.
    pub(crate) fn near_parts(&self, query: &[f32], contents: usize) -> Vec<(&[RowKey], Vec<f32>)> {
        let mut runs = BTreeMap::<(usize, usize), usize>::new();
        for (place, _) in self.near(query) {
            let (segment, row) = (place.segment as usize, place.row as usize);
            let run = self.segments[segment].run_of(row);
            runs.insert((segment, run.start), run.end);
            if runs.len() == contents {
                break;
            }
        }
        let parts = runs.into_iter().map(|((segment, start), end)| {
            let places = (start..end).map(|row| scan::RowPlace {
                segment: segment as u32,
                row: row as u32,
            });
            let scores = scan::scan_some(&self.segments, &places.collect::<Vec<_>>(), query);
            (&self.segments[segment].keys[start..end], scores)
        });
        parts.collect()
    }

    /// The product of a query with every row, in the order of [`keys`](Self::keys): cosines, where the query
    /// has unit length.
    ///
    /// # Panics
    ///
    /// Panics if the query has another width than the rows.
    pub fn scores(&self, query: &[f32]) -> Vec<f32> {
        assert_eq!(
            query.len(),
            self.settings.dim,
            "index: the query has another width than the rows"
        );
        scan::scan(&self.segments, query)
    }
}

fn read_segments(
    folder: &Path,
    settings: &IndexSettings,
) -> Result<(Library, Vec<Segment>), InferenceError> {
    let mut tries = 0;
    loop {
        let library = Library::read(folder)?;
        let list = segment::SegmentList::of(&folder.join(SEGMENTS), library.last_commit())?;
        let read = list
            .live
            .par_iter()
            .map(|file| Segment::read(&file.path, settings.dim, settings.rows));
        match read.collect::<Result<Vec<_>, _>>() {
            Ok(segments) => return Ok((library, segments)),
            Err(InferenceError::File { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound && tries < TRIES =>
            {
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}
