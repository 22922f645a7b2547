//! What a pre-training step measures.

use serde::{Deserialize, Serialize};

use crate::run::metrics_file::Measured;
use crate::run::{StepDone, StepKind};

/// What a step measured; one line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepMetrics {
    /// Optimizer steps done, this one included.
    pub step: u64,
    /// What it was made on: videos, or images where a run has both.
    #[serde(default)]
    pub kind: StepKind,
    /// The epoch, from zero.
    pub epoch: u64,
    /// The sum of the five terms that follow.
    pub total: f64,
    /// Focal word loss.
    pub word: f64,
    /// Alignment anchored at the video.
    pub video_alignment: f64,
    /// Ranking anchored at the video.
    pub video_ranking: f64,
    /// Alignment anchored at the text.
    pub text_alignment: f64,
    /// Ranking anchored at the text.
    pub text_ranking: f64,
    /// Mean cosine over the temperature of a video and its own text.
    pub positive_similarity: f64,
    /// The same of a video and the other texts of the batch; zero where there is none.
    pub negative_similarity: f64,
    /// Global gradient norm before clipping.
    pub gradient_norm: f64,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// Pairs in the batch.
    pub pairs: usize,
    /// Items left out so far.
    pub skipped: usize,
    /// Seconds spent waiting for the batch.
    pub data_seconds: f64,
    /// Seconds the step took, without waiting.
    pub step_seconds: f64,
    /// Pairs a second, waiting included.
    pub clips_per_second: f64,
}

impl Measured for StepMetrics {
    fn step(&self) -> u64 {
        self.step
    }
}

impl StepMetrics {
    /// Of a step with the five terms of the loss, which watched the similarity of positives and of
    /// negatives.
    pub(super) fn of_done(done: StepDone) -> Self {
        let value = |values: &[f64], at: usize| values.get(at).copied().unwrap_or(f64::NAN);
        let values = done.values;
        let term = |at| value(&values.terms, at);
        Self {
            step: done.step,
            kind: done.kind,
            epoch: done.epoch,
            total: values.loss(),
            word: term(0),
            video_alignment: term(1),
            video_ranking: term(2),
            text_alignment: term(3),
            text_ranking: term(4),
            positive_similarity: value(&values.watched, 0),
            negative_similarity: value(&values.watched, 1),
            gradient_norm: values.gradient_norm,
            learning_rate: done.learning_rate,
            pairs: values.items,
            skipped: done.skipped,
            data_seconds: done.data_seconds,
            step_seconds: done.step_seconds,
            clips_per_second: done.items_per_second,
        }
    }

    /// Everything that is measured, under `group/name`, as dashboards list it.
    #[must_use]
    pub fn scalars(&self) -> [(&'static str, f64); 15] {
        [
            ("loss/total", self.total),
            ("loss/word", self.word),
            ("loss/video_alignment", self.video_alignment),
            ("loss/video_ranking", self.video_ranking),
            ("loss/text_alignment", self.text_alignment),
            ("loss/text_ranking", self.text_ranking),
            ("similarity/positive", self.positive_similarity),
            ("similarity/negative", self.negative_similarity),
            ("optimizer/gradient_norm", self.gradient_norm),
            ("optimizer/learning_rate", self.learning_rate),
            ("data/epoch", self.epoch as f64),
            ("data/skipped", self.skipped as f64),
            ("data/waiting_seconds", self.data_seconds),
            ("speed/step_seconds", self.step_seconds),
            ("speed/clips_per_second", self.clips_per_second),
        ]
    }

    /// Values that differ from each other.
    #[cfg(test)]
    pub(crate) fn of_step(step: u64) -> Self {
        Self {
            step,
            kind: StepKind::Video,
            epoch: 1,
            total: 15.0,
            word: 5.5,
            video_alignment: 4.25,
            video_ranking: 3.125,
            text_alignment: 2.0,
            text_ranking: 0.125,
            positive_similarity: 4.0,
            negative_similarity: -4.0,
            gradient_norm: 7.0,
            learning_rate: 0.1,
            pairs: 8,
            skipped: 9,
            data_seconds: 0.25,
            step_seconds: 0.75,
            clips_per_second: 8.0,
        }
    }
}
