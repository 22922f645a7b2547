//! The two register-blocked products that everything larger is made of.
//!
//! Both fill a tile of `ROWS` rows and two vectors of columns, and differ in how the left matrix
//! lies in memory. Tiles of 6 rows fill the registers of AVX2: 12 sums, two columns, one value.

use pulp::Simd;

/// A tile of sums: `ROWS` rows of two vectors.
pub(crate) type Tile<S, const ROWS: usize> = [[<S as Simd>::f32s; 2]; ROWS];

/// Columns of a [`Tile`].
pub(crate) const fn tile_columns<S: Simd>() -> usize {
    2 * S::F32_LANES
}

/// Steps along the inner axis between two looks at where the rows end.
const STEPS: usize = 8;

/// A matrix whose rows are `stride` apart, seen from column `column` on.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) column: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(values: &'a [f32], stride: usize, column: usize) -> Self {
        Self {
            values,
            stride,
            column,
        }
    }

    /// Each row from its column on.
    #[inline(always)]
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a [f32]> {
        self.values
            .chunks_exact(self.stride)
            .map(move |row| &row[self.column..])
    }
}

/// `sum over k of left[k, r] * right[k, ..]`: both matrices are read row by row.
#[inline(always)]
pub(crate) fn outer<S: Simd, const ROWS: usize>(
    simd: S,
    left: Rows<'_>,
    right: Rows<'_>,
) -> Tile<S, ROWS> {
    let mut tile = [[simd.splat_f32s(0.0); 2]; ROWS];
    let pairs = left
        .values
        .chunks_exact(left.stride)
        .zip(right.values.chunks_exact(right.stride));
    for (left_row, right_row) in pairs {
        let left_row = &left_row[left.column..][..ROWS];
        accumulate(
            simd,
            &mut tile,
            |r| left_row[r],
            vectors::<S>(right_row, right.column),
        );
    }
    tile
}

/// `sum over k of left[r, k] * right[k, ..]`: the left matrix is read along `ROWS` rows at once.
#[inline(always)]
pub(crate) fn inner<S: Simd, const ROWS: usize>(
    simd: S,
    left: [&[f32]; ROWS],
    right: Rows<'_>,
) -> Tile<S, ROWS> {
    let mut tile = [[simd.splat_f32s(0.0); 2]; ROWS];
    let depth = left[0].len();
    let whole = depth - depth % STEPS;
    let (right_whole, right_rest) =
        right.values[..depth * right.stride].split_at(whole * right.stride);
    // Arrays of known length spare the innermost loop its bounds checks.
    let left_whole = left.map(|row| row[..whole].as_chunks::<STEPS>().0);
    for (k, rows) in right_whole.chunks_exact(STEPS * right.stride).enumerate() {
        let left: [&[f32; STEPS]; ROWS] = left_whole.map(|row| &row[k]);
        for (step, row) in rows.chunks_exact(right.stride).take(STEPS).enumerate() {
            accumulate(
                simd,
                &mut tile,
                |r| left[r][step],
                vectors::<S>(row, right.column),
            );
        }
    }
    for (k, row) in right_rest.chunks_exact(right.stride).enumerate() {
        accumulate(
            simd,
            &mut tile,
            |r| left[r][whole + k],
            vectors::<S>(row, right.column),
        );
    }
    tile
}

/// The two vectors of a row that belong to the tile.
#[inline(always)]
fn vectors<S: Simd>(row: &[f32], column: usize) -> &[S::f32s] {
    S::as_simd_f32s(&row[column..][..const { tile_columns::<S>() }]).0
}

#[inline(always)]
fn accumulate<S: Simd, const ROWS: usize>(
    simd: S,
    tile: &mut Tile<S, ROWS>,
    left: impl Fn(usize) -> f32,
    right: &[S::f32s],
) {
    let (first, second) = (right[0], right[1]);
    for (r, sums) in tile.iter_mut().enumerate() {
        let value = simd.splat_f32s(left(r));
        sums[0] = simd.mul_add_e_f32s(value, first, sums[0]);
        sums[1] = simd.mul_add_e_f32s(value, second, sums[1]);
    }
}
