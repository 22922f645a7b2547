//! The Gaussian error linear unit: exact, and by the logistic function.
//!
//! Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016): `x * Phi(x)` with the error
//! function, as BERT and Video Swin were trained, not the tanh approximation; and `x * sigmoid(1.702 x)`
//! (section 2 there), with which CLIP was trained.

use burn::prelude::*;
use burn::tensor::activation::sigmoid;
use std::f64::consts::FRAC_1_SQRT_2;

#[cfg(feature = "flex")]
use crate::flex::gelu::Gelu;

/// How steep the logistic function is that stands for `Phi`.
pub(crate) const QUICK_SLOPE: f64 = 1.702;

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
    let x = match crate::dispatch::gelu(Gelu::Exact, x) {
        Ok(output) => return output,
        Err(x) => x,
    };
    portable(x)
}

/// Applies `x * sigmoid(1.702 x)` to every element.
///
/// # Shapes
///
/// - x, output: any, the same
pub fn quick_gelu<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    #[cfg(feature = "flex")]
    let x = match crate::dispatch::gelu(Gelu::Quick, x) {
        Ok(output) => return output,
        Err(x) => x,
    };
    portable_quick(x)
}

/// The composition every backend has.
pub fn portable<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    let twice_the_share = x.clone().mul_scalar(FRAC_1_SQRT_2).erf().add_scalar(1.0);
    x.mul(twice_the_share).mul_scalar(0.5)
}

/// [`quick_gelu`] by plain operations.
pub fn portable_quick<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    sigmoid(x.clone().mul_scalar(QUICK_SLOPE)) * x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{Tracked, assert_agree, assert_close, leaf};

    #[test]
    fn activation_and_slope_are_those_of_the_exact_form() {
        let x = Tracked::<1>::from_data([-1.0, 0.0, 1.0, 3.0], &Default::default()).require_grad();

        let output = gelu(x.clone());
        let slope = x.grad(&output.clone().sum().backward()).unwrap();

        let device = Default::default();
        // x * Phi(x), and Phi(x) + x * phi(x); the tanh form gives 0.8412 and 1.0829 at one.
        let expected = Tensor::from_data([-0.158_655, 0.0, 0.841_345, 2.995_95], &device);
        let expected_slope = Tensor::from_data([-0.083_315, 0.5, 1.083_315, 1.011_946], &device);
        assert_close("output", output.inner(), expected, 1e-6);
        assert_close("slope", slope, expected_slope, 1e-6);
    }

    #[test]
    fn quick_form_has_its_known_values() {
        let device = Default::default();
        let x = Tensor::<crate::TestBackend, 1>::from_data([-1.0, 0.0, 2.0, 60.0, -60.0], &device);

        // -1 / (1 + e^1.702), and 2 / (1 + e^-3.404).
        let expected = Tensor::from_data([-0.154_208, 0.0, 1.935_659, 60.0, 0.0], &device);
        assert_close("output", quick_gelu(x), expected, 1e-6);
    }

    #[test]
    fn a_tensor_that_is_used_again_keeps_its_values() {
        let device = Default::default();
        let x = Tensor::<crate::TestBackend, 1>::from_data([-1.0, 0.0, 2.0], &device);
        let before = x.clone().into_data();

        let both = quick_gelu(x.clone()) + gelu(x.clone());

        assert_eq!(both.dims(), x.dims());
        x.into_data().assert_eq(&before, true);
    }

    #[test]
    fn kernel_agrees_with_the_composition_at_any_length() {
        for length in [1, 7, 8, 49, 40_003] {
            let x = leaf([length], 1);
            assert_agree!(1e-6, [x], gelu(x.clone()), portable(x.clone()));
            let x = leaf([length], 2);
            assert_agree!(1e-6, [x], quick_gelu(x.clone()), portable_quick(x.clone()));
        }
    }
}
