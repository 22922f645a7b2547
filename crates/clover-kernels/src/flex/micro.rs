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

/// A matrix whose rows are `stride` apart, seen from column `column` on.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) column: usize,
}

/// `sum over k of left[k, r] * right[k, ..]`: both matrices are read row by row.
#[inline(always)]
pub(crate) fn outer<S: Simd, const ROWS: usize>(
    simd: S,
    left: Rows<'_>,
    right: Rows<'_>,
) -> Tile<S, ROWS> {
    let columns = const { tile_columns::<S>() };
    let mut tile = [[simd.splat_f32s(0.0); 2]; ROWS];
    let pairs =
        left.values.chunks_exact(left.stride).zip(right.values.chunks_exact(right.stride));
    for (left_row, right_row) in pairs {
        let left_row = &left_row[left.column..][..ROWS];
        let (vectors, _) = S::as_simd_f32s(&right_row[right.column..][..columns]);
        accumulate(simd, &mut tile, |r| left_row[r], vectors);
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
    let columns = const { tile_columns::<S>() };
    let mut tile = [[simd.splat_f32s(0.0); 2]; ROWS];
    let depth = left[0].len();
    let left = left.map(|row| &row[..depth]);
    for (k, right_row) in right.values.chunks_exact(right.stride).take(depth).enumerate() {
        let (vectors, _) = S::as_simd_f32s(&right_row[right.column..][..columns]);
        accumulate(simd, &mut tile, |r| left[r][k], vectors);
    }
    tile
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
