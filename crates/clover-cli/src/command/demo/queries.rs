//! Sentences that look for clips, and the clips they find.

use std::path::Path;

use anyhow::Result;
use burn::tensor::backend::Backend;
use clover_data::dataset::ClipTable;
use clover_data::files::without_detours;
use clover_data::video::ClipSource;
use clover_inference::Embedder;
use clover_trainer::evaluate::EmbeddedList;
use clover_trainer::metric::{Best, BlockedRanking, EmbeddingTable, Storage};
use clover_trainer::report::{Query, Retrieved, clip_image};

/// Clips shown for a sentence.
const SHOWN: usize = 5;
/// Held-out captions shown beside the typed sentence.
const EXAMPLES: usize = 8;

/// The typed sentence first, then some of the held-out captions with their own clip marked.
pub(super) fn queries<B: Backend>(
    embedder: &Embedder<B>,
    table: &ClipTable,
    embedded: &EmbeddedList,
    typed: &str,
) -> Result<Vec<Query>> {
    let step = (embedded.owner.len() / EXAMPLES).max(1);
    let examples: Vec<usize> = (0..embedded.owner.len())
        .step_by(step)
        .take(EXAMPLES)
        .collect();
    let mut texts = EmbeddingTable::new("text", Storage::F32);
    texts.push(embedder.embed_texts(&[typed.to_owned()])?.row(0))?;
    for &text in &examples {
        texts.push(&embedded.texts.rows(text..text + 1))?;
    }
    let (blocks, device) = (BlockedRanking::default(), embedder.device());
    let mut found = blocks
        .best::<B>(&texts, &embedded.videos, SHOWN, device)?
        .into_iter();
    let mut results = |own| retrieved(table, embedded, found.next().unwrap_or_default(), own);
    let mut queries = vec![Query {
        text: typed.to_owned(),
        typed: true,
        results: results(None),
    }];
    for text in examples {
        let own = embedded.owner[text];
        // Captions of a clip follow each other.
        let before = embedded.owner.iter().position(|&clip| clip == own);
        let captions = table.texts(embedded.clips[own]);
        let caption = captions
            .all()
            .into_iter()
            .nth(text - before.unwrap_or(text));
        queries.push(Query {
            text: caption.unwrap_or_default().to_owned(),
            typed: false,
            results: results(Some(own)),
        });
    }
    Ok(queries)
}

/// The clips found for a text; `own` is the one it was written for.
fn retrieved(
    table: &ClipTable,
    embedded: &EmbeddedList,
    found: Best,
    own: Option<usize>,
) -> Vec<Retrieved> {
    let found = found
        .into_iter()
        .zip(1..)
        .map(|((clip, similarity), rank)| {
            let row = embedded.clips[clip];
            let name = table.name(row);
            let source = ClipSource::Path(name.clone().into());
            Retrieved {
                caption: table.texts(row).all().join("; "),
                similarity,
                rank,
                correct: own == Some(clip),
                // An image that cannot be made is left out of the page, not its row.
                image: clip_image((source, None)).ok(),
                name: without_detours(Path::new(&name)).display().to_string(),
            }
        });
    found.collect()
}
