//! Layer normalization over the last axis.
//!
//! Ba, Kiros and Hinton, "Layer Normalization" (2016), with the biased variance.

use burn::prelude::*;
use burn::tensor::TensorPrimitive;

/// Normalizes the last axis to zero mean and unit variance, then scales and shifts it.
///
/// Equal to `burn::nn::LayerNorm`: the variance is biased and `epsilon` is added to it under the
/// root.
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
    assert_eq!(gamma.dims(), [dim], "layer norm: gamma differs from the last axis");
    assert_eq!(beta.dims(), [dim], "layer norm: beta differs from the last axis");

    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::layer_norm(&x, &gamma, &beta, epsilon) {
        return output;
    }
    portable(x, gamma, beta, epsilon)
}

/// The backend's own operation, which Burn's module uses too.
pub(crate) fn portable<B: Backend, const D: usize>(
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
