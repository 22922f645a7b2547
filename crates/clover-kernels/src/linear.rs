//! An affine map of the last axis.

use burn::prelude::*;

/// Computes `x W + b` over the last axis.
///
/// The leading axes are folded into one, so the product is one large matrix product whatever the
/// rank of `x`.
///
/// # Shapes
///
/// - x: `[.., dim_in]`
/// - weight: `[dim_in, dim_out]`, the layout of `burn::nn::Linear`
/// - bias: `[dim_out]`
/// - output: `[.., dim_out]`
///
/// # Panics
///
/// Panics if the last axis of `x`, the weight and the bias do not fit.
pub fn linear<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    weight: Tensor<B, 2>,
    bias: Option<Tensor<B, 1>>,
) -> Tensor<B, D> {
    let [dim_in, dim_out] = weight.dims();
    assert_eq!(x.dims()[D - 1], dim_in, "linear: the input's last axis differs from the weight");
    if let Some(bias) = &bias {
        assert_eq!(bias.dims(), [dim_out], "linear: the bias differs from the weight");
    }

    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::linear(&x, &weight, bias.as_ref()) {
        return output;
    }
    portable(x, weight, bias)
}

/// The composition every backend has.
pub(crate) fn portable<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    weight: Tensor<B, 2>,
    bias: Option<Tensor<B, 1>>,
) -> Tensor<B, D> {
    let [dim_in, dim_out] = weight.dims();
    let mut shape = x.dims();
    let rows = shape[..D - 1].iter().product::<usize>();
    shape[D - 1] = dim_out;

    let product = x.reshape([rows, dim_in]).matmul(weight);
    let output = match bias {
        Some(bias) => product + bias.unsqueeze::<2>(),
        None => product,
    };
    output.reshape(shape)
}
