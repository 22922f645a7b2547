//! Sentences that look for clips, and the clips they find.

use anyhow::Result;
use burn::tensor::backend::Backend;
use clover_inference::{EmbeddedPairs, Embedder};
use clover_trainer::metric::ranking;
use clover_trainer::report::{Query, Retrieved, clip_strip};

/// Clips shown for a sentence.
const SHOWN: usize = 5;
/// Held-out captions shown beside the typed sentence.
const EXAMPLES: usize = 8;
/// Frames of a clip in a picture, and its height in pixels.
const STRIP: (usize, u32) = (4, 56);

/// The typed sentence first, then some of the held-out captions with their own clip marked.
pub(super) fn queries<B: Backend>(
    embedder: &Embedder<B>,
    embedded: &EmbeddedPairs,
    typed: &str,
) -> Result<Vec<Query>> {
    let embedding = embedder.embed_texts(&[typed.to_owned()])?;
    let mut queries = vec![Query {
        text: typed.to_owned(),
        typed: true,
        results: search(embedded, embedding.row(0), None)?,
    }];
    let step = (embedded.pairs.len() / EXAMPLES).max(1);
    for own in (0..embedded.pairs.len()).step_by(step).take(EXAMPLES) {
        queries.push(Query {
            text: embedded.pairs[own].caption.text().to_owned(),
            typed: false,
            results: search(embedded, embedded.texts.row(own), Some(own))?,
        });
    }
    Ok(queries)
}

/// The clips nearest to a text; `own` is the one it was written for.
fn search(embedded: &EmbeddedPairs, text: &[f32], own: Option<usize>) -> Result<Vec<Retrieved>> {
    let videos = &embedded.videos;
    let found = ranking(text, &videos.values, videos.dim, SHOWN)?;
    let found = found
        .into_iter()
        .zip(1..)
        .map(|((clip, similarity), rank)| {
            let pair = &embedded.pairs[clip];
            Retrieved {
                name: pair.name(),
                caption: pair.caption.text().to_owned(),
                similarity,
                rank,
                correct: own == Some(clip),
                // A picture that cannot be made is left out of the page, not its row.
                picture: clip_strip(&pair.path, STRIP.0, STRIP.1).ok(),
            }
        });
    Ok(found.collect())
}
