//! All samples of some shards, each readable without the others.

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::clip_table::{ClipRow, Texts};
use super::super::in_order::{Threads, in_order};
use super::super::skipped::SkippedItem;
use super::error::ShardError;
use super::files::OpenFiles;
use super::gathering::{Gathered, gather};
use super::index::{Located, ShardIndex, Span};
use super::list;
use super::sample::{Refusal, texts_of};
use crate::DataError;
use crate::files::open_regular;
use crate::video::ClipSource;

/// How shards are opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardOptions {
    /// Threads that read headers.
    pub threads: usize,
    /// The most bytes of one clip; its frames are counted together. Below 4 GiB in any case.
    pub max_media_bytes: u64,
}

/// The samples of some shards.
///
/// Clones share the index and the open files.
#[derive(Debug, Clone)]
pub struct ShardSet {
    shards: Arc<[PathBuf]>,
    index: Arc<ShardIndex>,
    files: Arc<OpenFiles>,
    skipped: Arc<[SkippedItem]>,
    others: usize,
    max_media_bytes: u64,
}

impl Default for ShardOptions {
    /// A thread a processor, clips of 1 GiB.
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            max_media_bytes: 1 << 30,
        }
    }
}

impl ShardSet {
    /// Reads the headers of shards. Each of `given` is a shard, a folder of shards or a pattern
    /// such as `{00000..00123}.tar`; `progress` is told how many of how many shards are read.
    ///
    /// What cannot be used is listed in [`skipped`](Self::skipped): members and samples by name,
    /// and a shard that is cut short or not a tar file by the place.
    ///
    /// # Errors
    ///
    /// When a shard cannot be opened, a folder has none, a pattern cannot be expanded, or no
    /// sample at all can be used.
    pub fn open(
        given: &[PathBuf],
        options: &ShardOptions,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Self, DataError> {
        let shards = list::expand(given)?;
        let mut index = ShardIndex::default();
        let (mut skipped, mut others) = (Vec::new(), 0);
        let (mut done, mut failed) = (0, Ok(()));
        let threads = Threads {
            name: "clover-shards",
            count: options.threads,
            ahead: 4 * options.threads,
        };
        let scan = |shard: usize| scan(&shards[shard], shard, options);
        in_order(threads, shards.len(), scan, |gathered| {
            done += 1;
            progress(done, shards.len());
            match gathered {
                Ok(gathered) => {
                    index.append(gathered.index);
                    skipped.extend(gathered.skipped);
                    others += gathered.others;
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failed = Err(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        failed?;
        index.shrink();
        if index.len() == 0 {
            let first = skipped.first().map(ToString::to_string);
            return Err(ShardError::NoUsableSample {
                shards: shards.len(),
                skipped: skipped.len(),
                first: first.unwrap_or_else(|| "there are none".to_owned()),
            }
            .into());
        }
        Ok(Self {
            shards: shards.into(),
            index: Arc::new(index),
            files: Arc::default(),
            skipped: skipped.into(),
            others,
            max_media_bytes: options.max_media_bytes,
        })
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Tells whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shards, in order.
    pub fn shards(&self) -> &[PathBuf] {
        &self.shards
    }

    /// What was left out while the headers were read.
    pub fn skipped(&self) -> &[SkippedItem] {
        &self.skipped
    }

    /// Members that are neither clip nor text of a sample.
    pub fn others(&self) -> usize {
        self.others
    }

    /// The samples of each shard that has any.
    pub fn stretches(&self) -> Vec<Range<usize>> {
        self.index.stretches()
    }

    /// What reports call a sample: its shard and its key.
    pub fn name(&self, index: usize) -> String {
        self.path_of(&self.index.get(index)).display().to_string()
    }

    /// The shard of a sample.
    pub fn shard(&self, index: usize) -> &Path {
        &self.shards[self.index.get(index).shard]
    }

    /// Reads the texts of a sample, and not its clip.
    ///
    /// # Errors
    ///
    /// When the shard cannot be read, the sample was not fetched, or its texts cannot be used.
    pub fn texts(&self, index: usize) -> Result<Texts, DataError> {
        self.read_texts(&self.index.get(index))
    }

    /// Reads a sample.
    ///
    /// # Errors
    ///
    /// When the shard cannot be read, the sample was not fetched, or its texts cannot be used;
    /// the clip is not looked at.
    pub fn read(&self, index: usize) -> Result<ClipRow, DataError> {
        let sample = self.index.get(index);
        let media_bytes: usize = sample.media.iter().map(|span| span.len()).sum();
        if media_bytes as u64 > self.max_media_bytes {
            return Err(ShardError::Sample {
                path: self.shards[sample.shard].clone(),
                key: sample.key.to_owned(),
                fault: "its frames are too large together",
            }
            .into());
        }
        // Texts first: a sample that was not fetched costs no more than its json.
        let texts = self.read_texts(&sample)?;
        let contents = self.read_spans(&sample, sample.media)?;
        let clip = clip(self.path_of(&sample), contents, sample.framewise);
        Ok(ClipRow {
            clip,
            span: None,
            texts,
        })
    }

    fn read_texts(&self, sample: &Located<'_>) -> Result<Texts, DataError> {
        let json = self.read_spans(sample, sample.json.as_slice())?;
        let text = self.read_spans(sample, sample.text.as_slice())?;
        let [json, text] = [&json, &text].map(|content| content.first().map(Vec::as_slice));
        let (path, key) = (&self.shards[sample.shard], sample.key);
        let refused = |refusal| match refusal {
            Refusal::Text(source) => ShardError::Text {
                path: path.clone(),
                key: key.to_owned(),
                source,
            },
            Refusal::Status(status) => ShardError::Status {
                path: path.clone(),
                key: key.to_owned(),
                status,
            },
        };
        Ok(texts_of(json, text).map_err(refused)?)
    }

    fn read_spans(&self, sample: &Located<'_>, spans: &[Span]) -> Result<Vec<Vec<u8>>, DataError> {
        let path = &self.shards[sample.shard];
        let contents = self.files.read(sample.shard, path, spans);
        contents.map_err(|source| DataError::Read {
            path: path.clone(),
            source,
        })
    }

    fn path_of(&self, sample: &Located<'_>) -> PathBuf {
        // Not joined as a path: on some systems that would change the key.
        let mut name = self.shards[sample.shard].clone().into_os_string();
        name.push("/");
        name.push(sample.key);
        name.into()
    }
}

fn clip(name: PathBuf, mut contents: Vec<Vec<u8>>, framewise: bool) -> ClipSource {
    match (framewise, contents.pop()) {
        (false, Some(bytes)) => ClipSource::Bytes { name, bytes },
        (_, last) => {
            contents.extend(last);
            ClipSource::Images {
                name,
                images: contents,
            }
        }
    }
}

fn scan(path: &Path, shard: usize, options: &ShardOptions) -> Result<Gathered, DataError> {
    let unreadable = |source| DataError::Read {
        path: path.to_path_buf(),
        source,
    };
    let file = open_regular(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    Ok(gather(file, bytes, path, shard, options.max_media_bytes))
}

#[cfg(test)]
mod tests;
