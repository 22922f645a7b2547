//! The report of a fine-tuning run.

use super::run_facts::{left_out, settings};
use super::{Chart, Curve, Report};
use crate::TrainerError;
use crate::finetune::{FinetuningMetrics, FinetuningSummary};
use crate::recipe::{Recipe, TaskRecipe};

impl Report {
    /// The curves of a run, and what it can be repeated from.
    ///
    /// # Errors
    ///
    /// The recipe cannot be written as a file.
    pub fn of_finetuning(
        name: &str,
        recipe: &TaskRecipe,
        summary: &FinetuningSummary,
    ) -> Result<Self, TrainerError> {
        Ok(Self {
            title: format!("Fine-tuning: {name}"),
            settings: settings(&recipe.to_toml()?),
            charts: charts(summary),
            skipped: left_out(&summary.skipped),
            ..Self::default()
        })
    }
}

fn charts(summary: &FinetuningSummary) -> Vec<Chart> {
    let curve = |name: &str, value: fn(&FinetuningMetrics) -> f64| {
        let points = summary.metrics.iter().map(|step| (step.step, value(step)));
        Curve {
            name: name.to_owned(),
            points: points.collect(),
        }
    };
    let chart = |title: &str, curves: Vec<Curve>| Chart {
        title: title.to_owned(),
        curves,
    };
    let scores = summary.validations.iter();
    let scores = Curve {
        name: "score".to_owned(),
        points: scores.map(|line| (line.step, line.score)).collect(),
    };
    vec![
        chart("Loss", vec![curve("loss", |step| step.loss)]),
        chart(
            "Validation: accuracy in percent, or the sum of the six recalls",
            vec![scores],
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
            "Seconds",
            vec![
                curve("computing", |step| step.step_seconds),
                curve("waiting for data", |step| step.data_seconds),
            ],
        ),
    ]
}
