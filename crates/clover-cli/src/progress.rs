//! Progress bars, with rate and time left; plain lines where there is no terminal.

use clover_trainer::pretrain::{PretrainingEvent, StepMetrics, ValidationMetrics};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{Verbosity, says};
use crate::step_bar::{ShownStep, StepBar, steps};

/// Shows a pre-training run.
#[derive(Debug)]
pub(crate) struct TrainingProgress {
    bar: StepBar,
}

/// A bar over `total` items of one kind of work.
pub(crate) fn bar(label: &'static str, total: u64) -> ProgressBar {
    let template = "{prefix} {wide_bar} {pos}/{len} {per_sec} left {eta} {msg}";
    let bar = bar_as(template, total);
    bar.set_prefix(label);
    bar
}

/// A bar of another form; none is drawn where nothing is to be said.
pub(crate) fn bar_as(template: &str, total: u64) -> ProgressBar {
    let target = match says(Verbosity::Normal) {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

impl TrainingProgress {
    /// Of a run that stops after so many steps, if it does.
    pub(crate) fn new(max_steps: Option<u64>) -> Self {
        Self {
            bar: StepBar::new("training", max_steps),
        }
    }

    /// Shows one event.
    pub(crate) fn show(&mut self, event: &PretrainingEvent<'_>) {
        match event {
            PretrainingEvent::Started {
                parameters,
                items,
                images,
                left_over,
                total_steps,
                done_steps,
                ..
            } => {
                self.bar.start(*done_steps, *total_steps);
                let images = match images {
                    0 => String::new(),
                    images => format!(" and {images} images in turn"),
                };
                self.bar.line(&format!(
                    "{items} pairs{images}, {parameters} parameters, {}",
                    steps(*done_steps, *total_steps)
                ));
                if *done_steps == 0 && *left_over > 0 {
                    self.bar.line(&of_no_batch(*left_over));
                }
            }
            PretrainingEvent::StartsFrom { folder, report } => {
                self.bar
                    .line(&format!("starts from {}: {report}", folder.display()));
            }
            PretrainingEvent::Planned {
                steps,
                step_seconds,
            } => self.bar.planned(*steps, *step_seconds),
            PretrainingEvent::EnoughSteps { done, max } => {
                self.bar.line(&enough_steps(*done, *max));
            }
            PretrainingEvent::TextsCut(cut) => self.bar.line(&format!("warning: {cut}")),
            PretrainingEvent::PiecesUnused(unused) => {
                self.bar.line(&format!("warning: {unused}"));
            }
            PretrainingEvent::Damage { what } => self.bar.line(what),
            PretrainingEvent::Saved(path) if says(Verbosity::Verbose) => {
                self.bar.line(&format!("saved {}", path.display()));
            }
            PretrainingEvent::Skipped(item) => {
                self.bar.line(&format!("skipped {item}"));
            }
            PretrainingEvent::Step(metrics) => self.step(metrics),
            PretrainingEvent::Validating { done, total } => {
                self.bar
                    .message(format!("validation: {done} of {total} pairs"));
            }
            PretrainingEvent::Validated { metrics, best } => {
                self.bar.line(&validation_line(metrics, *best));
            }
            // The others are for programs that keep account of a run.
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish();
    }

    fn step(&mut self, metrics: &StepMetrics) {
        let step = ShownStep {
            step: metrics.step,
            items: metrics.pairs,
            unit: "clips",
            loss: metrics.total,
            skipped: metrics.skipped,
        };
        self.bar.step(&step, || {
            format!(
                "loss {:.3} = word {:.3} + align {:.3} {:.3} + rank {:.3} {:.3}, similar {:.2} {:.2}, \
                 |g| {:.2}, lr {:.1e}, skipped {}",
                metrics.total,
                metrics.word,
                metrics.video_alignment,
                metrics.text_alignment,
                metrics.video_ranking,
                metrics.text_ranking,
                metrics.positive_similarity,
                metrics.negative_similarity,
                metrics.gradient_norm,
                metrics.learning_rate,
                metrics.skipped
            )
        });
    }
}

/// What becomes of an epoch's rest.
pub(crate) fn of_no_batch(left_over: usize) -> String {
    format!("an epoch leaves out {left_over} of them, others each time, which make no whole batch")
}

/// Why a run that was resumed makes no step.
pub(crate) fn enough_steps(done: u64, max: u64) -> String {
    format!("{done} steps are done, and --max-steps {max} allows no more: nothing was trained")
}

fn validation_line(metrics: &ValidationMetrics, best: bool) -> String {
    let retrieval = &metrics.retrieval;
    let [texts, clips] = [&retrieval.text_to_video, &retrieval.video_to_text].map(|metrics| {
        format!(
            "R@1 {:.1} R@5 {:.1} R@10 {:.1} median {} mean {:.1}",
            metrics.recall_at_1,
            metrics.recall_at_5,
            metrics.recall_at_10,
            metrics.median_rank,
            metrics.mean_rank
        )
    });
    let skills = metrics.skills.iter();
    let skills = skills.map(|one| format!(" {} {:.1}", one.skill, 100.0 * one.accuracy));
    let skills: Vec<String> = skills.collect();
    let told_apart = match skills.is_empty() {
        true => String::new(),
        false => format!("; told apart:{}", skills.join(",")),
    };
    format!(
        "validation after step {}: text to video {texts}; video to text {clips}; recalls {:.1} in \
         all{}{told_apart}",
        metrics.step,
        retrieval.recall_sum,
        if best { ", the best so far" } else { "" }
    )
}
