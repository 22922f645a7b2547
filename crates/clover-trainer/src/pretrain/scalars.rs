//! The metrics of a step by name, as dashboards list them.

use super::StepMetrics;

impl StepMetrics {
    /// Every metric that a run watches, under `group/name`.
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

    /// Metrics that differ from each other.
    #[cfg(test)]
    pub(crate) fn of_step(step: u64) -> Self {
        Self {
            step,
            kind: super::StepKind::Video,
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
