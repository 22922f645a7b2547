//! How a fine-tuning run is shown while it goes.

use clover_trainer::finetune::{FinetuningEvent, FinetuningMetrics};

use crate::command::in_a_line;
use crate::output::{Verbosity, says};
use crate::progress::{enough_steps, of_no_batch};
use crate::step_bar::{ShownStep, StepBar, steps};

/// Shows a fine-tuning run.
#[derive(Debug)]
pub(crate) struct TuningProgress {
    bar: StepBar,
}

impl TuningProgress {
    /// Of a run that stops after so many steps, if it does.
    pub(crate) fn new(max_steps: Option<u64>) -> Self {
        Self {
            bar: StepBar::new("fine-tuning", max_steps),
        }
    }

    /// Shows one event.
    pub(crate) fn show(&mut self, event: &FinetuningEvent<'_>) {
        match event {
            FinetuningEvent::Started {
                parameters,
                items,
                unanswerable,
                left_over,
                total_steps,
                done_steps,
                ..
            } => {
                self.bar.start(*done_steps, *total_steps);
                let left_out = match unanswerable {
                    0 => String::new(),
                    some => format!(" ({some} more have no answer in the list)"),
                };
                self.bar.line(&format!(
                    "{items} items{left_out}, {parameters} parameters, {}",
                    steps(*done_steps, *total_steps)
                ));
                if *done_steps == 0 && *left_over > 0 {
                    self.bar.line(&of_no_batch(*left_over));
                }
            }
            FinetuningEvent::Planned {
                steps,
                step_seconds,
            } => self.bar.planned(*steps, *step_seconds),
            FinetuningEvent::EnoughSteps { done, max } => self.bar.line(&enough_steps(*done, *max)),
            FinetuningEvent::TextsCut(cut) => self.bar.line(&format!("warning: {cut}")),
            FinetuningEvent::Damage { what } => self.bar.line(what),
            FinetuningEvent::Saved(path) if says(Verbosity::Verbose) => {
                self.bar.line(&format!("saved {}", path.display()));
            }
            FinetuningEvent::Skipped(item) => self.bar.line(&format!("skipped {item}")),
            FinetuningEvent::Step(metrics) => self.step(metrics),
            FinetuningEvent::Validating { done, total } => {
                self.bar
                    .message(format!("{done} of {total} validation items"));
            }
            FinetuningEvent::Validated { metrics, best } => {
                let best = if *best { ", the best so far" } else { "" };
                self.bar.line(&format!(
                    "{} after step {}: {}{best}",
                    metrics.split,
                    metrics.step,
                    in_a_line(&metrics.metrics)
                ));
            }
            // The others are for programs that keep account of a run.
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish();
    }

    fn step(&mut self, metrics: &FinetuningMetrics) {
        let step = ShownStep {
            step: metrics.step,
            items: metrics.items,
            unit: "items",
            seconds: metrics.data_seconds + metrics.step_seconds,
            loss: metrics.loss,
            skipped: metrics.skipped,
        };
        self.bar.step(&step, || {
            format!(
                "loss {:.3}, |g| {:.2}, lr {:.1e}, skipped {}",
                metrics.loss, metrics.gradient_norm, metrics.learning_rate, metrics.skipped
            )
        });
    }
}
