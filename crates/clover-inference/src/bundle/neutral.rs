//! Texts that have nothing to do with a library in particular, and how well their own clips fit them.
//!
//! Whether something in a library fits a query is judged by both: how such texts score there, and how a
//! text and its own clip score.

use std::io::ErrorKind;
use std::path::Path;

use clover_data::dataset::{ClipTable, Randomness};
use clover_data::text::WordPieceTokenizer;
use rand::seq::IndexedRandom;
use serde::{Deserialize, Serialize};

use super::checksums::seal_file;
use super::files::{read_json, write_json};
use crate::{EmbeddedTable, InferenceError};

pub(super) const NEUTRAL: &str = "neutral.json";
/// How many are enough.
const TEXTS: usize = 128;
/// Words of a text that is drawn.
const WORDS: usize = 5;
/// Shorter pieces are seldom words.
const SHORTEST_WORD: usize = 3;

/// The neutral texts of a bundle: captions of its validation or training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeutralTexts {
    /// The captions.
    pub texts: Vec<String>,
    /// The cosine of each with its own clip; empty where that is not known.
    pub own_scores: Vec<f32>,
}

impl NeutralTexts {
    /// Some captions of a list.
    #[must_use]
    pub fn of_captions(table: &ClipTable) -> Self {
        let some = table.spread(TEXTS).with_first_captions();
        let captions = (0..some.len())
            .filter_map(|row| some.texts(row).all().first().map(|&text| text.to_owned()));
        Self {
            texts: captions.collect(),
            own_scores: Vec::new(),
        }
    }

    /// Some captions of a list that was embedded, with the cosines of their own clips.
    #[must_use]
    pub fn of_embedded(table: &ClipTable, embedded: &EmbeddedTable) -> Self {
        let mut neutral = Self::default();
        let step = embedded.rows.len().div_ceil(TEXTS).max(1);
        for clip in (0..embedded.rows.len()).step_by(step) {
            let own = embedded.owner.iter().position(|&owner| owner == clip);
            let texts = table.texts(embedded.rows[clip]);
            if let (Some(text), Some(&caption)) = (own, texts.all().first()) {
                let pair = embedded
                    .texts
                    .row(text)
                    .iter()
                    .zip(embedded.videos.row(clip));
                neutral.texts.push(caption.to_owned());
                neutral
                    .own_scores
                    .push(pair.map(|(text, clip)| text * clip).sum());
            }
        }
        neutral
    }

    /// Writes them into a bundle's folder.
    ///
    /// # Errors
    ///
    /// The file, or its checksum, cannot be written.
    pub fn write(&self, bundle: &Path) -> Result<(), InferenceError> {
        write_json(&bundle.join(NEUTRAL), self)?;
        seal_file(bundle, NEUTRAL)
    }

    /// Those of a bundle; of one that has none, words of its vocabulary drawn at random.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn of_bundle(
        bundle: &Path,
        tokenizer: &WordPieceTokenizer,
    ) -> Result<Self, InferenceError> {
        match read_json::<Self>(&bundle.join(NEUTRAL)) {
            Err(InferenceError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Ok(Self::drawn(tokenizer))
            }
            Ok(neutral) if neutral.texts.is_empty() => Ok(Self::drawn(tokenizer)),
            read => read,
        }
    }

    fn drawn(tokenizer: &WordPieceTokenizer) -> Self {
        let pieces = tokenizer.vocabulary().pieces();
        let is_word = |piece: &&String| {
            piece.chars().count() >= SHORTEST_WORD && piece.chars().all(char::is_alphabetic)
        };
        let words: Vec<&String> = pieces.iter().filter(is_word).collect();
        let texts = (0..TEXTS as u64).map(|number| {
            let mut rng = Randomness::new(0).for_item(0, number);
            let chosen = (0..WORDS).filter_map(|_| words.choose(&mut rng));
            chosen
                .map(|word| word.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        });
        Self {
            texts: texts.filter(|text| !text.is_empty()).collect(),
            own_scores: Vec::new(),
        }
    }
}
