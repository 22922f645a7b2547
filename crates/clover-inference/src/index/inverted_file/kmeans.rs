//! Centroids of rows of unit length: k-means by the cosine (Dhillon and Modha, 2001, "spherical k-means").

use rayon::prelude::*;

use super::super::scan::{RowPlace, products};
use super::TILE;

/// Rows a centroid is learned from, and how often they are assigned.
const SAMPLES: usize = 16;
const ROUNDS: usize = 8;
/// Centroids that stay in the cache while rows pass by.
const BLOCK: usize = 64;

/// So many centroids of unit length, `[count, dim]`. Each begins at a row; both these and the rows that are
/// learned from are spread evenly over all, so that the same rows give the same centroids.
pub(super) fn train(
    places: &[RowPlace],
    row: impl Fn(&RowPlace) -> Vec<f32>,
    dim: usize,
    count: usize,
) -> Vec<f32> {
    let samples = places.len().min(count * SAMPLES);
    let sample: Vec<f32> = (0..samples)
        .flat_map(|at| row(&places[at * places.len() / samples]))
        .collect();
    let first = |at| &sample[at * samples / count * dim..][..dim];
    let mut centroids: Vec<f32> = (0..count).flat_map(first).copied().collect();
    for _ in 0..ROUNDS {
        let tiles = sample.par_chunks(TILE * dim);
        let assigned: Vec<u32> = tiles
            .flat_map_iter(|rows| nearest(rows, &centroids, dim))
            .collect();
        let mut sums = vec![0.0_f32; centroids.len()];
        for (row, &list) in sample.chunks_exact(dim).zip(&assigned) {
            let sum = &mut sums[list as usize * dim..][..dim];
            for (sum, value) in sum.iter_mut().zip(row) {
                *sum += value;
            }
        }
        for (centroid, sum) in centroids.chunks_exact_mut(dim).zip(sums.chunks_exact(dim)) {
            let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
            // One that is nearest to nothing stays where it is.
            if length > f32::EPSILON {
                for (centroid, sum) in centroid.iter_mut().zip(sum) {
                    *centroid = sum / length;
                }
            }
        }
    }
    centroids
}

/// The number of the centroid nearest to each row.
pub(super) fn nearest(rows: &[f32], centroids: &[f32], dim: usize) -> Vec<u32> {
    let mut best = vec![(f32::NEG_INFINITY, 0); rows.len() / dim];
    let mut scores = [0.0; BLOCK];
    for (block, first) in centroids.chunks(BLOCK * dim).zip((0_u32..).step_by(BLOCK)) {
        let scores = &mut scores[..block.len() / dim];
        for (row, best) in rows.chunks_exact(dim).zip(&mut best) {
            products(block, row, scores);
            for (&score, number) in scores.iter().zip(first..) {
                if score > best.0 {
                    *best = (score, number);
                }
            }
        }
    }
    best.into_iter().map(|(_, number)| number).collect()
}
