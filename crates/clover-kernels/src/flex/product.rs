//! The product of two large matrices, blocked for the caches.
//!
//! Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): both matrices
//! are copied block by block into panels that the innermost loop reads in order.

use super::micro::{Rows, Tile, outer, tile_columns};
use super::simd::vectorized;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Rows of a register tile.
const TILE_ROWS: usize = 6;
/// Length of the sums between two visits of the output; a panel of the right matrix stays in L1.
const DEPTH: usize = 256;
/// Most rows of the output in one task; its panels of the left matrix stay in L2.
const TASK_ROWS: usize = 16 * TILE_ROWS;

/// A matrix in either order.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        debug_assert_eq!(values.len(), rows * columns);
        Self { values, rows, columns, transposed: false }
    }

    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            transposed: !self.transposed,
            ..self
        }
    }

    /// Copies `depth` entries along the inner axis of `lanes.len()` outer vectors: entry `k` of
    /// outer vector `i` lands at `panel[k * width + i]`, and missing vectors are zero. The outer
    /// vectors are rows if `along_rows`, else columns.
    fn pack(self, panel: &mut [f32], width: usize, first: usize, start: usize, along_rows: bool) {
        let depth = panel.len() / width;
        let (count, stride) = match along_rows {
            true => (self.rows, self.columns),
            false => (self.columns, self.rows),
        };
        let used = width.min(count - first);
        // Whether an outer vector lies contiguously in memory.
        if along_rows != self.transposed {
            if used < width {
                panel.fill(0.0);
            }
            for i in 0..used {
                let source = &self.values[(first + i) * stride + start..][..depth];
                for (value, slot) in source.iter().zip(panel[i..].iter_mut().step_by(width)) {
                    *slot = *value;
                }
            }
        } else {
            for (k, slots) in panel.chunks_exact_mut(width).enumerate() {
                let source = &self.values[(start + k) * count + first..][..used];
                slots[..used].copy_from_slice(source);
                slots[used..].fill(0.0);
            }
        }
    }
}

/// `left * right`, plus `bias` in every row.
pub(crate) fn product(left: Matrix<'_>, right: Matrix<'_>, bias: Option<&[f32]>) -> Vec<f32> {
    debug_assert_eq!(left.columns, right.rows);
    let mut output = vec![0.0; left.rows * right.columns];
    vectorized(Product { left, right, bias, output: &mut output });
    output
}

struct Product<'a> {
    left: Matrix<'a>,
    right: Matrix<'a>,
    bias: Option<&'a [f32]>,
    output: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { left, right, bias, output } = self;
        let (depth, columns) = (left.columns, right.columns);
        if output.is_empty() {
            return;
        }
        let width = tile_columns::<S>();
        let task_rows = task_rows(left.rows);
        let mut panels = vec![0.0; columns.div_ceil(width) * width * depth.min(DEPTH)];
        let mut start = 0;
        loop {
            let block = (depth - start).min(DEPTH);
            let panels = &mut panels[..columns.div_ceil(width) * width * block];
            panels.par_chunks_mut(width * block).enumerate().for_each(|(i, panel)| {
                right.pack(panel, width, i * width, start, false);
            });
            let panels = &*panels;
            output.par_chunks_mut(task_rows * columns).enumerate().for_each(|(i, output)| {
                vectorized(Task {
                    left,
                    first_row: i * task_rows,
                    start,
                    block,
                    panels,
                    bias: bias.filter(|_| start == 0),
                    columns,
                    output,
                });
            });
            start += block;
            if start >= depth {
                return;
            }
        }
    }
}

/// Enough tasks for every thread to have some, and no larger than the cache allows.
fn task_rows(rows: usize) -> usize {
    let share = rows.div_ceil(4 * rayon::current_num_threads());
    share.next_multiple_of(TILE_ROWS).min(TASK_ROWS)
}

/// A band of output rows, for one block along the inner axis.
struct Task<'a> {
    left: Matrix<'a>,
    first_row: usize,
    start: usize,
    block: usize,
    panels: &'a [f32],
    bias: Option<&'a [f32]>,
    columns: usize,
    output: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = tile_columns::<S>();
        let rows = self.output.len() / self.columns;
        let mut left = vec![0.0; rows.next_multiple_of(TILE_ROWS) * self.block];
        for (i, panel) in left.chunks_exact_mut(TILE_ROWS * self.block).enumerate() {
            let row = self.first_row + i * TILE_ROWS;
            self.left.pack(panel, TILE_ROWS, row, self.start, true);
        }
        for (j, right) in self.panels.chunks_exact(width * self.block).enumerate() {
            let right = Rows { values: right, stride: width, column: 0 };
            let column = j * width;
            let used = width.min(self.columns - column);
            let bands = self.output.chunks_mut(TILE_ROWS * self.columns);
            for (left, band) in left.chunks_exact(TILE_ROWS * self.block).zip(bands) {
                let left = Rows { values: left, stride: TILE_ROWS, column: 0 };
                let tile = outer::<S, TILE_ROWS>(simd, left, right);
                let rows = band.chunks_exact_mut(self.columns).map(|row| &mut row[column..][..used]);
                let bias = self.bias.map(|bias| &bias[column..][..used]);
                store(simd, tile, rows, bias, self.start > 0);
            }
        }
    }
}

/// Writes a tile, or adds it to what the earlier blocks of the inner axis gave.
#[inline(always)]
fn store<'o, S: Simd>(
    simd: S,
    tile: Tile<S, TILE_ROWS>,
    rows: impl Iterator<Item = &'o mut [f32]>,
    bias: Option<&[f32]>,
    accumulate: bool,
) {
    let lanes = S::F32_LANES;
    for (sums, row) in tile.into_iter().zip(rows) {
        if row.len() == 2 * lanes {
            let (vectors, _) = S::as_mut_simd_f32s(row);
            for (part, (mut sum, slot)) in sums.into_iter().zip(vectors).enumerate() {
                if accumulate {
                    sum = simd.add_f32s(sum, *slot);
                }
                if let Some(bias) = bias {
                    sum = simd.add_f32s(sum, S::as_simd_f32s(bias).0[part]);
                }
                *slot = sum;
            }
            continue;
        }
        for (part, sum) in sums.into_iter().enumerate() {
            let from = (part * lanes).min(row.len());
            let to = (from + lanes).min(row.len());
            let slot = &mut row[from..to];
            let mut sum = sum;
            if accumulate {
                sum = simd.add_f32s(sum, simd.partial_load_f32s(slot));
            }
            if let Some(bias) = bias {
                sum = simd.add_f32s(sum, simd.partial_load_f32s(&bias[from..to]));
            }
            simd.partial_store_f32s(slot, sum);
        }
    }
}
