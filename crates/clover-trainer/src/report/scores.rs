//! Retrieval figures beside those of chance.

use serde::Serialize;

use crate::metric::RetrievalMetrics;

/// One direction of retrieval. Recalls are in percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RetrievalScores {
    /// The direction: `text to video`.
    pub name: String,
    /// What was measured.
    pub metrics: RetrievalMetrics,
    /// The recall at 1, 5 and 10 of a random order.
    pub chance_recall: [f64; 3],
    /// The median rank of a random order.
    pub chance_median_rank: f64,
}

impl RetrievalScores {
    /// Puts chance beside figures: of `n` candidates, of which one is right, a random order has the
    /// right one among the first `k` in `k / n` of all cases, and in the middle at the median.
    #[must_use]
    pub fn new(name: impl Into<String>, metrics: RetrievalMetrics) -> Self {
        let candidates = metrics.candidates.max(1) as f64;
        Self {
            name: name.into(),
            chance_recall: [1.0, 5.0, 10.0].map(|k: f64| 100.0 * (k / candidates).min(1.0)),
            chance_median_rank: f64::midpoint(candidates, 1.0),
            metrics,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_among_twenty() {
        let metrics = RetrievalMetrics {
            recall_at_1: 40.0,
            recall_at_5: 60.0,
            recall_at_10: 80.0,
            median_rank: 2.0,
            mean_rank: 3.0,
            queries: 20,
            candidates: 20,
        };

        let scores = RetrievalScores::new("text to video", metrics);

        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let expected = [5.0, 25.0, 50.0];
        assert!(
            scores
                .chance_recall
                .iter()
                .zip(expected)
                .all(|(a, b)| close(*a, b))
        );
        assert!(close(scores.chance_median_rank, 10.5));
    }
}
