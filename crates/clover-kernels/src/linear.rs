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
    assert_eq!(
        x.dims()[D - 1],
        dim_in,
        "linear: the input's last axis differs from the weight"
    );
    if let Some(bias) = &bias {
        assert_eq!(
            bias.dims(),
            [dim_out],
            "linear: the bias differs from the weight"
        );
    }

    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::linear(&x, &weight, bias.as_ref()) {
        return output;
    }
    portable(x, weight, bias)
}

/// The composition every backend has.
pub fn portable<B: Backend, const D: usize>(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::agreement::{assert_agree, assert_close, leaf};

    #[test]
    fn every_row_is_mapped_and_shifted() {
        let device = Default::default();
        let x = Tensor::<TestBackend, 3>::from_data([[[1.0, 2.0]], [[0.0, 1.0]]], &device);
        let weight = Tensor::from_data([[1.0, 0.0, 2.0], [10.0, 20.0, 30.0]], &device);
        let bias = Tensor::from_data([0.5, 0.0, -1.0], &device);

        let output = linear(x, weight, Some(bias));

        let expected = [[[21.5, 40.0, 61.0]], [[10.5, 20.0, 29.0]]];
        assert_close("output", output, Tensor::from_data(expected, &device), 1e-6);
    }

    #[test]
    fn kernel_agrees_with_the_composition_at_any_size() {
        for (rows, dim_in, dim_out) in [
            (1, 1, 1),
            (5, 3, 15),
            (6, 256, 16),
            (7, 300, 17),
            (97, 40, 33),
            (200, 513, 40),
        ] {
            let (x, weight, bias) = (
                leaf([1, rows, dim_in], 1),
                leaf([dim_in, dim_out], 2),
                leaf([dim_out], 3),
            );
            assert_agree!(
                1e-5,
                [x, weight, bias],
                linear(x.clone(), weight.clone(), Some(bias.clone())),
                portable(x.clone(), weight.clone(), Some(bias.clone()))
            );
            assert_agree!(
                1e-5,
                [x, weight],
                linear(x.clone(), weight.clone(), None),
                portable(x.clone(), weight.clone(), None)
            );
        }
    }

    #[test]
    fn transposed_input_gives_the_same_as_its_copy() {
        let (x, weight) = (leaf([9, 20], 1), leaf([9, 12], 2));

        assert_agree!(
            1e-5,
            [x, weight],
            linear(x.clone().transpose(), weight.clone(), None),
            portable(x.clone().transpose(), weight.clone(), None)
        );
    }
}
