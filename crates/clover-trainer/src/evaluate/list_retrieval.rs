//! Zero-shot retrieval on a table of clips, where a clip may have several captions.
//!
//! Clover, section 4.2. Every clip is a candidate for every caption, and the other way round.
//!
//! Embeddings are held on the CPU, and scores are computed for a block of queries at a time: memory
//! grows with the number of pairs, not with its square.

use burn::prelude::*;
use clover_data::dataset::ClipTable;
use clover_inference::{EmbeddedTable, Embedder};
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

/// Embeds clips and captions, each once, and ranks them in both directions; also returns the embeddings,
/// and what could not be read. `reading` is how many threads read, and the share that may be broken;
/// `progress` hears how many clips of how many are done.
///
/// # Errors
///
/// Too many clips cannot be read, or embeddings are not finite.
pub fn list_retrieval<B: Backend>(
    embedder: &Embedder<B>,
    table: ClipTable,
    reading: (usize, f64),
    progress: impl FnMut(usize, usize),
) -> Result<(ListRetrieval, EmbeddedTable), TrainerError> {
    let embedded = embedder.embed_table(table, reading, progress)?;
    Ok((rank(&embedded)?, embedded))
}

fn rank(embedded: &EmbeddedTable) -> Result<ListRetrieval, TrainerError> {
    let (videos, texts, owner) = (&embedded.videos, &embedded.texts, &embedded.owner);
    let text_to_video = text_to_video(&texts.values, &videos.values, videos.dim, owner)?;
    let video_to_text = video_to_text(&videos.values, &texts.values, videos.dim, owner)?;
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
    use clover_inference::Embeddings;

    #[test]
    fn a_clip_with_several_captions_is_one_candidate() {
        let embeddings = |values: &[f32]| Embeddings {
            values: values.to_vec(),
            dim: 2,
        };
        let embedded = EmbeddedTable {
            rows: vec![0, 1],
            videos: embeddings(&[1.0, 0.0, 0.0, 1.0]),
            // The second text, of the first clip, lies nearer to the second.
            texts: embeddings(&[1.0, 0.0, 0.6, 0.8, 0.0, 1.0]),
            owner: vec![0, 0, 1],
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
