//! Zero-shot retrieval on a list of pairs, where a clip may have several texts.
//!
//! Embeddings are held on the CPU, and scores are computed for a block of queries at a time: memory
//! grows with the number of pairs, not with its square.

use std::collections::HashMap;

use burn::prelude::*;
use clover_data::dataset::{PairSource, SkippedItem};
use clover_inference::{EmbeddedSource, Embedder, Embeddings};
use serde::{Deserialize, Serialize};

use crate::TrainerError;
use crate::metric::{RetrievalMetrics, text_to_video, video_to_text};

/// Both directions of retrieval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListRetrieval {
    /// The sum of the six recalls, in percent: 600 at best.
    pub recall_sum: f64,
    /// Texts looking for their clip.
    pub text_to_video: RetrievalMetrics,
    /// Clips looking for any of their texts.
    pub video_to_text: RetrievalMetrics,
}

/// Embeds the pairs and ranks them in both directions; also returns what could not be read.
/// `progress` hears how many of how many are done.
///
/// # Errors
///
/// Too many pairs cannot be read, or embeddings are not finite.
pub fn list_retrieval<B: Backend>(
    embedder: &Embedder<B>,
    pairs: PairSource,
    progress: impl FnMut(usize, usize),
) -> Result<(ListRetrieval, Vec<SkippedItem>), TrainerError> {
    let embedded = embedder.embed_source(pairs, progress)?;
    let retrieval = rank(&embedded)?;
    Ok((retrieval, embedded.skipped))
}

/// Pairs of the same clip are one candidate with several texts.
fn rank(embedded: &EmbeddedSource) -> Result<ListRetrieval, TrainerError> {
    let (mut rows, mut owner) = (HashMap::new(), Vec::new());
    let mut videos = Embeddings {
        values: Vec::new(),
        dim: embedded.videos.dim,
    };
    for (pair, name) in embedded.names.iter().enumerate() {
        let clips = rows.len();
        let row = *rows.entry(name).or_insert(clips);
        if row == clips {
            videos.values.extend(embedded.videos.row(pair));
        }
        owner.push(row);
    }
    let (text, video, dim) = (&embedded.texts.values, &videos.values, videos.dim);
    let text_to_video = text_to_video(text, video, dim, &owner)?;
    let video_to_text = video_to_text(video, text, dim, &owner)?;
    let recalls = |metrics: &RetrievalMetrics| {
        metrics.recall_at_1 + metrics.recall_at_5 + metrics.recall_at_10
    };
    Ok(ListRetrieval {
        recall_sum: recalls(&text_to_video) + recalls(&video_to_text),
        text_to_video,
        video_to_text,
    })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values compared are exact")]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_one_clip_are_one_candidate_with_several_texts() {
        let embeddings = |values: &[f32]| Embeddings {
            values: values.to_vec(),
            dim: 2,
        };
        let names = ["a", "b", "a"].map(str::to_owned).into();
        let embedded = EmbeddedSource {
            names,
            videos: embeddings(&[1.0, 0.0, 0.0, 1.0, 1.0, 0.0]),
            // The third text, of the first clip, lies nearer to the second.
            texts: embeddings(&[1.0, 0.0, 0.0, 1.0, 0.6, 0.8]),
            skipped: Vec::new(),
        };

        let ranked = rank(&embedded).unwrap();

        let texts = &ranked.text_to_video;
        assert_eq!((texts.queries, texts.candidates), (3, 2));
        assert_eq!(texts.mean_rank, 4.0 / 3.0);
        let clips = &ranked.video_to_text;
        assert_eq!((clips.queries, clips.candidates), (2, 3));
        assert_eq!(clips.recall_at_1, 100.0);
        assert!((ranked.recall_sum - 500.0 - 200.0 / 3.0).abs() < 1e-9);
    }
}
