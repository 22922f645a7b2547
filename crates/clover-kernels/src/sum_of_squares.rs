//! The sum of a tensor's squares, of which the global gradient norm is made.

use burn::prelude::*;
use burn::tensor::DType;

/// Adds up the squares of all elements, in `f32`.
///
/// # Shapes
///
/// - x: any
/// - output: `[1]`
pub fn sum_of_squares<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, 1> {
    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::sum_of_squares(&x) {
        return output;
    }
    portable(x)
}

/// The composition every backend has.
pub fn portable<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, 1> {
    // Squares overflow in half precision.
    x.cast(DType::F32).square().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{assert_close, scattered};

    #[test]
    fn squares_of_three_and_four_are_twenty_five() {
        let x = Tensor::<crate::TestBackend, 1>::from_data([3.0, -4.0], &Default::default());

        assert_close(
            "sum",
            sum_of_squares(x),
            Tensor::from_data([25.0], &Default::default()),
            0.0,
        );
    }

    #[test]
    fn kernel_agrees_with_the_composition_at_any_length() {
        for length in [1, 7, 16, 49, 40_003] {
            let x = scattered([length], 1).inner();

            assert_close("sum", sum_of_squares(x.clone()), portable(x), 1e-6);
        }
    }
}
