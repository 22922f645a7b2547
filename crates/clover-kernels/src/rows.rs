//! Copies of whole rows by a precomputed index.
//!
//! A cyclic shift followed by a window partition only moves rows of channels, so both are one
//! gather, with an index that depends on nothing but the shape.

use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::ops::IntTensor;

use crate::gathered::{Moves, SummedGather};

/// Row `i` of the output is row `index[i]` of `x`; a row may be taken any number of times.
///
/// The backward pass adds the gradients of all copies. Where every row is taken at most once,
/// [`RowPermutation`] is faster.
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
    crate::autodiff::lookup(&index, &x).unwrap_or_else(|| x.select(0, index))
}

/// Moves whole rows to other places, and back. No row is taken twice; places may stay empty, and
/// rows may be left out.
///
/// Both ways are known, so that the backward pass is a gather too and not a slow scatter.
#[derive(Debug, Clone)]
pub struct RowPermutation<B: Backend> {
    /// The row for each place; one past the last row for none.
    there: Tensor<B, 1, Int>,
    /// The place of each row; one past the last place for none.
    back: Tensor<B, 1, Int>,
}

impl<B: Backend> RowPermutation<B> {
    /// Of `rows` rows, of which place `i` takes row `sources[i]`, or stays empty.
    ///
    /// # Panics
    ///
    /// Panics if a source is not below `rows` or there twice, if there are more rows than places
    /// and a place is empty, or if there are 2^31 of either.
    pub fn new(sources: &[Option<usize>], rows: usize, device: &B::Device) -> Self {
        let mut back = vec![sources.len(); rows];
        for (place, &row) in sources.iter().enumerate() {
            if let Some(row) = row {
                assert_eq!(back[row], sources.len(), "row permutation: row {row} twice");
                back[row] = place;
            }
        }
        let there: Vec<_> = sources.iter().map(|row| row.unwrap_or(rows)).collect();
        assert!(
            sources.len() > rows || !there.contains(&rows),
            "row permutation: an empty place among fewer places than rows"
        );
        Self {
            there: index_tensor(&there, device),
            back: index_tensor(&back, device),
        }
    }

    /// Rows to places; empty places are zeros.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, dim]`
    /// - output: `[places, dim]`
    ///
    /// # Panics
    ///
    /// Panics if there is another number of rows.
    pub fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        permute(x, self.there.clone(), self.back.clone())
    }

    /// Places to rows; rows that were left out are zeros.
    ///
    /// # Shapes
    ///
    /// - x: `[places, dim]`
    /// - output: `[rows, dim]`
    ///
    /// # Panics
    ///
    /// Panics if there is another number of places.
    pub fn inverse(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        permute(x, self.back.clone(), self.there.clone())
    }

    /// [`forward`](Self::forward) with the gradient that the backend derives, a scatter.
    pub fn portable_forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let [rows, _] = x.dims();
        moves(rows, self.there.clone(), None).compose(x)
    }
}

/// The values as a tensor.
///
/// # Panics
///
/// Panics if one is not below 2^31.
pub(crate) fn index_tensor<B: Backend>(values: &[usize], device: &B::Device) -> Tensor<B, 1, Int> {
    #[expect(clippy::expect_used, reason = "announced")]
    let values: Vec<i32> = values
        .iter()
        .map(|&value| i32::try_from(value).expect("an index below 2^31"))
        .collect();
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}

fn permute<B: Backend>(
    x: Tensor<B, 2>,
    index: Tensor<B, 1, Int>,
    inverse: Tensor<B, 1, Int>,
) -> Tensor<B, 2> {
    let [rows, _] = x.dims();
    assert_eq!(inverse.dims(), [rows], "row permutation: rows of x");

    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::permute_rows(&x, &index, &inverse) {
        return output;
    }
    let moves = moves(rows, index, Some(inverse));
    crate::autodiff::moves(&moves, &x).unwrap_or_else(|| moves.compose(x))
}

fn moves<B: Backend>(
    rows: usize,
    index: Tensor<B, 1, Int>,
    inverse: Option<Tensor<B, 1, Int>>,
) -> Moves<IntTensor<B>> {
    let [rows_out] = index.dims();
    let gather = |index: Tensor<B, 1, Int>, padded| SummedGather {
        index: index.into_primitive(),
        group: 1,
        padded,
    };
    Moves {
        dim: 0,
        forward: gather(index, rows_out > rows),
        backward: inverse
            .map(|inverse| gather(inverse, rows > rows_out))
            .into_iter()
            .collect(),
    }
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
    fn empty_places_are_zeros_and_the_way_back_leaves_them_out() {
        let device = Default::default();
        let x = Tracked::<2>::from_data([[1.0], [2.0], [3.0]], &device);
        let places = RowPermutation::new(&[Some(2), None, Some(0), Some(1)], 3, &device);

        let padded = places.forward(x.clone());
        let cropped = places.inverse(padded.clone());

        let expected = Tensor::from_data([[3.0], [0.0], [1.0], [2.0]], &device);
        assert_close("padded", padded.inner(), expected, 0.0);
        assert_close("cropped", cropped.inner(), x.inner(), 0.0);
    }

    #[test]
    #[should_panic(expected = "row 1 twice")]
    fn a_row_in_two_places_is_refused() {
        let _ =
            RowPermutation::<crate::TestBackend>::new(&[Some(1), Some(1)], 2, &Default::default());
    }

    #[test]
    fn gathered_gradients_agree_with_the_scatter() {
        crate::register_autodiff::<burn::backend::Autodiff<crate::TestBackend>>();
        let device = Default::default();
        // Step 27 visits all residues of 70; five more places stay empty.
        let sources: Vec<_> = (0..75).map(|i| (i < 70).then(|| i * 27 % 70)).collect();
        // The same from the other side: rows 70 to 74 are left out.
        let mut places = vec![None; 70];
        for (place, row) in sources.iter().enumerate().take(70) {
            places[row.unwrap()] = Some(place);
        }
        let [padding, cropping] = [
            RowPermutation::new(&sources, 70, &device),
            RowPermutation::new(&places, 75, &device),
        ];

        let x = leaf([70, 5], 1);
        assert_agree!(
            1e-6,
            [x],
            padding.forward(x.clone()),
            padding.portable_forward(x.clone())
        );
        let y = leaf([75, 5], 2);
        assert_agree!(
            1e-6,
            [y],
            padding.inverse(y.clone()),
            cropping.portable_forward(y.clone())
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
