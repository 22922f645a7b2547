//! The learning-rate range test (Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017): a
//! short run whose rate grows from step to step shows at which rates the loss falls.
//!
//! The suggested rate is the one at which the smoothed loss falls steepest over the logarithm of the rate, once it has
//! begun to fall and before it is at its lowest. Smoothed is the mean over as many steps before as behind, which does not lag.

use std::ops::ControlFlow;

use burn::tensor::backend::AutodiffBackend;
use serde::Serialize;

use super::task::{Prepared, prepare};
use super::{Observe, PretrainingEvent, PretrainingPlan};
use crate::TrainerError;
use crate::devices::Peer;
use crate::run::{Ending, RateRange};

/// The rates of the first and of the last step: far below and far above any that AdamW learns at.
const RATES: [f64; 2] = [1e-7, 1.0];
/// A loss of so many times the lowest has diverged.
const DIVERGED: f64 = 4.0;
/// It is the mean of so many steps.
const LAST: usize = 5;
/// The loss is smoothed over a tenth of the steps before and behind.
const SMOOTHED: usize = 10;
/// The share of its whole fall by which the loss has fallen at a rate that is suggested: before, it is the noise of
/// batches that rises and falls.
const FALLEN: f64 = 0.1;

/// The loss by learning rate.
#[derive(Clone, Debug, Serialize)]
pub struct LearningRateCurve {
    /// The rate at which the smoothed loss falls steepest; none where it never falls.
    pub suggested: Option<f64>,
    /// Whether the test ended before its last step, as the loss had diverged.
    pub diverged: bool,
    /// Whether it is over; one that was broken off has not seen all rates.
    pub finished: bool,
    /// A step each.
    pub points: Vec<RatePoint>,
}

/// A step of the test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RatePoint {
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// The loss before the step.
    pub loss: f64,
    /// The mean with its neighbours.
    pub smoothed: f64,
}

/// Runs the range test of a plan's recipe and data over so many steps, on one device. Nothing of the model is kept;
/// `observe` is told every event and may break off.
///
/// # Errors
///
/// The data, vocabulary or recipe cannot be used, or too many items are broken. A loss that diverges is no error.
pub fn find_learning_rate<B: AutodiffBackend>(
    plan: &PretrainingPlan,
    steps: u64,
    device: &B::Device,
    observe: &mut Observe<'_>,
) -> Result<LearningRateCurve, TrainerError> {
    let [first, last] = RATES;
    let range = RateRange { first, last, steps };
    let (mut losses, mut lowest, mut diverged) = (Vec::new(), f64::INFINITY, false);
    let mut watch = |event: PretrainingEvent<'_>| {
        if let PretrainingEvent::Step(metrics) = event {
            losses.push((metrics.learning_rate, metrics.total));
            let recent = &losses[losses.len().saturating_sub(LAST)..];
            let loss = recent.iter().map(|(_, loss)| loss).sum::<f64>() / recent.len() as f64;
            lowest = lowest.min(loss);
            diverged = loss > DIVERGED * lowest;
        }
        match (observe(event), diverged) {
            (ControlFlow::Continue(()), false) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    };
    let alone = Peer::alone();
    let Prepared { run, data, .. } = prepare::<B>(plan, Some(range), (&alone, device), &mut watch)?;
    let finished = match run.train(data, &mut watch) {
        Ok(ended) => ended.ending == Ending::Done,
        Err(TrainerError::Diverged { .. } | TrainerError::Exploded { .. }) => {
            diverged = true;
            true
        }
        Err(error) => return Err(error),
    };
    Ok(LearningRateCurve {
        diverged,
        finished: finished || diverged,
        ..LearningRateCurve::of(&losses)
    })
}

impl LearningRateCurve {
    /// Of steps, each with its rate and its loss.
    fn of(losses: &[(f64, f64)]) -> Self {
        let (count, most) = (losses.len(), losses.len().div_ceil(SMOOTHED).max(1));
        let smoothed = (0..count).map(|at| {
            // As many on both sides, also near the ends.
            let side = most.min(at).min(count - 1 - at);
            let around = &losses[at - side..=at + side];
            around.iter().map(|(_, loss)| loss).sum::<f64>() / around.len() as f64
        });
        let points: Vec<RatePoint> = losses
            .iter()
            .zip(smoothed)
            .map(|(&(learning_rate, loss), smoothed)| RatePoint {
                learning_rate,
                loss,
                smoothed,
            })
            .collect();
        // Near the ends single steps decide.
        let inner = most..count.saturating_sub(most);
        let by_loss = |a: &usize, b: &usize| points[*a].smoothed.total_cmp(&points[*b].smoothed);
        let lowest = inner.clone().min_by(by_loss).unwrap_or(0);
        // The rates lie at equal distances on the logarithmic axis.
        let fall = |at: usize| points[at - 1].smoothed - points[at + 1].smoothed;
        let start = points.get(inner.start).map_or(0.0, |point| point.smoothed);
        let has_fallen = |at: usize| {
            let whole = start - points[lowest].smoothed;
            start - points[at].smoothed >= FALLEN * whole
        };
        let falling = (inner.start.max(1)..lowest).filter(|&at| has_fallen(at) && fall(at) > 0.0);
        let steepest = falling.max_by(|a, b| fall(*a).total_cmp(&fall(*b)));
        Self {
            suggested: steepest.map(|at| points[at].learning_rate),
            diverged: false,
            finished: true,
            points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred rates, and a loss that falls by half around `middle` and rises behind a hundred times that.
    fn losses(middle: f64) -> Vec<(f64, f64)> {
        let [first, last] = RATES;
        let range = RateRange {
            first,
            last,
            steps: 100,
        };
        let loss = |step: u64| {
            let rate = range.rate(step);
            let over = (rate / middle).log10();
            // Noise of a batch, up and down.
            let noise = 0.05 * f64::from([1, -1, -1, 1][(step % 4) as usize]);
            (
                rate,
                10.0 - 5.0 / (1.0 + (-4.0 * over).exp()) + (over - 2.0).max(0.0) * 20.0 + noise,
            )
        };
        (0..100).map(loss).collect()
    }

    #[test]
    fn the_steepest_fall_of_the_smoothed_loss_is_suggested() {
        for middle in [1e-5, 1e-4, 1e-3] {
            let curve = LearningRateCurve::of(&losses(middle));

            let found = curve.suggested.unwrap();
            assert!(
                (found / middle).log10().abs() < 0.25,
                "{found} for {middle}"
            );
            let largest = curve.points.iter().map(|point| point.smoothed);
            assert!(largest.fold(0.0, f64::max) > 11.0);
        }
    }

    #[test]
    fn a_loss_that_only_rises_or_too_few_steps_suggest_nothing() {
        let rising: Vec<_> = (1..=50)
            .map(|step| (1e-6 * f64::from(step), f64::from(step)))
            .collect();

        assert_eq!(LearningRateCurve::of(&rising).suggested, None);
        for steps in 0..3 {
            assert_eq!(LearningRateCurve::of(&rising[..steps]).suggested, None);
        }
    }
}
