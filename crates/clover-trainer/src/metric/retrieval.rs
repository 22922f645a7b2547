//! Recall and rank of retrieval, from where the own candidate of each query ranks.
//!
//! Figures are those of the reference: recalls in percent, ranks counted from one.

/// Recall and rank over all queries.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RetrievalMetrics {
    /// Percent of queries whose own candidate ranks first.
    pub recall_at_1: f64,
    /// Percent of queries whose own candidate is among the first five.
    pub recall_at_5: f64,
    /// Percent of queries whose own candidate is among the first ten.
    pub recall_at_10: f64,
    /// The median rank; the mean of the middle two of an even number.
    pub median_rank: f64,
    /// The mean rank.
    pub mean_rank: f64,
    /// Queries counted.
    pub queries: usize,
    /// Candidates each was compared with.
    pub candidates: usize,
}

impl RetrievalMetrics {
    /// Of ranks counted from zero, of which there must be one.
    ///
    /// # Panics
    ///
    /// Panics if there is no rank.
    #[must_use]
    pub fn from_ranks(mut ranks: Vec<usize>, candidates: usize) -> Self {
        ranks.sort_unstable();
        let queries = ranks.len();
        let recall = |k| 100.0 * ranks.partition_point(|&rank| rank < k) as f64 / queries as f64;
        let middle = ranks[(queries - 1) / 2] + ranks[queries / 2];
        let sum: usize = ranks.iter().sum();
        Self {
            recall_at_1: recall(1),
            recall_at_5: recall(5),
            recall_at_10: recall(10),
            median_rank: middle as f64 / 2.0 + 1.0,
            mean_rank: sum as f64 / queries as f64 + 1.0,
            queries,
            candidates,
        }
    }

    /// The sum of the three recalls.
    #[must_use]
    pub fn recall_sum(&self) -> f64 {
        self.recall_at_1 + self.recall_at_5 + self.recall_at_10
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values compared are exact")]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_counted_from_one_and_recalls_in_percent() {
        let metrics = RetrievalMetrics::from_ranks(vec![5, 0, 11, 2], 20);

        assert_eq!(metrics.recall_at_1, 25.0);
        assert_eq!(metrics.recall_at_5, 50.0);
        assert_eq!(metrics.recall_at_10, 75.0);
        assert_eq!(metrics.recall_sum(), 150.0);
        // Between the ranks 3 and 6.
        assert_eq!(metrics.median_rank, 4.5);
        assert_eq!(metrics.mean_rank, 5.5);
        assert_eq!((metrics.queries, metrics.candidates), (4, 20));
    }
}
