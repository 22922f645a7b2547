//! The bar of a run that makes steps; plain lines where there is no terminal.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::progress::{bar, print_line};

/// Without a terminal a line is printed this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Counts steps, and how fast items pass.
#[derive(Debug)]
pub(crate) struct StepBar {
    bar: ProgressBar,
    last_line: Option<Instant>,
    started: Instant,
    items: usize,
}

impl StepBar {
    pub(crate) fn new(label: &'static str) -> Self {
        Self {
            bar: bar(label, 0),
            last_line: None,
            started: Instant::now(),
            items: 0,
        }
    }

    /// The run begins, or goes on after `done` of its steps.
    pub(crate) fn start(&mut self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        self.bar.reset_eta();
        self.started = Instant::now();
    }

    /// A step was done with so many items; `terms` tells of it, given items a second.
    pub(crate) fn step(&mut self, step: u64, items: usize, terms: impl FnOnce(f64) -> String) {
        self.items += items;
        let rate = self.items as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
        let terms = terms(rate);
        self.bar.set_position(step);
        let due = self
            .last_line
            .is_none_or(|last| last.elapsed() >= LINE_EVERY);
        if self.bar.is_hidden() && due {
            let left = self.bar.eta().as_secs();
            let total = self.bar.length().unwrap_or(0);
            print_line(&format!("step {step}/{total}, {left} s left: {terms}"));
            self.last_line = Some(Instant::now());
        }
        self.bar.set_message(terms);
    }

    /// What is done beside steps.
    pub(crate) fn message(&self, message: String) {
        self.bar.set_message(message);
    }

    /// One line, above the bar where there is one.
    pub(crate) fn line(&self, line: &str) {
        if self.bar.is_hidden() {
            print_line(line);
        } else {
            self.bar.println(line);
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
