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
    assert_eq!(
        inverse.dims(),
        [rows],
        "permute rows: the inverse needs one entry a row"
    );

    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::permute_rows(&x, &index, &inverse) {
        return output;
    }
    portable_permutation(x, index)
}

/// The composition every backend has; its backward pass is the backend's scatter.
pub fn portable_permutation<B: Backend>(x: Tensor<B, 2>, index: Tensor<B, 1, Int>) -> Tensor<B, 2> {
    let [rows, dim] = x.dims();
    let [rows_out] = index.dims();
    if rows_out <= rows {
        return x.select(0, index);
    }
    let zeros = Tensor::zeros([1, dim], (&x.device(), x.dtype()));
    Tensor::cat(vec![x, zeros], 0).select(0, index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{Tracked, assert_agree, assert_close, leaf};

    fn index(values: &[i64]) -> Tensor<burn::backend::Autodiff<crate::TestBackend>, 1, Int> {
        Tensor::from_data(values, &Default::default())
    }

    #[test]
    fn gradient_of_a_row_taken_twice_is_the_sum_of_its_copies() {
        let device = Default::default();
        let x = Tracked::<2>::from_data([[1.0, 2.0], [3.0, 4.0]], &device).require_grad();
        let weights = Tensor::from_data([[1.0, 1.0], [10.0, 10.0], [100.0, 100.0]], &device);

        let output = gather_rows(x.clone(), index(&[1, 0, 1]));
        let gradient = x
            .grad(&(output.clone() * weights).sum().backward())
            .unwrap();

        let expected = Tensor::from_data([[3.0, 4.0], [1.0, 2.0], [3.0, 4.0]], &device);
        assert_close("output", output.inner(), expected, 0.0);
        let expected = Tensor::from_data([[10.0, 10.0], [101.0, 101.0]], &device);
        assert_close("gradient", gradient, expected, 0.0);
    }

    #[test]
    fn padding_gives_rows_of_zeros_and_the_swapped_indices_crop_them() {
        let device = Default::default();
        let x = Tracked::<2>::from_data([[1.0], [2.0], [3.0]], &device);
        // Four rows out of three: the second is padding.
        let (there, back) = (index(&[2, 3, 0, 1]), index(&[2, 3, 0]));

        let padded = permute_rows(x.clone(), there.clone(), back.clone());
        let cropped = permute_rows(padded.clone(), back, there);

        let expected = Tensor::from_data([[3.0], [0.0], [1.0], [2.0]], &device);
        assert_close("padded", padded.inner(), expected, 0.0);
        assert_close("cropped", cropped.inner(), x.inner(), 0.0);
    }

    #[test]
    fn gathered_gradients_agree_with_the_scatter() {
        let x = leaf([70, 5], 1);
        // Step 27 visits all residues of 70; five more rows are padding.
        let forth: Vec<i64> = (0..75)
            .map(|i| if i < 70 { i * 27 % 70 } else { 70 })
            .collect();
        let mut back = vec![0; 70];
        for (output, &input) in forth.iter().enumerate().take(70) {
            back[input as usize] = output as i64;
        }
        let (forth, back) = (index(&forth), index(&back));

        assert_agree!(
            1e-6,
            [x],
            permute_rows(x.clone(), forth.clone(), back.clone()),
            portable_permutation(x.clone(), forth.clone())
        );
        let y = leaf([75, 5], 2);
        assert_agree!(
            1e-6,
            [y],
            permute_rows(y.clone(), back.clone(), forth.clone()),
            portable_permutation(y.clone(), back.clone())
        );
    }

    #[test]
    fn gather_agrees_with_the_backends_selection() {
        let x = leaf([9, 7], 1);
        let chosen = index(&[8, 0, 0, 3, 8, 8, 1]);

        assert_agree!(
            1e-6,
            [x],
            gather_rows(x.clone(), chosen.clone()),
            x.clone().select(0, chosen.clone())
        );
    }
}
