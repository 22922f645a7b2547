//! The learning rate: cosine annealing under a linear warm-up.
//!
//! ```text
//! lr(p)   = lr_min + (lr_base - lr_min) (1 + cos(pi p)) / 2
//! warm-up = lr(p) (1 - (1 - iteration / warm-up iterations) (1 - start ratio))
//! ```
//!
//! The cosine runs from the very first iteration; the warm-up only scales it.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// What the cosine's progress `p` is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// Iterations: the cosine falls with every step.
    PerIteration,
    /// Whole epochs: the cosine is constant within one. The warm-up still counts iterations.
    ByEpoch,
}

/// Cosine annealing with linear warm-up.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The learning rate the cosine starts from.
    pub base: f64,
    /// The learning rate the cosine ends at, as a fraction of `base`.
    pub minimum_ratio: f64,
    /// Epochs of the run.
    pub epochs: usize,
    /// Optimizer steps of an epoch.
    pub iterations_per_epoch: usize,
    /// Epochs the warm-up lasts, of which the last need not be whole.
    pub warmup_epochs: f64,
    /// The fraction of the cosine's value that the first iteration uses.
    pub warmup_start_ratio: f64,
    /// What the cosine counts.
    pub progress: Progress,
}

impl Schedule {
    /// The learning rate of an iteration, counted from zero; past the end it stays at the minimum.
    pub fn learning_rate(&self, iteration: usize) -> f64 {
        let minimum = self.base * self.minimum_ratio;
        let cosine = (1.0 + (PI * self.progress_at(iteration)).cos()) / 2.0;
        (minimum + (self.base - minimum) * cosine) * self.warmup_factor(iteration)
    }

    /// Iterations of the whole run.
    pub fn total_iterations(&self) -> usize {
        self.epochs * self.iterations_per_epoch
    }

    fn progress_at(&self, iteration: usize) -> f64 {
        let (done, total) = match self.progress {
            Progress::PerIteration => (iteration, self.total_iterations()),
            Progress::ByEpoch => (iteration / self.iterations_per_epoch.max(1), self.epochs),
        };
        if total == 0 {
            1.0
        } else {
            (done as f64 / total as f64).min(1.0)
        }
    }

    fn warmup_factor(&self, iteration: usize) -> f64 {
        let warmup = self.warmup_epochs * self.iterations_per_epoch as f64;
        if iteration as f64 >= warmup {
            return 1.0;
        }
        1.0 - (1.0 - iteration as f64 / warmup) * (1.0 - self.warmup_start_ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_points(schedule: &Schedule, points: &[(usize, f64)]) {
        for &(iteration, expected) in points {
            let actual = schedule.learning_rate(iteration);
            // The reference computes in another order; its last digits differ near the end.
            let tolerance = 1e-12 * schedule.base + 1e-9 * expected;
            assert!(
                (actual - expected).abs() <= tolerance,
                "iteration {iteration}: {actual} instead of {expected}"
            );
        }
    }

    fn pretraining() -> Schedule {
        Schedule {
            base: 5e-5,
            minimum_ratio: 1e-3,
            epochs: 40,
            iterations_per_epoch: 10,
            warmup_epochs: 4.0,
            warmup_start_ratio: 1e-3,
            progress: Progress::PerIteration,
        }
    }

    #[test]
    fn pretraining_follows_the_reference() {
        assert_points(
            &pretraining(),
            &[
                (0, 5.0000000000000044e-08),
                (1, 1.2987299917738383e-06),
                (7, 8.78461528034204e-06),
                (39, 4.761780094277422e-05),
                (40, 4.8777636494471465e-05),
                (41, 4.8716289860771974e-05),
                (200, 2.5025000000000002e-05),
                (399, 5.077028782137816e-08),
            ],
        );
    }

    #[test]
    fn retrieval_by_epoch_follows_the_reference() {
        let schedule = Schedule {
            base: 1.2e-5,
            minimum_ratio: 0.0,
            epochs: 100,
            iterations_per_epoch: 10,
            warmup_epochs: 10.0,
            warmup_start_ratio: 1e-3,
            progress: Progress::ByEpoch,
        };

        assert_points(
            &schedule,
            &[
                (0, 1.2000000000000012e-08),
                (1, 1.3188000000000068e-07),
                (7, 8.511600000000006e-07),
                (99, 1.1644262110542183e-05),
                (100, 1.1706339097770923e-05),
                (101, 1.1706339097770923e-05),
                (500, 6e-06),
                (999, 2.9606378056104e-09),
            ],
        );
    }

    #[test]
    fn question_answering_follows_the_reference() {
        let schedule = Schedule {
            base: 1.2e-5,
            minimum_ratio: 0.0,
            warmup_start_ratio: 1e-4,
            ..pretraining()
        };

        assert_points(
            &schedule,
            &[
                (0, 1.1999999999998678e-09),
                (1, 3.011653556039406e-07),
                (7, 2.0994028044263034e-06),
                (39, 1.1427736209878741e-05),
                (40, 1.1706339097770923e-05),
                (41, 1.1691601167753028e-05),
                (200, 6e-06),
                (399, 1.8505413126201908e-10),
            ],
        );
    }

    #[test]
    fn the_rate_stays_at_the_minimum_past_the_end() {
        let schedule = pretraining();

        assert_points(&schedule, &[(400, 5e-8), (4000, 5e-8)]);
    }
}
