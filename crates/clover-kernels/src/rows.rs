//! Copies of whole rows by a precomputed index.
//!
//! A cyclic shift followed by a window partition only moves rows of channels, so both are one
//! gather, with an index that depends on nothing but the shape.

use burn::prelude::*;

/// Row `i` of the output is row `index[i]` of `x`; a row may be taken any number of times.
///
/// The backward pass adds the gradients of all copies. Where every row is taken at most once,
/// [`permute_rows`] is faster.
///
/// # Shapes
///
/// - x: `[rows, dim]`
/// - index: `[rows_out]`, each below `rows`
/// - output: `[rows_out, dim]`
pub fn gather_rows<B: Backend>(x: Tensor<B, 2>, index: Tensor<B, 1, Int>) -> Tensor<B, 2> {
    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::gather_rows(&x, &index) {
        return output;
    }
    x.select(0, index)
}

/// Moves rows: row `i` of the output is row `index[i]` of `x`, and no row is taken twice.
///
/// An index may be longer than `x` has rows, to pad: the value `rows` then asks for a row of
/// zeros. It may also be shorter, to crop. `inverse` says the same from the other side, so that the
/// backward pass is a gather too and not a slow scatter: `inverse[r]` is the row of the output that
/// took row `r`, or `rows_out` if none did. Swapping the two moves the rows back.
///
/// # Shapes
///
/// - x: `[rows, dim]`
/// - index: `[rows_out]`, each at most `rows`; below `rows` unless `rows_out > rows`
/// - inverse: `[rows]`, each at most `rows_out`
/// - output: `[rows_out, dim]`
///
/// # Panics
///
/// Panics if `inverse` has not one entry for each row of `x`.
pub fn permute_rows<B: Backend>(
    x: Tensor<B, 2>,
    index: Tensor<B, 1, Int>,
    inverse: Tensor<B, 1, Int>,
) -> Tensor<B, 2> {
    let [rows, _] = x.dims();
    assert_eq!(inverse.dims(), [rows], "permute rows: the inverse needs one entry a row");

    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::permute_rows(&x, &index, &inverse) {
        return output;
    }
    portable_permutation(x, index)
}

/// The composition every backend has; its backward pass is the backend's scatter.
pub(crate) fn portable_permutation<B: Backend>(
    x: Tensor<B, 2>,
    index: Tensor<B, 1, Int>,
) -> Tensor<B, 2> {
    let [rows, dim] = x.dims();
    let [rows_out] = index.dims();
    if rows_out <= rows {
        return x.select(0, index);
    }
    let zeros = Tensor::zeros([1, dim], (&x.device(), x.dtype()));
    Tensor::cat(vec![x, zeros], 0).select(0, index)
}
