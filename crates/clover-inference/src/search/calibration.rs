//! What scores mean in one library: how texts that have nothing to do with it score.
//!
//! Cosines differ from model to model and from library to library, so that no fixed number says whether a
//! clip fits. Neutral texts are compared with every clip once, when the index is brought up to date.

use std::path::PathBuf;

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::moments::best_moments;
use crate::bundle::{read_json, write_json};
use crate::index::VideoIndex;
use crate::{Embedder, InferenceError, NeutralTexts};

const CALIBRATION: &str = "calibration.json";
/// Steps of the distribution of scores that is kept.
const STEPS: usize = 1_000;
/// Scores of one text that the distribution is made of, at most.
const SAMPLED: usize = 4_096;
/// The share of neutral texts that may be taken for something in the library.
const FALSE_ALARMS: f64 = 0.05;
/// The share of texts that may be taken for nothing in the library though their own clip is there.
const MISSES: f64 = 0.1;
/// The share of pairs that half the texts must beat with their own clips, or the model cannot tell whether a
/// text's clip is there.
const TOLD_APART: f32 = 0.95;

/// How neutral texts score in an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The commit of the index that it was measured at.
    commit: u64,
    /// Scores of pairs, from the lowest to the highest, at equal steps of their number.
    pairs: Vec<f32>,
    /// The best score that says that something fits: above those of all but a twentieth of the neutral
    /// texts, or, where such texts may well be true of this library, above those of a tenth of the texts
    /// with their own clips in it.
    threshold: f32,
    /// Whether texts hardly score higher with their own clips than with others, so that a high score says
    /// nothing.
    #[serde(default)]
    blind: bool,
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
        neutral: &NeutralTexts,
    ) -> Result<Self, InferenceError> {
        let texts = embedder.embed_texts(&neutral.texts)?;
        let (mut pairs, mut best, mut with_own) = (Vec::new(), Vec::new(), Vec::new());
        for text in 0..texts.rows() {
            let scores = index.scores(texts.row(text));
            let is_there = |content| !index.clips_of(content).is_empty();
            if let Some(moment) = best_moments(&index.parts(&scores), 1, is_there).first() {
                best.push(moment.score);
                // With its own clip in the library, the best is that one or one that scores higher yet.
                let own = neutral.own_scores.get(text);
                with_own.extend(own.map(|own| own.max(moment.score)));
            }
            pairs.extend(scores.iter().step_by(scores.len().div_ceil(SAMPLED).max(1)));
        }
        pairs.sort_by(f32::total_cmp);
        let threshold = [
            quantile(best, 1.0 - FALSE_ALARMS),
            quantile(with_own, MISSES),
        ];
        let threshold = threshold
            .into_iter()
            .flatten()
            .fold(f32::INFINITY, f32::min);
        let pairs = match pairs.len() {
            0 => Vec::new(),
            count => (0..=STEPS)
                .map(|step| pairs[step * (count - 1) / STEPS])
                .collect(),
        };
        let mut calibration = Self {
            commit: index.last_commit(),
            pairs,
            blind: false,
            // Nothing to measure by: whatever is best may fit.
            threshold: if threshold.is_finite() {
                threshold
            } else {
                -1.0
            },
        };
        let own = quantile(neutral.own_scores.clone(), 0.5);
        calibration.blind = own.is_some_and(|own| calibration.place(own) < TOLD_APART);
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

    /// Whether the best score of a text says that something fits; none where a high score says nothing.
    pub(super) fn matches(&self, best: f32) -> Option<bool> {
        match (best > self.threshold, self.blind) {
            (true, true) => None,
            (fits, _) => Some(fits),
        }
    }
}

/// The score that such a share lies below; none where there are no scores.
fn quantile(mut scores: Vec<f32>, share: f64) -> Option<f32> {
    scores.sort_by(f32::total_cmp);
    let at = (scores.len() as f64 * share) as usize;
    scores.get(at.min(scores.len().saturating_sub(1))).copied()
}

fn path(index: &VideoIndex) -> PathBuf {
    index.folder().join(CALIBRATION)
}
