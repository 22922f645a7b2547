//! Sentences that look for clips, and the clips they find.

use anyhow::Result;
use burn::tensor::backend::Backend;
use clover_data::dataset::ClipTable;
use clover_data::video::ClipSource;
use clover_inference::{EmbeddedTable, Embedder};
use clover_trainer::metric::ranking;
use clover_trainer::report::{Query, Retrieved, clip_image};

/// Clips shown for a sentence.
const SHOWN: usize = 5;
/// Held-out captions shown beside the typed sentence.
const EXAMPLES: usize = 8;

/// The typed sentence first, then some of the held-out captions with their own clip marked.
pub(super) fn queries<B: Backend>(
    embedder: &Embedder<B>,
    table: &ClipTable,
    embedded: &EmbeddedTable,
    typed: &str,
) -> Result<Vec<Query>> {
    let embedding = embedder.embed_texts(&[typed.to_owned()])?;
    let mut queries = vec![Query {
        text: typed.to_owned(),
        typed: true,
        results: search(table, embedded, embedding.row(0), None)?,
    }];
    let step = (embedded.owner.len() / EXAMPLES).max(1);
    for text in (0..embedded.owner.len()).step_by(step).take(EXAMPLES) {
        let own = embedded.owner[text];
        // Captions of a clip follow each other.
        let before = embedded.owner.iter().position(|&clip| clip == own);
        let captions = table.texts(embedded.rows[own]);
        let caption = captions
            .all()
            .into_iter()
            .nth(text - before.unwrap_or(text));
        queries.push(Query {
            text: caption.unwrap_or_default().to_owned(),
            typed: false,
            results: search(table, embedded, embedded.texts.row(text), Some(own))?,
        });
    }
    Ok(queries)
}

/// The clips nearest to a text; `own` is the one it was written for.
fn search(
    table: &ClipTable,
    embedded: &EmbeddedTable,
    text: &[f32],
    own: Option<usize>,
) -> Result<Vec<Retrieved>> {
    let videos = &embedded.videos;
    let found = ranking(text, &videos.values, videos.dim, SHOWN)?;
    let found = found
        .into_iter()
        .zip(1..)
        .map(|((clip, similarity), rank)| {
            let row = embedded.rows[clip];
            let name = table.name(row);
            let source = ClipSource::Path(name.clone().into());
            Retrieved {
                caption: table.texts(row).all().join("; "),
                similarity,
                rank,
                correct: own == Some(clip),
                // An image that cannot be made is left out of the page, not its row.
                image: clip_image((source, None)).ok(),
                name,
            }
        });
    Ok(found.collect())
}
