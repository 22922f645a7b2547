//! Layer normalization over the last axis.
//!
//! Ba, Kiros and Hinton, "Layer Normalization" (2016), with the biased variance.

use burn::prelude::*;
use burn::tensor::{DType, TensorPrimitive};

/// Normalizes the last axis to zero mean and unit variance, then scales and shifts it.
///
/// Equal to `burn::nn::LayerNorm`: the variance is biased and `epsilon` is added to it under the
/// root. The output has the float type of `gamma`, whatever that of `x`.
///
/// # Shapes
///
/// - x, output: `[.., dim]`
/// - gamma, beta: `[dim]`
///
/// # Panics
///
/// Panics if `gamma` or `beta` is not as long as the last axis of `x`.
pub fn layer_norm<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    gamma: Tensor<B, 1>,
    beta: Tensor<B, 1>,
    epsilon: f64,
) -> Tensor<B, D> {
    let dim = x.dims()[D - 1];
    assert_eq!(
        gamma.dims(),
        [dim],
        "layer norm: gamma differs from the last axis"
    );
    assert_eq!(
        beta.dims(),
        [dim],
        "layer norm: beta differs from the last axis"
    );

    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::layer_norm(&x, &gamma, &beta, epsilon) {
        return output;
    }
    portable(x, gamma, beta, epsilon)
}

/// The backend's own operation, which Burn's module uses too; in `f32` where a 16-bit type is among
/// the inputs.
pub fn portable<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    gamma: Tensor<B, 1>,
    beta: Tensor<B, 1>,
    epsilon: f64,
) -> Tensor<B, D> {
    let dtype = gamma.dtype();
    if x.dtype() == dtype && dtype.size() >= size_of::<f32>() {
        return of_one_type(x, gamma, beta, epsilon);
    }
    // The variance cancels: 8 bits are not enough for it.
    let wide = DType::F32;
    of_one_type(x.cast(wide), gamma.cast(wide), beta.cast(wide), epsilon).cast(dtype)
}

fn of_one_type<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    gamma: Tensor<B, 1>,
    beta: Tensor<B, 1>,
    epsilon: f64,
) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(B::layer_norm(
        x.into_primitive().tensor(),
        gamma.into_primitive().tensor(),
        Some(beta.into_primitive().tensor()),
        epsilon,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::agreement::{assert_agree, assert_close, leaf};

    #[test]
    fn row_is_normalized_by_its_biased_variance_then_scaled_and_shifted() {
        let device = Default::default();
        let x = Tensor::<TestBackend, 2>::from_data([[1.0, 3.0], [6.0, 2.0]], &device);
        let gamma = Tensor::from_data([10.0, 100.0], &device);
        let beta = Tensor::from_data([0.5, 0.0], &device);

        // The first row's variance is 1 and epsilon 3, so it is halved; the second's is 4.
        let output = layer_norm(x, gamma, beta, 3.0);

        let second = 2.0 / 7.0_f32.sqrt();
        let expected = [[-4.5, 50.0], [10.0 * second + 0.5, -100.0 * second]];
        assert_close("output", output, Tensor::from_data(expected, &device), 1e-6);
    }

    #[test]
    fn kernel_agrees_with_the_composition_at_any_width() {
        for (rows, dim) in [(1, 1), (3, 7), (2, 8), (65, 50), (130, 96)] {
            let (x, gamma, beta) = (leaf([rows, 2, dim], 1), leaf([dim], 2), leaf([dim], 3));
            // Sums over hundreds of rows in another order.
            assert_agree!(
                1e-5,
                [x, gamma, beta],
                layer_norm(x.clone(), gamma.clone(), beta.clone(), 1e-3),
                portable(x.clone(), gamma.clone(), beta.clone(), 1e-3)
            );
        }
    }
}
