//! Dual softmax at inference: scores weighed by how much a candidate is wanted by this query rather
//! than by the others.
//!
//! Cheng et al., "Improving Video-Text Retrieval by Multi-Stream Corpus Alignment and Dual Softmax
//! Loss" (2021). It looks at all queries of a test at once, which no search has, and is worth about
//! two points of R@1; so it is never on by itself.
//!
//! ```text
//! s'(i, j) = s(i, j) * softmax_i( s(i, j) / tau )
//! ```

use super::table::EmbeddingTable;
use crate::error::TrainerError;

/// The whole matrix is held: 200 MB of it at most.
const LARGEST: usize = 50_000_000;

/// The rank of each query's own candidate among scores weighed so, from zero; `temperature` is the model's, by which
/// its cosines are divided in training.
///
/// # Errors
///
/// There are more scores than are held at once, or a query's own candidate is none.
pub fn dual_softmax_ranks(
    queries: &EmbeddingTable,
    candidates: &EmbeddingTable,
    own: &[usize],
    temperature: f64,
) -> Result<Vec<usize>, TrainerError> {
    let (rows, columns) = (queries.len(), candidates.len());
    if rows * columns > LARGEST {
        return Err(TrainerError::TooManyScores {
            scores: rows * columns,
            largest: LARGEST,
        });
    }
    if let Some(item) = own.iter().position(|&own| own >= columns) {
        return Err(TrainerError::CandidateOutOfRange {
            item,
            candidate: own[item],
            candidates: columns,
        });
    }
    let mut scores = vec![0.0_f64; rows * columns];
    for column in 0..columns {
        let cosines = (0..rows).map(|row| f64::from(queries.cosine(row, candidates, column)));
        let cosines: Vec<f64> = cosines.collect();
        let largest = cosines.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weight = |cosine: f64| ((cosine - largest) / temperature).exp();
        let sum: f64 = cosines.iter().map(|&cosine| weight(cosine)).sum();
        for (row, cosine) in cosines.into_iter().enumerate() {
            scores[row * columns + column] = cosine * weight(cosine) / sum;
        }
    }
    let rank = |(row, &own): (usize, &usize)| {
        let scores = &scores[row * columns..(row + 1) * columns];
        let ahead = |(other, &score): (usize, &f64)| {
            score > scores[own] || score >= scores[own] && other < own
        };
        scores.iter().enumerate().filter(|one| ahead(*one)).count()
    };
    Ok(own.iter().enumerate().map(rank).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Storage;

    #[test]
    fn a_candidate_that_all_want_is_left_to_the_one_that_wants_it_most() {
        let table =
            |values: &[f32]| EmbeddingTable::of_rows("text", Storage::F32, values, 2).unwrap();
        // Both queries lie nearer to the first candidate; the second query least so.
        let queries = table(&[1.0, 0.0, 0.8, 0.55]);
        let candidates = table(&[1.0, 0.2, 0.3, 1.0]);

        let plain =
            |row: usize| queries.cosine(row, &candidates, 0) > queries.cosine(row, &candidates, 1);
        let weighed =
            |temperature| dual_softmax_ranks(&queries, &candidates, &[0, 1], temperature).unwrap();

        assert!(plain(0) && plain(1));
        assert_eq!(weighed(0.05), [0, 0]);
        // So high a temperature makes all queries want a candidate alike.
        assert_eq!(weighed(100.0), [0, 1]);
    }

    #[test]
    fn an_own_candidate_that_is_none_is_refused() {
        let table = EmbeddingTable::of_rows("text", Storage::F32, &[1.0, 0.0], 2).unwrap();

        assert!(dual_softmax_ranks(&table, &table, &[1], 0.05).is_err());
    }
}
