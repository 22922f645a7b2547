//! What scores mean in one library: how texts that have nothing to do with it score.
//!
//! Cosines differ from model to model and from library to library, so that no fixed number says whether a
//! clip fits. Neutral texts are compared with every clip once, when the index is brought up to date.

use std::path::PathBuf;

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::moments::best_moments;
use super::scan::scan;
use crate::bundle::{read_json, write_json};
use crate::index::VideoIndex;
use crate::{Embedder, InferenceError};

const CALIBRATION: &str = "calibration.json";
/// Steps of the distribution of scores that is kept.
const STEPS: usize = 1_000;
/// Scores of one text that the distribution is made of, at most.
const SAMPLED: usize = 4_096;
/// The share of neutral texts that may be taken for something in the library.
const FALSE_ALARMS: f64 = 0.05;

/// How neutral texts score in an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The commit of the index that it was measured at.
    commit: u64,
    /// Scores of pairs, from the lowest to the highest, at equal steps of their number.
    pairs: Vec<f32>,
    /// The best score of each neutral text, ascending.
    best: Vec<f32>,
}

impl Calibration {
    /// Compares neutral texts with every clip of an index, and keeps it beside the index.
    ///
    /// # Errors
    ///
    /// A text cannot be read, or the file cannot be written.
    pub fn measure<B: Backend>(
        index: &VideoIndex,
        embedder: &Embedder<B>,
        texts: &[String],
    ) -> Result<Self, InferenceError> {
        let texts = embedder.embed_texts(texts)?;
        let (mut pairs, mut best) = (Vec::new(), Vec::new());
        for text in 0..texts.rows() {
            let scores = scan(index.segments(), texts.row(text));
            let keys = index.segments().iter().flat_map(|segment| &segment.keys);
            let rows = keys.copied().zip(scores.iter().copied());
            let is_there = |content| !index.clips_of(content).is_empty();
            best.extend(
                best_moments(rows, 1, is_there)
                    .first()
                    .map(|moment| moment.score),
            );
            pairs.extend(scores.iter().step_by(scores.len().div_ceil(SAMPLED).max(1)));
        }
        pairs.sort_by(f32::total_cmp);
        best.sort_by(f32::total_cmp);
        let pairs = match pairs.len() {
            0 => Vec::new(),
            count => (0..=STEPS)
                .map(|step| pairs[step * (count - 1) / STEPS])
                .collect(),
        };
        let calibration = Self {
            commit: index.last_commit(),
            pairs,
            best,
        };
        write_json(&path(index), &calibration)?;
        Ok(calibration)
    }

    /// What was measured of an index; none where that has changed since.
    pub(super) fn read(index: &VideoIndex) -> Result<Option<Self>, InferenceError> {
        let path = path(index);
        if !path.exists() {
            return Ok(None);
        }
        let calibration: Self = read_json(&path)?;
        Ok(Some(calibration).filter(|one| one.commit == index.last_commit()))
    }

    /// The share of pairs that score lower.
    pub(super) fn place(&self, score: f32) -> f32 {
        let below = self.pairs.partition_point(|&pair| pair < score);
        below as f32 / self.pairs.len().max(1) as f32
    }

    /// Whether the best score of a text says that something fits.
    pub(super) fn matches(&self, best: f32) -> bool {
        let allowed = (self.best.len() as f64 * (1.0 - FALSE_ALARMS)).ceil() as usize;
        let threshold = self
            .best
            .get(allowed.min(self.best.len().saturating_sub(1)));
        threshold.is_none_or(|&threshold| best > threshold)
    }
}

fn path(index: &VideoIndex) -> PathBuf {
    index.folder().join(CALIBRATION)
}
