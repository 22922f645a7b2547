//! The reports of training runs: what was measured by step, what a run was trained with, and what it
//! left out.

use clover_data::dataset::SkippedItem;

use super::{Chart, Curve, Report};
use crate::TrainerError;
use crate::evaluate::TaskMetrics;
use crate::finetune::{FinetuningMetrics, FinetuningSummary};
use crate::metric::RetrievalMetrics;
use crate::pretrain::{PretrainingSummary, StepMetrics, ValidationMetrics};
use crate::recipe::{PretrainingRecipe, Recipe, TaskRecipe};
use crate::run::RunSummary;

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
        let best = summary.best.as_ref().map(|best| {
            let retrieval = &best.metrics.retrieval;
            let [texts, clips] = [&retrieval.text_to_video, &retrieval.video_to_text]
                .map(|metrics| metrics.recall_at_1);
            let step = best.metrics.step;
            format!("Best on the validation list after step {step}: R@1 {texts:.1} % text to video, {clips:.1} % video to text.")
        });
        let losses: Vec<_> = summary.metrics.iter().map(|step| step.total).collect();
        Ok(Self {
            title: "Pre-training of Clover".to_owned(),
            summary: run_summary(&losses, ended(summary), best),
            settings: settings(&recipe.to_toml()?),
            seconds: vec![
                ("computing".to_owned(), sum(|step| step.step_seconds)),
                ("waiting for data".to_owned(), sum(|step| step.data_seconds)),
            ],
            charts: pretraining_charts(summary),
            skipped: left_out(&summary.skipped),
            ..Self::default()
        })
    }

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
        let best = summary.best.as_ref().map(|best| {
            let best = &best.metrics;
            let (split, step, score) = (&best.split, best.step, best.score);
            match &best.metrics {
                TaskMetrics::Retrieval(_) => {
                    format!("Best by {split} after step {step}: recalls of {score:.1} in all.")
                }
                TaskMetrics::Answers(_) => {
                    format!("Best by {split} after step {step}: accuracy {score:.1} %.")
                }
            }
        });
        let losses: Vec<_> = summary.metrics.iter().map(|step| step.loss).collect();
        Ok(Self {
            title: format!("Fine-tuning: {name}"),
            summary: run_summary(&losses, ended(summary), best),
            settings: settings(&recipe.to_toml()?),
            charts: finetuning_charts(summary),
            skipped: left_out(&summary.skipped),
            ..Self::default()
        })
    }
}

/// Charts of one line after another: titles, and what their curves show of a line.
type Table<M> = &'static [(&'static str, &'static [(&'static str, fn(&M) -> f64)])];

const PRETRAINING_LOSSES: Table<StepMetrics> = &[(
    "Losses",
    &[
        ("total", |step| step.total),
        ("masked words", |step| step.word),
        ("alignment, anchored at the video", |step| {
            step.video_alignment
        }),
        ("alignment, anchored at the text", |step| {
            step.text_alignment
        }),
        ("ranking, anchored at the video", |step| step.video_ranking),
        ("ranking, anchored at the text", |step| step.text_ranking),
    ],
)];

const PRETRAINING: Table<StepMetrics> = &[
    (
        "Similarity of video and text, over the temperature",
        &[
            ("of a pair", |step| step.positive_similarity),
            ("of different pairs", |step| step.negative_similarity),
        ],
    ),
    (
        "Gradient norm before clipping",
        &[("gradient norm", |step| step.gradient_norm)],
    ),
    (
        "Learning rate",
        &[("learning rate", |step| step.learning_rate)],
    ),
    (
        "Clips per second, waiting included",
        &[("clips per second", |step| step.clips_per_second)],
    ),
    (
        "Seconds",
        &[
            ("computing", |step| step.step_seconds),
            ("waiting for data", |step| step.data_seconds),
        ],
    ),
    (
        "Items left out so far",
        &[("items", |step| step.skipped as f64)],
    ),
];

const FINETUNING_LOSS: Table<FinetuningMetrics> = &[("Loss", &[("loss", |step| step.loss)])];

const FINETUNING: Table<FinetuningMetrics> = &[
    (
        "Gradient norm before clipping",
        &[("gradient norm", |step| step.gradient_norm)],
    ),
    (
        "Learning rate",
        &[("learning rate", |step| step.learning_rate)],
    ),
    (
        "Seconds",
        &[
            ("computing", |step| step.step_seconds),
            ("waiting for data", |step| step.data_seconds),
        ],
    ),
];

/// A step, and retrieval of validation after it: text to video, and video to text.
type Recalls = (u64, [RetrievalMetrics; 2]);

const RECALLS: Table<Recalls> = &[
    (
        "Validation, recall in percent",
        &[
            ("R@1 text to video", |line| line.1[0].recall_at_1),
            ("R@1 video to text", |line| line.1[1].recall_at_1),
            ("R@5 text to video", |line| line.1[0].recall_at_5),
            ("R@5 video to text", |line| line.1[1].recall_at_5),
            ("R@10 text to video", |line| line.1[0].recall_at_10),
            ("R@10 video to text", |line| line.1[1].recall_at_10),
        ],
    ),
    (
        "Validation, median rank",
        &[
            ("text to video", |line| line.1[0].median_rank),
            ("video to text", |line| line.1[1].median_rank),
        ],
    ),
];

const ACCURACY: Table<(u64, f64)> = &[(
    "Validation, accuracy in percent",
    &[("accuracy", |line| line.1)],
)];

/// Losses, validation with what is told apart, similarities, gradient norm, learning rate, speed and skipped items of a
/// pre-training run, by step.
#[must_use]
pub fn pretraining_charts(summary: &PretrainingSummary) -> Vec<Chart> {
    let recalls = summary.validations.iter().map(|line| {
        let retrieval = line.retrieval.clone();
        (
            line.step,
            [retrieval.text_to_video, retrieval.video_to_text],
        )
    });
    let recalls: Vec<Recalls> = recalls.collect();
    [
        charts(PRETRAINING_LOSSES, &summary.metrics, |step| step.step),
        charts(RECALLS, &recalls, |line| line.0),
        skills_chart(&summary.validations),
        charts(PRETRAINING, &summary.metrics, |step| step.step),
    ]
    .concat()
}

/// What is told apart, a curve a skill; none where no line has pair tests.
fn skills_chart(lines: &[ValidationMetrics]) -> Vec<Chart> {
    let mut curves: Vec<Curve> = Vec::new();
    for line in lines {
        for one in &line.skills {
            let point = (line.step, 100.0 * one.accuracy);
            match curves.iter_mut().find(|curve| curve.name == one.skill) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve {
                    name: one.skill.clone(),
                    points: vec![point],
                }),
            }
        }
    }
    let title = "Pairs told apart, in percent; 50 by chance";
    let chart = (!curves.is_empty()).then(|| Chart::new(title, curves));
    chart.into_iter().collect()
}

fn finetuning_charts(summary: &FinetuningSummary) -> Vec<Chart> {
    let (mut recalls, mut accuracy) = (Vec::new(), Vec::new());
    for line in &summary.validations {
        match &line.metrics {
            TaskMetrics::Retrieval(found) => {
                let both = [&found.text_to_video, &found.video_to_text];
                recalls.push((line.step, both.map(|one| one.metrics.clone())));
            }
            TaskMetrics::Answers(_) => accuracy.push((line.step, line.score)),
        }
    }
    [
        charts(FINETUNING_LOSS, &summary.metrics, |step| step.step),
        charts(RECALLS, &recalls, |line| line.0),
        charts(ACCURACY, &accuracy, |line| line.0),
        charts(FINETUNING, &summary.metrics, |step| step.step),
    ]
    .concat()
}

/// None where there are no lines.
fn charts<M>(table: Table<M>, lines: &[M], step: fn(&M) -> u64) -> Vec<Chart> {
    let table = table.iter().filter(|_| !lines.is_empty());
    table
        .map(|(title, curves)| {
            let curves = curves.iter().map(|(name, value)| Curve {
                name: (*name).to_owned(),
                points: lines.iter().map(|line| (step(line), value(line))).collect(),
            });
            Chart::new(title, curves.collect())
        })
        .collect()
}

/// Whether more steps were planned.
fn ended<M, V>(summary: &RunSummary<M, V>) -> &'static str {
    match (summary.finished, summary.stopped_early) {
        (true, None) => "",
        (true, Some(_)) => ", stopped early as validation did not get better",
        (false, _) => ", not all of the run",
    }
}

/// The line on top: steps, the loss at first and at last, and the best of validation.
fn run_summary(losses: &[f64], ended: &str, best: Option<String>) -> String {
    let [first, .., last] = losses else {
        return best.unwrap_or_default();
    };
    let steps = losses.len();
    let loss = format!("{steps} steps{ended}: loss {first:.3} at first, {last:.3} at last.");
    best.into_iter()
        .fold(loss, |all, best| format!("{all} {best}"))
}

/// The keys of a recipe that was written as TOML, with their values.
fn settings(recipe: &str) -> Vec<(String, String)> {
    let keys = recipe.lines().filter_map(|line| line.split_once(" = "));
    keys.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

/// Names and reasons.
fn left_out(skipped: &[SkippedItem]) -> Vec<(String, String)> {
    let skipped = skipped.iter();
    skipped
        .map(|item| (item.name.clone(), item.reason.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{ListRetrieval, SkillAccuracy};
    use crate::pretrain::ValidationMetrics;
    use crate::run::BestModel;

    fn summary(skipped: usize) -> PretrainingSummary {
        PretrainingSummary {
            bundle: "bundle".into(),
            best: None,
            metrics: (1..=3).map(StepMetrics::of_step).collect(),
            validations: Vec::new(),
            skipped: (0..skipped)
                .map(|item| SkippedItem {
                    name: format!("{item}.mp4"),
                    reason: "no moov".to_owned(),
                })
                .collect(),
            finished: true,
            stopped_early: None,
        }
    }

    fn validation(step: u64) -> ValidationMetrics {
        let metrics = |offset: f64| RetrievalMetrics {
            recall_at_1: offset + step as f64,
            recall_at_5: offset + 20.0 + step as f64,
            recall_at_10: offset + 40.0 + step as f64,
            median_rank: offset + 60.0,
            mean_rank: 9.0,
            queries: 50,
            candidates: 50,
        };
        ValidationMetrics {
            step,
            epoch: 0,
            retrieval: ListRetrieval {
                recall_sum: 0.0,
                text_to_video: metrics(0.5),
                video_to_text: metrics(1.5),
            },
            skills: Vec::new(),
            skipped: 0,
            seconds: 1.0,
        }
    }

    #[test]
    fn the_page_has_every_metric_of_a_step_and_every_key_of_the_recipe() {
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
        assert!(
            !report
                .charts
                .iter()
                .any(|chart| chart.title.contains("Validation"))
        );
    }

    #[test]
    fn validation_is_drawn_and_its_best_stands_on_top() {
        let recipe = PretrainingRecipe::shipped("demo").unwrap();
        let validations = vec![validation(2), validation(3)];
        let summary = PretrainingSummary {
            best: Some(BestModel {
                folder: "best".into(),
                metrics: validations[1].clone(),
            }),
            validations,
            ..summary(0)
        };

        let report = Report::of_pretraining(&recipe, &summary).unwrap();

        let recalls = report
            .charts
            .iter()
            .find(|chart| chart.title == "Validation, recall in percent")
            .unwrap();
        let [r_at_1, back, .., last] = &recalls.curves[..] else {
            panic!("{recalls:?}");
        };
        assert_eq!(r_at_1.name, "R@1 text to video");
        assert_eq!(r_at_1.points, [(2, 2.5), (3, 3.5)]);
        assert_eq!(back.points, [(2, 3.5), (3, 4.5)]);
        assert_eq!(last.name, "R@10 video to text");
        let best = "after step 3: R@1 3.5 % text to video, 4.5 % video to text.";
        assert!(report.summary.ends_with(best), "{}", report.summary);
    }

    #[test]
    fn what_is_told_apart_is_a_curve_a_skill() {
        let line = |step, [color, shape]: [usize; 2]| ValidationMetrics {
            skills: vec![
                SkillAccuracy::new("color", [color, 0, 10]),
                SkillAccuracy::new("shape", [shape, 0, 10]),
            ],
            ..validation(step)
        };
        let summary = PretrainingSummary {
            // The pair tests came later.
            validations: vec![validation(1), line(2, [5, 6]), line(3, [9, 7])],
            ..summary(0)
        };

        let charts = pretraining_charts(&summary);

        let drawn = charts
            .iter()
            .find(|chart| chart.title.starts_with("Pairs told apart"));
        let [color, shape] = &drawn.unwrap().curves[..] else {
            panic!("{drawn:?}");
        };
        assert_eq!((&*color.name, &*shape.name), ("color", "shape"));
        assert_eq!(color.points, [(2, 50.0), (3, 90.0)]);
        assert_eq!(shape.points, [(2, 60.0), (3, 70.0)]);
        let scalars = line(3, [9, 7]).scalars();
        assert!(scalars.contains(&("validation_pair_tests/shape".into(), 70.0)));
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
