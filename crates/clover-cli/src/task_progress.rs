//! How a fine-tuning run is shown while it goes.

use std::time::{Duration, Instant};

use clover_trainer::finetune::{FinetuningEvent, FinetuningMetrics};
use indicatif::ProgressBar;

use crate::command::in_a_line;
use crate::progress::{bar, say};

/// Without a terminal a line is printed this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows a fine-tuning run.
#[derive(Debug)]
pub(crate) struct TuningProgress {
    bar: ProgressBar,
    last_line: Option<Instant>,
    started: Instant,
    items: usize,
}

impl TuningProgress {
    pub(crate) fn new() -> Self {
        Self {
            bar: bar("fine-tuning", 0),
            last_line: None,
            started: Instant::now(),
            items: 0,
        }
    }

    /// Shows one event.
    pub(crate) fn show(&mut self, event: &FinetuningEvent<'_>) {
        match event {
            FinetuningEvent::Started {
                parameters,
                items,
                unanswerable,
                total_steps,
                done_steps,
            } => {
                self.bar.set_length(*total_steps);
                self.bar.set_position(*done_steps);
                self.bar.reset_eta();
                self.started = Instant::now();
                let left_out = match unanswerable {
                    0 => String::new(),
                    some => format!(" ({some} more have no answer in the list)"),
                };
                self.line(&format!(
                    "{items} items{left_out}, {parameters} parameters, step {done_steps} of \
                     {total_steps}"
                ));
            }
            FinetuningEvent::CheckpointRefused { reason } => self.line(reason),
            FinetuningEvent::Skipped(item) => self.line(&format!("skipped {item}")),
            FinetuningEvent::Step(metrics) => self.step(metrics),
            FinetuningEvent::Validating { done, total } => {
                self.bar
                    .set_message(format!("{done} of {total} validation items"));
            }
            FinetuningEvent::Validated { metrics, best } => {
                let best = if *best { ", the best so far" } else { "" };
                self.line(&format!(
                    "{} after step {}: {}{best}",
                    metrics.split,
                    metrics.step,
                    in_a_line(&metrics.figures)
                ));
            }
            // The others are for programs that keep account of a run.
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn step(&mut self, metrics: &FinetuningMetrics) {
        self.items += metrics.items;
        let rate = self.items as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
        let terms = format!(
            "{rate:.1} items/s loss {:.3}, |g| {:.2}, lr {:.1e}, skipped {}",
            metrics.loss, metrics.gradient_norm, metrics.learning_rate, metrics.skipped
        );
        self.bar.set_position(metrics.step);
        let due = self
            .last_line
            .is_none_or(|last| last.elapsed() >= LINE_EVERY);
        if self.bar.is_hidden() && due {
            let left = self.bar.eta().as_secs();
            let total = self.bar.length().unwrap_or(0);
            say(&format!(
                "step {}/{total}, {left} s left: {terms}",
                metrics.step
            ));
            self.last_line = Some(Instant::now());
        }
        self.bar.set_message(terms);
    }

    fn line(&self, line: &str) {
        if self.bar.is_hidden() {
            say(line);
        } else {
            self.bar.println(line);
        }
    }
}
