//! The exact Gaussian error linear unit.
//!
//! Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016): `x * Phi(x)` with the error
//! function, as BERT and Video Swin were trained, not the tanh approximation.

use burn::prelude::*;
use std::f64::consts::FRAC_1_SQRT_2;

/// Applies `x * (1 + erf(x / sqrt(2))) / 2` to every element.
///
/// Unlike `burn::tensor::activation::gelu`, whose gradient is that of the tanh approximation, the
/// gradient is the exact derivative of the forward pass.
///
/// # Shapes
///
/// - x, output: any, the same
pub fn gelu<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::gelu(&x) {
        return output;
    }
    portable(x)
}

/// The composition every backend has.
pub(crate) fn portable<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    let twice_the_share = x.clone().mul_scalar(FRAC_1_SQRT_2).erf().add_scalar(1.0);
    x.mul(twice_the_share).mul_scalar(0.5)
}
