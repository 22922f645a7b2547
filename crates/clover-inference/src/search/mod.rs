//! Search: the clips and moments of an index that fit a text or an example.
//!
//! Clover, section 4.2: retrieval compares one embedding a clip with one a text. Those of the clips are in
//! the index, so that a query costs one text and one product with every row.

mod calibration;
mod moments;
mod query_embedding;
mod ready_index;
mod rerank;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::prelude::*;
use clover_data::video::{ClipSource, NormalizedClip, Span};
use rayon::prelude::*;
use serde::Serialize;

pub use calibration::Calibration;
use moments::{Moment, best_moments};
pub use ready_index::{index_clips, ready_index};
use rerank::{Reranker, combined};

#[cfg(doc)]
use crate::InvertedFile;
use crate::index::{ClipKey, RowKey, VideoIndex};
use crate::{Bundle, Embedder, InferenceError};

/// Candidates that the fusion encoder looks at.
pub const RERANKED: usize = 50;
/// Clips that are looked at beside as many as are wanted, for some may be gone.
const SPARE: usize = 64;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct SearchQuery {
    /// A text.
    pub text: Option<String>,
    /// What should not be seen.
    pub not: Vec<String>,
    /// Clips or images that show something like it, or spans of them.
    pub like: Vec<(ClipSource, Option<Span>)>,
    /// Embeddings of unit length of what it should be like, such as [`VideoIndex::embedding`] gives.
    pub like_embeddings: Vec<Vec<f32>>,
    /// Only clips in this folder, or this file.
    pub within: Option<PathBuf>,
    /// Only clips of the source that has this place among those of the index.
    pub source: Option<usize>,
    /// Clips to return.
    pub top: usize,
    /// Whether the fusion encoder puts the best [`RERANKED`] in order. Needs a text.
    pub rerank: bool,
}

/// What was found, best first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchResult {
    /// The best moment of each clip.
    pub moments: Vec<FoundMoment>,
    /// Whether the best one fits better than chance would have it; none where the index was not
    /// [calibrated](Calibration), where nothing was searched, or where the model cannot tell, since it hardly
    /// prefers the clips of its own captions to others.
    pub matches: Option<bool>,
    /// Whether the text has more word pieces than the model reads, and its end was left out.
    pub cut: bool,
}

/// The best moment of a clip.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundMoment {
    /// The file; of shards, the name of the sample.
    pub path: PathBuf,
    /// What [`VideoIndex::open_clip`] opens it by.
    #[serde(skip)]
    pub clip: ClipKey,
    /// Other files with the same content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<PathBuf>,
    /// From where to where; none where it is all of the clip.
    pub span: Option<Span>,
    /// The cosine of query and row.
    pub score: f32,
    /// The share of this library's pairs of a clip and a neutral text that score lower, between 0 and 1.
    pub place: Option<f32>,
    /// How probable the fusion encoder finds the text's words beside this clip: their log-likelihood in
    /// nats, each word guessed from the clip and two thirds of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fused: Option<f32>,
    /// What the order of re-ranked clips is decided by: the cosine over the model's temperature, and `fused`
    /// added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined: Option<f32>,
}

/// Searches an index with the model that it was made with.
///
/// A program opens it once, and then asks as often as it likes.
///
/// # Example
///
/// ```
/// # use burn_flex::Flex;
/// # use clover_data::text::Tokenizer;
/// # use clover_inference::*;
/// # use clover_model::CloverConfig;
/// # let lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "blue", "circle"];
/// # let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt")?;
/// # let config = CloverConfig::nano(lines.len()).with_image_size(28).with_frames(2);
/// # let root = tempfile::tempdir()?;
/// # let [bundle, videos, folder] = ["bundle", "videos", "index"].map(|name| root.path().join(name));
/// # Bundle::<Flex>::init(config, tokenizer, 8, &Default::default()).write(&bundle)?;
/// # std::fs::create_dir(&videos)?;
/// # image::RgbImage::new(32, 32).save(videos.join("black.png"))?;
/// use std::ops::ControlFlow;
///
/// use clover_data::dataset::ClipTable;
///
/// let device = Default::default();
/// let opened = Bundle::<Flex>::read(&bundle, &device)?;
/// let embedder = opened.into_embedder(device);
/// let options = UpdateOptions::new(2, &[])?;
/// let clips = ClipTable::open(&videos, None, &|_, _| ())?;
/// let source = (LibrarySource::of(&videos), clips);
/// index_clips(&folder, (&bundle, &embedder), source, &options, &mut |_| ControlFlow::Continue(()))?;
///
/// let searcher = Searcher::<Flex>::open(&folder, device)?;
/// let query = SearchQuery { text: Some("a circle".to_owned()), top: 5, ..SearchQuery::default() };
/// for moment in searcher.search(&query)?.moments {
///     println!("{:.3} {}", moment.score, moment.path.display());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Searcher<B: Backend> {
    index: Arc<VideoIndex>,
    embedder: Embedder<B>,
    reranker: Reranker<B>,
    calibration: Option<Calibration>,
}

impl<B: Backend> Searcher<B> {
    /// Opens an index and the bundle that it was made with.
    ///
    /// # Errors
    ///
    /// The index or the bundle cannot be read, or the bundle is no longer the one that the index was made
    /// with.
    pub fn open(index: &Path, device: B::Device) -> Result<Self, InferenceError> {
        let index = VideoIndex::open(index)?;
        let bundle = index.bundle(&device)?;
        Self::new(index, bundle, device)
    }

    /// Searches an index with a bundle that is known to be the one it was made with.
    ///
    /// # Errors
    ///
    /// What was measured of the index cannot be read.
    pub fn new(
        index: VideoIndex,
        bundle: Bundle<B>,
        device: B::Device,
    ) -> Result<Self, InferenceError> {
        let reranker = Reranker::new(&bundle);
        let calibration = Calibration::read(&index)?;
        Ok(Self {
            reranker,
            calibration,
            embedder: bundle.into_embedder(device),
            index: Arc::new(index),
        })
    }

    /// The index; a copy of the handle keeps what it is now.
    pub fn index(&self) -> &Arc<VideoIndex> {
        &self.index
    }

    /// The same model, for embeddings.
    pub fn embedder(&self) -> &Embedder<B> {
        &self.embedder
    }

    /// Reads the index again, where it has grown.
    ///
    /// # Errors
    ///
    /// It cannot be read, or was built anew with another bundle.
    pub fn reload(&mut self) -> Result<(), InferenceError> {
        let mut index = VideoIndex::open(self.index.folder())?;
        if self.index.inverted_file().is_some() {
            read_lists(&mut index)?;
        }
        self.replace_index(Arc::new(index))
    }

    /// Searches another reading of the index from now on, which another thread may have made.
    ///
    /// # Errors
    ///
    /// It was made with another bundle, or what was measured of it cannot be read.
    pub fn replace_index(&mut self, index: Arc<VideoIndex>) -> Result<(), InferenceError> {
        let settings = index.settings();
        settings.fits(self.index.settings(), index.folder())?;
        self.calibration = Calibration::read(&index)?;
        self.index = index;
        Ok(())
    }

    /// From now on looks at those rows alone that the lists of the index give for a query: faster where
    /// there are millions of rows, and a clip that fits may be missed ([`InvertedFile::recall`]). A search
    /// that is held to a folder still looks at all.
    ///
    /// # Errors
    ///
    /// The index has no such lists, or they are damaged.
    pub fn search_approximately(&mut self) -> Result<(), InferenceError> {
        match Arc::get_mut(&mut self.index) {
            Some(index) => read_lists(index),
            // Others look at this reading, too.
            None => {
                let mut index = VideoIndex::open(self.index.folder())?;
                read_lists(&mut index)?;
                self.replace_index(Arc::new(index))
            }
        }
    }

    /// Finds what fits a query.
    ///
    /// # Errors
    ///
    /// The query has neither a text nor an example, an empty or endless text, or an example that cannot be
    /// read; or the texts are to be put in order by the fusion encoder, and that is not trained or a clip cannot
    /// be read again.
    pub fn search(&self, query: &SearchQuery) -> Result<SearchResult, InferenceError> {
        let found = self.search_many(std::slice::from_ref(query)).pop();
        found.unwrap_or(Err(InferenceError::NotFinite))
    }

    /// Finds what fits each of some queries, whose texts pass the encoder together.
    pub fn search_many(
        &self,
        queries: &[SearchQuery],
    ) -> Vec<Result<SearchResult, InferenceError>> {
        let embedded = self.embed(queries);
        let index = &*self.index;
        let scanned = queries.par_iter().zip(embedded).map(|(query, embedded)| {
            let (row, cut) = embedded?;
            Ok((candidates(index, query, &row), cut))
        });
        let scanned: Vec<Result<_, InferenceError>> = scanned.collect();
        let each = queries.iter().zip(scanned);
        each.map(|(query, scanned)| {
            let (found, cut) = scanned?;
            self.finish(query, found, cut)
        })
        .collect()
    }

    /// What is told of the candidates of a query.
    fn finish(
        &self,
        query: &SearchQuery,
        mut found: Vec<Moment>,
        cut: bool,
    ) -> Result<SearchResult, InferenceError> {
        let scope = Scope::of(query);
        let calibration = self.calibration.as_ref();
        let matches = match (calibration, found.first()) {
            (Some(calibration), Some(best)) => calibration.matches(best.score),
            _ => None,
        };
        let mut fused = Vec::new();
        if query.rerank {
            let Some(text) = &query.text else {
                return Err(InferenceError::Option {
                    option: "rerank",
                    reason: "needs a text: the fusion encoder reads a clip and a text together"
                        .to_owned(),
                });
            };
            fused = self.rerank(text, &mut found)?;
        }
        found.truncate(query.top);
        let moments = found.into_iter().enumerate().filter_map(|(at, moment)| {
            let fused = fused.get(at).copied();
            let temperature = self.embedder.temperature();
            Some(FoundMoment {
                fused,
                combined: fused.map(|fused| combined(moment.score, fused, temperature)),
                ..self.describe(&moment, &scope)?
            })
        });
        Ok(SearchResult {
            moments: moments.collect(),
            matches,
            cut,
        })
    }

    /// Puts the best in order by the fusion encoder; returns what it says of each.
    fn rerank(&self, text: &str, found: &mut Vec<Moment>) -> Result<Vec<f32>, InferenceError> {
        let count = found.len().min(RERANKED);
        let others = found.split_off(count);
        let mut clips = Vec::with_capacity(count);
        let mut read = Vec::with_capacity(count);
        for moment in found.drain(..) {
            // One that is gone or broken by now cannot be looked at.
            if let Some(clip) = self.read(&moment) {
                clips.push(clip);
                read.push(moment);
            }
        }
        let fused = self.reranker.scores(&self.embedder, text, &clips)?;
        let temperature = self.embedder.temperature();
        let mut both: Vec<(Moment, f32)> = read.into_iter().zip(fused).collect();
        let decides = |(moment, fused): &(Moment, f32)| combined(moment.score, *fused, temperature);
        both.sort_by(|a, b| decides(b).total_cmp(&decides(a)));
        let (best, fused) = both.into_iter().unzip();
        *found = best;
        found.extend(others);
        Ok(fused)
    }

    fn read(&self, moment: &Moment) -> Option<NormalizedClip> {
        let clip = self.index.clips_of(moment.content).first()?;
        let (source, part) = self.index.open_clip(clip).ok()?;
        let RowKey {
            start_ms, end_ms, ..
        } = moment.key;
        let window = Span::new(u64::from(start_ms), u64::from(end_ms))
            .ok()
            .or(part);
        self.embedder.read(source, window).ok()
    }

    /// A moment for the reader; none of a content that no clip has any more.
    fn describe(&self, moment: &Moment, scope: &Scope) -> Option<FoundMoment> {
        let clips = self.index.clips_of(moment.content);
        let first = clips.iter().position(|clip| scope.holds(&self.index, clip));
        let first = first.unwrap_or(0);
        let clip = clips.get(first)?;
        let copies = clips.iter().enumerate().filter(|&(at, _)| at != first);
        let span = moment
            .span_ms
            .and_then(|(start, end)| Span::new(u64::from(start), u64::from(end)).ok());
        Some(FoundMoment {
            path: self.index.path_of(clip),
            copies: copies.map(|(_, copy)| self.index.path_of(copy)).collect(),
            span: span.or(clip.span()),
            clip: clip.clone(),
            score: moment.score,
            place: self.calibration.as_ref().map(|one| one.place(moment.score)),
            fused: None,
            combined: None,
        })
    }
}

/// The best of an index for a query of this row.
fn candidates(index: &VideoIndex, query: &SearchQuery, row: &[f32]) -> Vec<Moment> {
    let scope = Scope::of(query);
    let wanted = |content: u32| {
        let clips = index.clips_of(content);
        clips.iter().any(|clip| scope.holds(index, clip))
    };
    let candidates = match query.rerank {
        true => query.top.max(RERANKED),
        false => query.top.max(1),
    };
    let near = match scope.is_all() {
        true => index.near_parts(row, candidates + SPARE),
        false => Vec::new(),
    };
    let parts: Vec<_> = near
        .iter()
        .map(|(keys, scores)| (*keys, scores.as_slice()))
        .collect();
    let found = best_moments(&parts, candidates, wanted);
    if found.len() == candidates {
        return found;
    }
    let scores = index.scores(row);
    best_moments(&index.parts(&scores), candidates, wanted)
}

/// The part of an index that is looked at.
struct Scope {
    folder: Option<PathBuf>,
    source: Option<usize>,
}

impl Scope {
    fn of(query: &SearchQuery) -> Self {
        Self {
            folder: query.within.as_deref().map(absolute),
            source: query.source,
        }
    }

    fn is_all(&self) -> bool {
        self.folder.is_none() && self.source.is_none()
    }

    fn holds(&self, index: &VideoIndex, clip: &ClipKey) -> bool {
        let folder = self.folder.as_ref();
        self.source.is_none_or(|source| source == clip.source)
            && folder.is_none_or(|folder| index.path_of(clip).starts_with(folder))
    }
}

fn read_lists(index: &mut VideoIndex) -> Result<(), InferenceError> {
    match index.read_inverted_file()? {
        Some(_) => Ok(()),
        None => Err(InferenceError::OtherIndex {
            index: index.folder().to_owned(),
            reason: "has no lists for approximate search: `clover index --approximate` makes them"
                .to_owned(),
        }),
    }
}

/// A folder as the sources of an index are written.
fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
