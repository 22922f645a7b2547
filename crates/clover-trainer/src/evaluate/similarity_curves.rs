//! How the cosines of pairs and of non-pairs are spread: the paper's similarity analysis as curves.

use serde::{Deserialize, Serialize};

/// Steps between the smallest cosine there is and the largest.
const BINS: usize = 50;

/// Shares of pairs and non-pairs by cosine, from -1 to 1 in equal steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimilarityCurves {
    /// Of clips with their own sentences; the shares add up to 1.
    pub positive: Vec<f64>,
    /// Of clips with the sentences of others.
    pub negative: Vec<f64>,
}

/// Counts cosines.
#[derive(Debug)]
pub(super) struct Spread {
    counts: [[u64; BINS]; 2],
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            counts: [[0; BINS]; 2],
        }
    }
}

impl Spread {
    pub(super) fn add(&mut self, is_pair: bool, cosine: f32) {
        let side = usize::from(!is_pair);
        let place = (f64::from(cosine) + 1.0) / 2.0 * BINS as f64;
        self.counts[side][(place.max(0.0) as usize).min(BINS - 1)] += 1;
    }

    pub(super) fn curves(&self) -> SimilarityCurves {
        let [positive, negative] = self.counts.map(|counts| {
            let all: u64 = counts.iter().sum();
            counts
                .map(|count| count as f64 / all.max(1) as f64)
                .to_vec()
        });
        SimilarityCurves { positive, negative }
    }
}

impl SimilarityCurves {
    /// The middle of a step.
    #[must_use]
    pub fn cosine_at(step: usize) -> f64 {
        (step as f64 + 0.5) / BINS as f64 * 2.0 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_others_are_counted_apart() {
        let mut spread = Spread::default();
        for (is_pair, cosine) in [(true, 0.99), (true, 1.0), (false, -1.0), (false, 0.01)] {
            spread.add(is_pair, cosine);
        }

        let curves = spread.curves();

        assert!((curves.positive[BINS - 1] - 1.0).abs() < 1e-12);
        assert!((curves.negative[0] - 0.5).abs() < 1e-12);
        assert!((curves.negative[BINS / 2] - 0.5).abs() < 1e-12);
        assert!((SimilarityCurves::cosine_at(0) + 0.98).abs() < 1e-12);
    }
}
