//! The bar of a run that makes steps; plain lines where there is no terminal.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::output::{Verbosity, print_progress, says};
use crate::progress::{bar_as, set_template};

/// Without a terminal a line is printed this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// As many of the last steps say how long one takes.
const RECENT: usize = 32;

/// The bar before the run begins.
const WAITING: &str = "{prefix}: {msg}";
/// While the number of steps is not planned.
const UNPLANNED: &str = "{prefix} {pos} {msg}";
const COUNTING: &str = "{prefix} {pos}/{len} {wide_bar} {msg}";

/// Counts steps, and how fast items pass.
#[derive(Debug)]
pub(crate) struct StepBar {
    bar: ProgressBar,
    /// What the run was asked to stop after.
    max_steps: Option<u64>,
    last_line: Option<Instant>,
    /// Seconds of the last steps.
    recent: VecDeque<f64>,
}

/// What is shown of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShownStep {
    pub(crate) step: u64,
    /// Items of its batch.
    pub(crate) items: usize,
    /// What an item is called.
    pub(crate) unit: &'static str,
    /// What it took, waiting for its batch included.
    pub(crate) seconds: f64,
    pub(crate) loss: f64,
    /// Items left out so far.
    pub(crate) skipped: usize,
}

impl StepBar {
    pub(crate) fn new(label: &'static str, max_steps: Option<u64>) -> Self {
        let bar = bar_as(WAITING, 0);
        bar.set_prefix(label);
        bar.set_message("reading the list");
        Self {
            bar,
            max_steps,
            last_line: None,
            recent: VecDeque::new(),
        }
    }

    /// The run begins, or goes on after `done` of its steps.
    pub(crate) fn start(&self, done: u64, total: u64) {
        self.set_total(total);
        self.bar.set_position(done);
        self.bar.set_message("");
    }

    /// So many steps are planned, of which each takes so long.
    pub(crate) fn planned(&self, steps: u64, step_seconds: f64) {
        self.set_total(steps);
        self.line(&format!(
            "a step takes {step_seconds:.3} s: {steps} steps fill the time"
        ));
    }

    /// A step was done; `details` are told to those who want them.
    pub(crate) fn step(&mut self, step: &ShownStep, details: impl FnOnce() -> String) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(step.seconds);
        self.bar.set_position(step.step);
        let rate = step.items as f64 / typical(&self.recent).max(1e-9);
        let terms = terms(step, rate, self.left());
        let due = self
            .last_line
            .is_none_or(|last| last.elapsed() >= LINE_EVERY);
        if says(Verbosity::Verbose) {
            self.line(&format!("step {}: {}", step.step, details()));
        } else if self.bar.is_hidden() && due {
            let total = match self.total() {
                0 => String::new(),
                total => format!("/{total}"),
            };
            print_progress(&format!("step {}{total} {terms}", step.step));
            self.last_line = Some(Instant::now());
        }
        self.bar.set_message(terms);
    }

    /// The time that the steps to come take, if they are like the last ones; nothing is known before a number of
    /// steps is planned.
    pub(crate) fn left(&self) -> Option<Duration> {
        let total = self.total();
        let seconds = total.saturating_sub(self.bar.position()) as f64 * typical(&self.recent);
        (total > 0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }

    fn total(&self) -> u64 {
        self.bar.length().unwrap_or(0)
    }

    fn set_total(&self, total: u64) {
        let template = match total {
            0 => UNPLANNED,
            _ => COUNTING,
        };
        set_template(&self.bar, template);
        self.bar
            .set_length(self.max_steps.map_or(total, |max| total.min(max)));
    }

    /// What is done beside steps.
    pub(crate) fn message(&self, message: String) {
        self.bar.set_message(message);
    }

    /// One line, above the bar where there is one.
    pub(crate) fn line(&self, line: &str) {
        if self.bar.is_hidden() {
            print_progress(line);
        } else {
            self.bar.println(line);
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Where a run begins, and where it ends.
pub(crate) fn steps(done: u64, total: u64) -> String {
    match total {
        0 => format!("step {done} of as many as the time allows"),
        total => format!("step {done} of {total}"),
    }
}

/// The mean of the middle half: neither a step that stalled nor the first one, which warms up, counts.
fn typical(seconds: &VecDeque<f64>) -> f64 {
    let mut sorted: Vec<f64> = seconds.iter().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = &sorted[sorted.len() / 4..sorted.len() - sorted.len() / 4];
    middle.iter().sum::<f64>() / middle.len().max(1) as f64
}

/// What stands behind the number of the step, in at most 52 columns.
fn terms(step: &ShownStep, rate: f64, left: Option<Duration>) -> String {
    let ShownStep {
        unit,
        loss,
        skipped,
        ..
    } = step;
    let skipped = match skipped {
        0 => String::new(),
        some => format!(" skipped {some}"),
    };
    let left = left.map_or_else(String::new, |left| format!(" left {}", in_words(left)));
    let (rate, loss) = (brief(rate), brief(*loss));
    format!("{rate} {unit}/s loss {loss}{skipped}{left}")
}

/// A number in at most seven columns.
pub(crate) fn brief(value: f64) -> String {
    match value.abs() {
        small if small < 10.0 => format!("{value:.3}"),
        middle if middle < 100_000.0 => format!("{value:.1}"),
        _ => format!("{value:.0e}"),
    }
}

/// The two largest units of a time: `1h02m`, `3m20s`, `45s`.
pub(crate) fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600, seconds / 60);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m{:02}s", seconds % 60),
        3_600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{}d{:02}h", days.min(999), hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(step: u64) -> ShownStep {
        ShownStep {
            step,
            items: 8,
            unit: "clips",
            seconds: 2.0,
            loss: 3.214_159,
            skipped: 0,
        }
    }

    #[test]
    fn a_line_fits_80_columns_whatever_it_tells() {
        let usual = terms(&shown(120), 12.34, Some(Duration::from_secs(80)));
        let most = ShownStep {
            loss: -1.0e30,
            skipped: 1_234_567,
            ..shown(0)
        };

        let longest = terms(&most, 1.0e12, Some(Duration::MAX));

        assert_eq!(usual, "12.3 clips/s loss 3.214 left 1m20s");
        assert!(longest.len() <= 52, "{longest}");
        let line = format!("fine-tuning 100000/100000 {longest}");
        assert!(line.len() <= 80, "{line}");
    }

    #[test]
    fn the_time_left_ends_where_the_run_was_asked_to_stop() {
        let mut bar = StepBar::new("training", Some(12));

        bar.start(10, 900);
        bar.step(&shown(11), String::new);
        assert_eq!(bar.bar.length(), Some(12));

        bar.start(2, 9);
        assert_eq!(bar.bar.length(), Some(9));
    }

    #[test]
    fn a_stalled_step_and_one_that_warms_up_leave_the_time_left_as_it_is() {
        let mut bar = StepBar::new("training", None);
        bar.start(0, 0);
        assert_eq!(bar.left(), None);
        bar.start(0, 100);

        for step in 1..=8 {
            let seconds = match step {
                1 => 30.0,
                5 => 90.0,
                _ => 2.0,
            };
            let step = ShownStep {
                seconds,
                ..shown(step)
            };
            bar.step(&step, String::new);
        }

        assert_eq!(bar.left(), Some(Duration::from_secs(92 * 2)));
    }

    #[test]
    fn times_are_told_by_their_two_largest_units() {
        let words = [45, 80, 3_725, 90_000].map(|seconds| in_words(Duration::from_secs(seconds)));

        assert_eq!(words, ["45s", "1m20s", "1h02m", "1d01h"]);
    }
}
