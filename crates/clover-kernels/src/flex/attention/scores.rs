//! Scores of a few queries against all keys of one head.

use super::super::micro::{Rows, Tile, inner, tile_columns};
use super::super::simd::exp;
use pulp::Simd;

/// Queries whose scores are computed together.
pub(super) const QUERIES: usize = 6;

/// A score that no query attends to, for the columns that only fill up a register.
///
/// Below every finite mask, so that a row whose keys are all masked is still shared among them only.
const NOWHERE: f32 = f32::NEG_INFINITY;

/// How scores become weights: `exp(score - shift) * share`.
///
/// Two numbers and not their combined logarithm: beside a mask of -10000 its decimals would be lost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Normalizer {
    pub(super) shift: f32,
    pub(super) share: f32,
}

/// What is added to the scores of one head.
#[derive(Clone, Copy)]
pub(super) struct Additions<'a> {
    pub(super) bias: Option<&'a [f32]>,
    pub(super) mask: Option<&'a [f32]>,
    pub(super) key_mask: Option<&'a [f32]>,
    pub(super) tokens_k: usize,
}

impl<'a> Additions<'a> {
    /// The rows to add to the scores of one query.
    #[inline(always)]
    fn of(self, query: usize) -> impl Iterator<Item = &'a [f32]> {
        let row = move |values: &'a [f32]| &values[query * self.tokens_k..][..self.tokens_k];
        self.bias
            .map(row)
            .into_iter()
            .chain(self.mask.map(row))
            .chain(self.key_mask)
    }
}

/// Copies rows, scaled and filled up with zeros to `width` columns.
#[inline(always)]
pub(super) fn copy_rows(
    target: &mut [f32],
    width: usize,
    source: Rows<'_>,
    dim: usize,
    scale: f32,
) {
    for (target, row) in target.chunks_exact_mut(width).zip(source.iter()) {
        for (target, value) in target.iter_mut().zip(&row[..dim]) {
            *target = value * scale;
        }
    }
}

/// Copies rows into panels: each has `width` of them side by side, so that a product reads a
/// column of the rows as one vector. Missing rows stay as they are, which is zero.
#[inline(always)]
pub(super) fn copy_panels(target: &mut [f32], width: usize, source: Rows<'_>, dim: usize) {
    for (i, row) in source.iter().enumerate() {
        let panel = &mut target[i / width * width * dim..][..width * dim];
        for (slots, value) in panel.chunks_exact_mut(width).zip(&row[..dim]) {
            slots[i % width] = *value;
        }
    }
}

/// The product of [`QUERIES`] rows with every panel, into rows of `stride` columns.
#[inline(always)]
pub(super) fn times_panels<S: Simd>(
    simd: S,
    rows: &[f32],
    row_stride: usize,
    dim: usize,
    panels: &[f32],
    output: &mut [f32],
    stride: usize,
) {
    let width = const { tile_columns::<S>() };
    let left: [&[f32]; QUERIES] = std::array::from_fn(|r| &rows[r * row_stride..][..dim]);
    for (j, panel) in panels.chunks_exact(width * dim).enumerate() {
        let panel = Rows::new(panel, width, 0);
        let tile = inner::<S, QUERIES>(simd, left, panel);
        for (sums, row) in tile.iter().zip(output.chunks_exact_mut(stride)) {
            let (vectors, _) = S::as_mut_simd_f32s(&mut row[j * width..][..width]);
            vectors.copy_from_slice(sums);
        }
    }
}

/// Adds bias and masks to one query's row of scores, and shuts its surplus columns.
#[inline(always)]
pub(super) fn complete<S: Simd>(simd: S, row: &mut [f32], query: usize, additions: Additions<'_>) {
    for addition in additions.of(query) {
        let (vectors, tail) = S::as_simd_f32s(addition);
        let (scores, scores_tail) = S::as_mut_simd_f32s(&mut row[..addition.len()]);
        for (score, value) in scores.iter_mut().zip(vectors) {
            *score = simd.add_f32s(*score, *value);
        }
        for (score, value) in scores_tail.iter_mut().zip(tail) {
            *score += value;
        }
    }
    row[additions.tokens_k..].fill(NOWHERE);
}

/// The largest entry of a row that is a whole number of vectors.
#[inline(always)]
pub(super) fn largest<S: Simd>(simd: S, row: &[f32]) -> f32 {
    let mut largest = simd.splat_f32s(f32::MIN);
    for x in S::as_simd_f32s(row).0 {
        largest = simd.max_f32s(largest, *x);
    }
    simd.reduce_max_f32s(largest)
}

/// Replaces a row of whole vectors by `exp(row - shift)` and returns the sum.
#[inline(always)]
pub(super) fn exponentials<S: Simd>(simd: S, row: &mut [f32], shift: f32) -> f32 {
    let shift = simd.splat_f32s(shift);
    let mut sums = simd.splat_f32s(0.0);
    for x in S::as_mut_simd_f32s(row).0 {
        *x = exp(simd, simd.sub_f32s(*x, shift));
        sums = simd.add_f32s(sums, *x);
    }
    simd.reduce_sum_f32s(sums)
}

/// Multiplies the first entries of a row, one for each factor.
#[inline(always)]
pub(super) fn multiply<S: Simd>(simd: S, row: &mut [f32], factors: &[f32]) {
    let (vectors, tail) = S::as_simd_f32s(factors);
    let (row, row_tail) = S::as_mut_simd_f32s(&mut row[..factors.len()]);
    for (value, factor) in row.iter_mut().zip(vectors) {
        *value = simd.mul_f32s(*value, *factor);
    }
    for (value, factor) in row_tail.iter_mut().zip(tail) {
        *value *= factor;
    }
}

/// Writes a tile's rows, each times its own scale, to a head's rows from `column` on.
#[inline(always)]
pub(super) fn store_scaled<S: Simd>(
    simd: S,
    tile: Tile<S, QUERIES>,
    output: &mut [f32],
    head_dim: usize,
    column: usize,
    scales: [f32; QUERIES],
) {
    let end = head_dim.min(column + const { tile_columns::<S>() });
    let rows = output.chunks_exact_mut(head_dim).zip(scales);
    for (sums, (row, scale)) in tile.into_iter().zip(rows) {
        let scale = simd.splat_f32s(scale);
        for (sum, slot) in sums
            .into_iter()
            .zip(row[column..end].chunks_mut(S::F32_LANES))
        {
            simd.partial_store_f32s(slot, simd.mul_f32s(sum, scale));
        }
    }
}
