//! Ranks and best candidates of many queries among many candidates, a block of scores at a time.
//!
//! Scores are matrix products on the device, a block of queries by a block of candidates, so that
//! memory grows with the rows and not with their product. A product adds up in another order than
//! [`EmbeddingTable::cosine`]; where a score is so near to that of the own candidate that this could
//! matter, it is computed again, so that ranks do not depend on the device or the block.

use std::ops::Range;
use std::thread;

use burn::prelude::*;
use burn::tensor::TensorData;

use super::table::EmbeddingTable;
use crate::error::TrainerError;

/// What the sum of a product of unit rows in another order may differ by, and more: 2^-24 for each
/// of a thousand values is 6e-5 at worst, and a hundredth of it in practice.
const NEAR: f32 = 1e-5;

/// A list of candidates with their scores, best first.
pub type Best = Vec<(usize, f32)>;

/// How scores are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockedRanking {
    /// Queries of a block.
    pub queries: usize,
    /// Candidates of a block.
    pub candidates: usize,
    /// Threads that look through a block.
    pub threads: usize,
}

/// A block of scores: where it lies, and its rows.
struct Block<'s> {
    queries: Range<usize>,
    candidates: Range<usize>,
    scores: &'s [f32],
}

impl Default for BlockedRanking {
    /// Blocks of 8 MiB, and a thread a processor.
    fn default() -> Self {
        Self {
            queries: 512,
            candidates: 4_096,
            threads: thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl BlockedRanking {
    /// The rank of each query's own candidate, from zero: how many candidates score higher, or the
    /// same and stand before it.
    ///
    /// The device must multiply in full 32 bits.
    ///
    /// # Errors
    ///
    /// A table is empty, rows differ in width, there is not one own candidate a query, or it is none.
    pub fn ranks<B: Backend>(
        &self,
        queries: &EmbeddingTable,
        candidates: &EmbeddingTable,
        own: &[usize],
        device: &B::Device,
    ) -> Result<Vec<usize>, TrainerError> {
        check(queries, candidates, own)?;
        let own_scores: Vec<f32> = own
            .iter()
            .enumerate()
            .map(|(query, &own)| queries.cosine(query, candidates, own))
            .collect();
        let mut ranks = vec![0; queries.len()];
        self.for_each_block::<B>(queries, candidates, device, |block| {
            let first = block.queries.start;
            let range = block.queries.clone();
            block.for_each_row(self.threads, &mut ranks[range], |at, scores, rank| {
                let query = first + at;
                let ahead = |candidate| {
                    let score = queries.cosine(query, candidates, candidate);
                    let score_of_own = own_scores[query];
                    score > score_of_own || score >= score_of_own && candidate < own[query]
                };
                let begins = block.candidates.start;
                *rank += count_ahead(scores, begins, own[query], own_scores[query], ahead);
            });
        });
        Ok(ranks)
    }

    /// The `k` best candidates of each query, best first; of equal scores the smaller number.
    ///
    /// # Errors
    ///
    /// A table is empty, or rows differ in width.
    pub fn best<B: Backend>(
        &self,
        queries: &EmbeddingTable,
        candidates: &EmbeddingTable,
        k: usize,
        device: &B::Device,
    ) -> Result<Vec<Best>, TrainerError> {
        check_widths(queries, candidates)?;
        let mut best = vec![Best::with_capacity(k + 1); queries.len()];
        self.for_each_block::<B>(queries, candidates, device, |block| {
            let (begins, range) = (block.candidates.start, block.queries.clone());
            block.for_each_row(self.threads, &mut best[range], |_, scores, best| {
                keep_best(best, k, scores, begins);
            });
        });
        Ok(best)
    }

    fn for_each_block<B: Backend>(
        &self,
        queries: &EmbeddingTable,
        candidates: &EmbeddingTable,
        device: &B::Device,
        mut visit: impl FnMut(&Block<'_>),
    ) {
        let dim = queries.dim();
        let matrix = |table: &EmbeddingTable, rows: Range<usize>| {
            let shape = [rows.len(), dim];
            Tensor::<B, 2>::from_data(TensorData::new(table.rows(rows), shape), device)
        };
        for candidate_rows in blocks(candidates.len(), self.candidates) {
            let block = matrix(candidates, candidate_rows.clone()).transpose();
            for query_rows in blocks(queries.len(), self.queries) {
                let scores = matrix(queries, query_rows.clone()).matmul(block.clone());
                let scores = scores.into_data().convert::<f32>();
                // A tensor of 32-bit floats always is such a slice.
                let Ok(scores) = scores.as_slice::<f32>() else {
                    continue;
                };
                visit(&Block {
                    queries: query_rows,
                    candidates: candidate_rows.clone(),
                    scores,
                });
            }
        }
    }
}

impl Block<'_> {
    /// Visits each row with what is kept for it, on several threads.
    fn for_each_row<T: Send>(
        &self,
        threads: usize,
        kept: &mut [T],
        visit: impl Fn(usize, &[f32], &mut T) + Sync,
    ) {
        let (columns, share) = (self.candidates.len(), kept.len().div_ceil(threads.max(1)));
        let share = share.max(1);
        thread::scope(|scope| {
            let parts = kept
                .chunks_mut(share)
                .zip(self.scores.chunks(share * columns));
            for (part, (kept, scores)) in parts.enumerate() {
                let visit = &visit;
                scope.spawn(move || {
                    let rows = scores.chunks_exact(columns).zip(kept);
                    for (row, (scores, kept)) in rows.enumerate() {
                        visit(part * share + row, scores, kept);
                    }
                });
            }
        });
    }
}

/// Candidates of a block that stand before the own one. `ahead` decides where a score is too near.
fn count_ahead(
    scores: &[f32],
    begins: usize,
    own: usize,
    own_score: f32,
    ahead: impl Fn(usize) -> bool,
) -> usize {
    // Two plain counts, which vector instructions take; few blocks have anything between.
    let count = |bound: f32| {
        scores
            .iter()
            .map(|&score| u32::from(score > bound))
            .sum::<u32>()
    };
    let (above, not_below) = (count(own_score + NEAR), count(own_score - NEAR));
    let mut found = above as usize;
    if above == not_below {
        return found;
    }
    for (candidate, &score) in (begins..).zip(scores) {
        let near = score > own_score - NEAR && score <= own_score + NEAR;
        found += usize::from(near && candidate != own && ahead(candidate));
    }
    found
}

/// Takes into a list of the best what belongs there; candidates come in their order.
fn keep_best(best: &mut Best, k: usize, scores: &[f32], begins: usize) {
    let mut bound = match best.last() {
        Some(&(_, worst)) if best.len() == k => worst,
        _ => f32::NEG_INFINITY,
    };
    for (candidate, &score) in (begins..).zip(scores) {
        if score > bound {
            let place = best.partition_point(|&(_, kept)| kept >= score);
            best.insert(place, (candidate, score));
            best.truncate(k);
            if best.len() == k {
                bound = best.last().map_or(bound, |&(_, worst)| worst);
            }
        }
    }
}

fn blocks(rows: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    let size = size.max(1);
    (0..rows)
        .step_by(size)
        .map(move |start| start..rows.min(start + size))
}

fn check_widths(queries: &EmbeddingTable, candidates: &EmbeddingTable) -> Result<(), TrainerError> {
    if queries.is_empty() || candidates.is_empty() {
        return Err(TrainerError::NothingToEvaluate);
    }
    if queries.dim() != candidates.dim() {
        return Err(TrainerError::EmbeddingsLength {
            what: candidates.what(),
            values: candidates.dim(),
            expected: queries.dim(),
        });
    }
    Ok(())
}

fn check(
    queries: &EmbeddingTable,
    candidates: &EmbeddingTable,
    own: &[usize],
) -> Result<(), TrainerError> {
    check_widths(queries, candidates)?;
    if own.len() != queries.len() {
        return Err(TrainerError::EmbeddingsLength {
            what: queries.what(),
            values: queries.len() * queries.dim(),
            expected: own.len() * queries.dim(),
        });
    }
    match own.iter().position(|&own| own >= candidates.len()) {
        None => Ok(()),
        Some(item) => Err(TrainerError::CandidateOutOfRange {
            item,
            candidate: own[item],
            candidates: candidates.len(),
        }),
    }
}

#[cfg(test)]
mod tests;
