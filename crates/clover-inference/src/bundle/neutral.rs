//! Texts that have nothing to do with a library in particular, and how well their own clips fit them.
//!
//! Whether something in a library fits a query is judged by both: how such texts score there, and how a
//! text and its own clip score.

use std::io::ErrorKind;
use std::path::Path;

use clover_data::dataset::ClipTable;
use serde::{Deserialize, Serialize};

use super::checksums::seal_file;
use super::files::{read_json, write_json};
use crate::InferenceError;

pub(super) const NEUTRAL: &str = "neutral.json";
/// How many are enough.
const TEXTS: usize = 128;

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

    /// Some of these captions, each with the cosine of its own clip.
    #[must_use]
    pub fn of_scored(captions: &[(&str, f32)]) -> Self {
        let step = captions.len().div_ceil(TEXTS).max(1);
        let some = captions.iter().step_by(step);
        let (texts, own_scores) = some.map(|&(text, score)| (text.to_owned(), score)).unzip();
        Self { texts, own_scores }
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

    /// Those of a bundle; of one that has none, captions of things that few libraries show.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn of_bundle(bundle: &Path) -> Result<Self, InferenceError> {
        match read_json::<Self>(&bundle.join(NEUTRAL)) {
            Err(InferenceError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Ok(Self::plain())
            }
            Ok(neutral) if neutral.texts.is_empty() => Ok(Self::plain()),
            read => read,
        }
    }

    fn plain() -> Self {
        let captions = include_str!("neutral_captions.txt");
        Self {
            texts: captions.lines().map(str::to_owned).collect(),
            own_scores: Vec::new(),
        }
    }
}
