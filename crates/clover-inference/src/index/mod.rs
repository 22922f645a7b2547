//! An index: the embeddings of a library of videos, a row a window, in a folder.
//!
//! | file | content |
//! |---|---|
//! | `index.toml` | the bundle, the windows and the sources ([`IndexSettings`]) |
//! | `files.jsonl` | what became of every clip, a journal ([`Library`]) |
//! | `segments/*.safetensors` | rows, written once and never changed |
//! | `lock` | who writes to it |

mod contents;
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

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

pub use library::{ClipKey, ClipRecord, ClipState, Library};
pub use plan::IndexSource;
pub use segment::RowKey;
use segment::Segment;
pub use settings::{INDEX_FORMAT, IndexSettings, RowPrecision, is_index};
pub use source::LibrarySource;
pub use windows::WindowSettings;
pub use writer::{IndexEvent, IndexProgress, IndexWriter, UpdateOptions, UpdateSummary, WindowRow};

use clover_data::video::{ClipSource, Span};
use rayon::prelude::*;

use crate::InferenceError;

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
        })
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
        let table = source.open(&|_, _| ())?;
        let row = (0..table.len()).find(|&row| table.clip(row) == clip.path);
        let read = table.read(row.ok_or_else(gone)?)?;
        Ok((read.clip, read.span))
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

/// The path without `folder/..` in it, as lists lead to a folder beside their own.
fn without_detours(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for part in path.components() {
        let back = part == Component::ParentDir
            && matches!(
                straight.components().next_back(),
                Some(Component::Normal(_))
            );
        match back {
            true => {
                straight.pop();
            }
            false => straight.push(part),
        }
    }
    straight
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
