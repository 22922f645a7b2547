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

use super::clips::DemoClips;

/// Clips shown for a sentence.
const SHOWN: usize = 5;
/// Held-out captions of rendered clips, shown beside the typed sentence.
const EXAMPLES: usize = 8;
/// Sentences in all about own clips.
const OWN_EXAMPLES: usize = 5;
/// What rendered clips are searched with where nothing is typed.
const TYPED: &str = "a big red circle moves to the left";

/// A sentence to look for clips with.
pub(super) struct Sentence {
    text: String,
    /// The clip that it is the caption of, among the embedded ones; none of a typed one.
    own: Option<usize>,
}

/// The typed sentence first, then captions of held-out clips, evenly spread. Captions of own clips are shortened to
/// their first sentence.
pub(super) fn sentences(
    clips: &DemoClips,
    typed: Option<&str>,
    (table, embedded): (&ClipTable, &EmbeddedList),
) -> Vec<Sentence> {
    let captions = |count: usize| {
        let all = embedded.clips.len();
        let chosen = (0..count.min(all)).map(move |number| number * all / count.min(all));
        chosen.map(|own| Sentence {
            text: first_caption(table, embedded.clips[own]),
            own: Some(own),
        })
    };
    let typed = typed.map(|text| Sentence {
        text: text.to_owned(),
        own: None,
    });
    match clips {
        DemoClips::Rendered(_) => {
            let typed = typed.unwrap_or(Sentence {
                text: TYPED.to_owned(),
                own: None,
            });
            [typed].into_iter().chain(captions(EXAMPLES)).collect()
        }
        DemoClips::Own(_) => {
            let replaced = usize::from(typed.is_some());
            let captions = captions(OWN_EXAMPLES).skip(replaced).map(|mut caption| {
                caption.text = first_sentence(&caption.text).to_owned();
                caption
            });
            typed.into_iter().chain(captions).collect()
        }
    }
}

/// What the sentences find, each with its own clip marked.
pub(super) fn queries<B: Backend>(
    embedder: &Embedder<B>,
    (table, embedded): (&ClipTable, &EmbeddedList),
    sentences: Vec<Sentence>,
) -> Result<Vec<Query>> {
    let words: Vec<String> = sentences.iter().map(|one| one.text.clone()).collect();
    let embeddings = embedder.embed_texts(&words)?;
    let mut texts = EmbeddingTable::new("text", Storage::F32);
    for text in 0..words.len() {
        texts.push(embeddings.row(text))?;
    }
    let (blocks, device) = (BlockedRanking::default(), embedder.device());
    let found = blocks.best::<B>(&texts, &embedded.videos, SHOWN, device)?;
    let queries = sentences.into_iter().zip(found).map(|(sentence, found)| {
        let Sentence { text, own } = sentence;
        Query {
            text,
            typed: own.is_none(),
            results: retrieved(table, embedded, found, own),
        }
    });
    Ok(queries.collect())
}

/// The first caption of a row.
pub(super) fn first_caption(table: &ClipTable, row: usize) -> String {
    let texts = table.texts(row);
    texts.all().first().copied().unwrap_or_default().to_owned()
}

/// Up to the first mark that ends a sentence; captions of own clips may be whole instructions.
pub(super) fn first_sentence(text: &str) -> &str {
    let marks = text.match_indices(['.', '!', '?']);
    let mut ends = marks.map(|(at, mark)| at + mark.len());
    // A number before the first step is no sentence.
    let is_end = |end: usize| {
        text[end..].starts_with(char::is_whitespace) && text[..end].contains(char::is_alphabetic)
    };
    let end = ends.find(|&end| is_end(end));
    end.map_or(text, |end| &text[..end])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_at_a_mark_and_not_within_a_number() {
        for (text, first) in [
            ("Squat, 1.5 kg. Lie down.", "Squat, 1.5 kg."),
            ("who runs? a dog", "who runs?"),
            ("a dog runs.", "a dog runs."),
            ("1. Lie down. 2. Rise.", "1. Lie down."),
            ("a dog", "a dog"),
            ("", ""),
        ] {
            assert_eq!(first_sentence(text), first);
        }
    }
}
