//! The report of a pre-training run.

use super::run_facts::{left_out, settings};
use super::{Report, training_charts};
use crate::TrainerError;
use crate::pretrain::PretrainingSummary;
use crate::recipe::{PretrainingRecipe, Recipe};

impl Report {
    /// The curves of a run, what it was trained with, and what it left out.
    ///
    /// # Errors
    ///
    /// The recipe cannot be written as TOML, as [`PretrainingRecipe::to_toml`].
    pub fn of_pretraining(
        recipe: &PretrainingRecipe,
        summary: &PretrainingSummary,
    ) -> Result<Self, TrainerError> {
        let sum = |seconds: fn(&_) -> f64| summary.metrics.iter().map(seconds).sum::<f64>();
        Ok(Self {
            title: "Pre-training of Clover".to_owned(),
            settings: settings(&recipe.to_toml()?),
            seconds: vec![
                ("computing".to_owned(), sum(|step| step.step_seconds)),
                ("waiting for data".to_owned(), sum(|step| step.data_seconds)),
            ],
            charts: training_charts(&summary.metrics),
            skipped: left_out(&summary.skipped),
            ..Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pretrain::StepMetrics;
    use clover_data::dataset::SkippedItem;

    fn summary(skipped: usize) -> PretrainingSummary {
        PretrainingSummary {
            bundle: "bundle".into(),
            best: None,
            metrics: (1..=3).map(StepMetrics::of_step).collect(),
            skipped: (0..skipped)
                .map(|item| SkippedItem {
                    name: format!("{item}.mp4"),
                    reason: "no moov".to_owned(),
                })
                .collect(),
            validations: Vec::new(),
            finished: true,
        }
    }

    #[test]
    fn the_page_has_every_figure_of_a_step_and_every_key_of_the_recipe() {
        let recipe = PretrainingRecipe::shipped("demo").unwrap();

        let report = Report::of_pretraining(&recipe, &summary(1)).unwrap();

        let drawn: Vec<f64> = report
            .charts
            .iter()
            .flat_map(|chart| &chart.curves)
            .map(|curve| curve.points[0].1)
            .collect();
        for (name, value) in StepMetrics::of_step(1).scalars() {
            let wanted = name != "data/epoch";
            assert_eq!(drawn.contains(&value), wanted, "{name}");
        }
        assert!(
            report
                .settings
                .contains(&("precision".to_owned(), "f32".to_owned()))
        );
        assert!(
            report
                .settings
                .contains(&("seed".to_owned(), "0".to_owned()))
        );
        assert_eq!(report.skipped, [("0.mp4".to_owned(), "no moov".to_owned())]);
    }

    #[test]
    fn of_many_skipped_items_the_page_names_some() {
        let recipe = PretrainingRecipe::shipped("demo").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");

        let report = Report::of_pretraining(&recipe, &summary(250)).unwrap();
        report.write_html(&path).unwrap();

        let page = std::fs::read_to_string(&path).unwrap();
        assert!(page.contains("Left out: 250") && page.contains("and 50 more"));
        assert!(page.contains(">199.mp4<") && !page.contains(">200.mp4<"));
    }
}
