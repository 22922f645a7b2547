//! Zero-shot retrieval: pre-trained embeddings compared as they are.
//!
//! Clover, section 4.2. Every pair's clip is a candidate for every text, and the other way round.

use burn::prelude::*;
use clover_data::dataset::Pair;
use clover_inference::{EmbeddedPairs, Embedder};

use crate::TrainerError;
use crate::metric::{RetrievalMetrics, text_to_video, video_to_text};

/// Both directions, and what they were computed from.
#[derive(Clone, Debug)]
pub struct ZeroShotRetrieval {
    /// Texts looking for their clip.
    pub text_to_video: RetrievalMetrics,
    /// Clips looking for their text.
    pub video_to_text: RetrievalMetrics,
    /// The embeddings, and the pairs that could not be read.
    pub embedded: EmbeddedPairs,
}

/// Embeds pairs and ranks them in both directions; `progress` hears how many of how many are done.
///
/// # Errors
///
/// Too many pairs cannot be read, or embeddings are not finite.
pub fn zero_shot_retrieval<B: Backend>(
    embedder: &Embedder<B>,
    pairs: Vec<Pair>,
    progress: impl FnMut(usize, usize),
) -> Result<ZeroShotRetrieval, TrainerError> {
    let embedded = embedder.embed_pairs(pairs, progress)?;
    let (video, text) = (&embedded.videos, &embedded.texts);
    let owner: Vec<usize> = (0..text.rows()).collect();
    Ok(ZeroShotRetrieval {
        text_to_video: text_to_video(&text.values, &video.values, text.dim, &owner)?,
        video_to_text: video_to_text(&video.values, &text.values, video.dim, &owner)?,
        embedded,
    })
}
