//! The charts of a pre-training run.

use super::{Chart, Curve};
use crate::pretrain::StepMetrics;

/// Losses, similarities, gradient norm, learning rate, speed and skipped items of a pre-training
/// run, by step.
#[must_use]
pub fn training_charts(metrics: &[StepMetrics]) -> Vec<Chart> {
    let curve = |name: &str, value: fn(&StepMetrics) -> f64| Curve {
        name: name.to_owned(),
        points: metrics
            .iter()
            .map(|step| (step.step, value(step)))
            .collect(),
    };
    let chart = |title: &str, curves: Vec<Curve>| Chart {
        title: title.to_owned(),
        curves,
    };
    vec![
        chart(
            "Losses",
            vec![
                curve("total", |step| step.total),
                curve("masked words", |step| step.word),
                curve("alignment, anchored at the video", |step| {
                    step.video_alignment
                }),
                curve("alignment, anchored at the text", |step| {
                    step.text_alignment
                }),
                curve("ranking, anchored at the video", |step| step.video_ranking),
                curve("ranking, anchored at the text", |step| step.text_ranking),
            ],
        ),
        chart(
            "Similarity of video and text, over the temperature",
            vec![
                curve("of a pair", |step| step.positive_similarity),
                curve("of different pairs", |step| step.negative_similarity),
            ],
        ),
        chart(
            "Gradient norm before clipping",
            vec![curve("gradient norm", |step| step.gradient_norm)],
        ),
        chart(
            "Learning rate",
            vec![curve("learning rate", |step| step.learning_rate)],
        ),
        chart(
            "Clips per second, waiting included",
            vec![curve("clips per second", |step| step.clips_per_second)],
        ),
        chart(
            "Seconds",
            vec![
                curve("computing", |step| step.step_seconds),
                curve("waiting for data", |step| step.data_seconds),
            ],
        ),
        chart(
            "Items left out so far",
            vec![curve("items", |step| step.skipped as f64)],
        ),
    ]
}
