//! Progress bars, with rate and time left; plain lines where there is no terminal.

use std::fmt::Write;
use std::time::Duration;

use clover_trainer::pretrain::{PretrainingEvent, StepMetrics, ValidationMetrics};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::output::{Verbosity, says};
use crate::step_bar::{ShownStep, StepBar, brief, in_words, steps};

/// After so many steps it is told that a run will be long.
const FIRST_STEPS: u32 = 5;
/// What is long.
const LONG: Duration = Duration::from_secs(2 * 60 * 60);

/// A bar that counts items.
const COUNTING: &str = "{prefix} {wide_bar} {pos}/{len} {rate}/s left {eta} {msg}";
/// One that does not know yet how many there are.
const WAITING: &str = "{prefix} {msg}";

/// Shows a pre-training run.
#[derive(Debug)]
pub(crate) struct TrainingProgress {
    bar: StepBar,
    /// Steps that were made here, of a run that begins and whose time was not given.
    first_steps: Option<u32>,
}

/// A bar over `total` items of one kind of work; 0 where it is not known yet.
pub(crate) fn bar(label: &'static str, total: u64) -> ProgressBar {
    let template = if total == 0 { WAITING } else { COUNTING };
    let bar = bar_as(template, total);
    bar.set_prefix(label);
    bar.tick();
    bar
}

/// So many of so many items are done.
pub(crate) fn advance(bar: &ProgressBar, done: usize, total: usize) {
    let total = total as u64;
    if bar.length() != Some(total) {
        set_template(bar, COUNTING);
        bar.set_length(total);
    }
    bar.set_position(done as u64);
}

/// A bar of another form; none is drawn where nothing is to be said.
pub(crate) fn bar_as(template: &str, total: u64) -> ProgressBar {
    let target = match says(Verbosity::Normal) {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    set_template(&bar, template);
    bar
}

/// Gives a bar another form.
pub(crate) fn set_template(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        let rate = |state: &ProgressState, out: &mut dyn Write| {
            let _ = out.write_str(&brief(state.per_sec()));
        };
        bar.set_style(style.with_key("rate", rate));
    }
}

impl TrainingProgress {
    /// Of a run that stops after so many steps, if it does.
    pub(crate) fn new(max_steps: Option<u64>) -> Self {
        Self {
            bar: StepBar::new("training", max_steps),
            first_steps: None,
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
                self.first_steps = (*done_steps == 0 && *total_steps > 0).then_some(0);
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
            seconds: metrics.data_seconds + metrics.step_seconds,
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
        if let Some(made) = self.first_steps.as_mut() {
            *made += 1;
            if *made == FIRST_STEPS {
                self.first_steps = None;
                if let Some(hint) = self.bar.left().and_then(shorter) {
                    self.bar.line(&hint);
                }
            }
        }
    }
}

/// What makes a run shorter, if it takes long.
fn shorter(left: Duration) -> Option<String> {
    (left > LONG).then(|| {
        format!(
            "hint: by its first steps this run takes {} more; `--time 30m` plans as many steps as fit into half an \
             hour, and a smaller `image_size` or fewer `frames` make each step cheaper (`clover help training`)",
            in_words(left)
        )
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_more_than_two_hours_is_told_how_to_be_shorter() {
        assert_eq!(shorter(LONG), None);
        let hint = shorter(Duration::from_secs(22 * 3_600)).unwrap();

        for part in ["22h00m", "`--time 30m`", "`image_size`"] {
            assert!(hint.contains(part), "{hint}");
        }
    }

    #[test]
    fn a_bar_knows_its_total_when_it_is_told() {
        let bar = bar("measuring", 0);

        advance(&bar, 3, 12);

        assert_eq!((bar.position(), bar.length()), (3, Some(12)));
    }
}
