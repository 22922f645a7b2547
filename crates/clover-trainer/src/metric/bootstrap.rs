//! How far a figure may be off for having been measured on these items and not on others.
//!
//! Efron, "Bootstrap Methods" (1979): items are drawn with replacement, as many as there are, again
//! and again; the interval holds the figure of 95 % of the draws.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Draws.
const DRAWS: usize = 1_000;

/// From the lower to the upper bound.
pub type Interval = [f64; 2];

/// The intervals of the metrics of retrieval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankIntervals {
    /// Percent of queries whose own candidate ranks first.
    pub recall_at_1: Interval,
    /// Among the first five.
    pub recall_at_5: Interval,
    /// Among the first ten.
    pub recall_at_10: Interval,
    /// The median rank, from one.
    pub median_rank: Interval,
}

/// The 95 % interval of the mean of outcomes; `seed` makes it repeatable.
#[must_use]
pub fn mean_interval(outcomes: &[f64], seed: u64) -> Interval {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let count = outcomes.len();
    let means = (0..DRAWS).map(|_| {
        let drawn = (0..count).map(|_| outcomes[rng.random_range(0..count)]);
        drawn.sum::<f64>() / count as f64
    });
    if count == 0 {
        return [0.0; 2];
    }
    interval(means.collect())
}

/// The 95 % intervals of the metrics of ranks, counted from zero.
#[must_use]
pub fn rank_intervals(ranks: &[usize], seed: u64) -> RankIntervals {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut recalls, mut medians) = ([const { Vec::new() }; 3], Vec::with_capacity(DRAWS));
    let count = ranks.len();
    let mut drawn = vec![0; count];
    for _ in 0..if count == 0 { 0 } else { DRAWS } {
        drawn.fill_with(|| ranks[rng.random_range(0..count)]);
        for (recalls, within) in recalls.iter_mut().zip([1, 5, 10]) {
            let found = drawn.iter().filter(|&&rank| rank < within).count();
            recalls.push(100.0 * found as f64 / count as f64);
        }
        medians.push(median(&mut drawn));
    }
    let [first, fifth, tenth] = recalls.map(interval);
    RankIntervals {
        recall_at_1: first,
        recall_at_5: fifth,
        recall_at_10: tenth,
        median_rank: interval(medians),
    }
}

/// The median of ranks counted from zero, as one counted from one.
fn median(ranks: &mut [usize]) -> f64 {
    let (low, high) = ((ranks.len() - 1) / 2, ranks.len() / 2);
    let upper = *ranks.select_nth_unstable(high).1;
    let lower = match low == high {
        true => upper,
        false => ranks[..high].iter().copied().max().unwrap_or(upper),
    };
    (lower + upper) as f64 / 2.0 + 1.0
}

/// What 95 % of the values lie between.
fn interval(mut values: Vec<f64>) -> Interval {
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * values.len() as f64) as usize;
        values
            .get(place.min(values.len().saturating_sub(1)))
            .copied()
    };
    [0.025, 0.975].map(|share| at(share).unwrap_or(0.0))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values compared are exact")]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_half_of_a_hundred_is_known_to_a_tenth() {
        let outcomes: Vec<f64> = (0..100).map(|item| f64::from(item % 2)).collect();

        let [low, high] = mean_interval(&outcomes, 7);

        // Half, with a standard error of 0.05: 0.5 - 1.96 * 0.05 to 0.5 + 1.96 * 0.05.
        assert!(
            (low - 0.402).abs() < 0.03 && (high - 0.598).abs() < 0.03,
            "{low} {high}"
        );
        assert_eq!(mean_interval(&outcomes, 7), [low, high]);
        assert_ne!(mean_interval(&outcomes, 8), [low, high]);
    }

    #[test]
    fn ranks_that_are_all_alike_leave_no_doubt() {
        let intervals = rank_intervals(&[3; 20], 0);

        assert_eq!(intervals.recall_at_1, [0.0, 0.0]);
        assert_eq!(intervals.recall_at_5, [100.0, 100.0]);
        assert_eq!(intervals.median_rank, [4.0, 4.0]);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert!((median(&mut [9, 0, 2, 1]) - 2.5).abs() < 1e-12);
        assert!((median(&mut [9, 0, 2]) - 3.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_measured_has_no_width() {
        assert_eq!(mean_interval(&[], 0), [0.0, 0.0]);
        assert_eq!(rank_intervals(&[], 0).recall_at_10, [0.0, 0.0]);
    }
}
