//! For tests: values without a seed to share, and the comparison of an operation with its portable
//! form, forward and backward.

use crate::TestBackend;
use burn::backend::Autodiff;
use burn::tensor::{Shape, Tensor, TensorData};

pub(crate) type Tracked<const D: usize> = Tensor<Autodiff<TestBackend>, D>;
pub(crate) type Gradients =
    <Autodiff<TestBackend> as burn::tensor::backend::AutodiffBackend>::Gradients;

/// Values between -2 and 2 without a pattern, the same for the same `seed`.
pub(crate) fn scattered<const D: usize>(shape: [usize; D], seed: u32) -> Tracked<D> {
    let size = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..size as u32)
        .map(|i| {
            let mixed = (i ^ seed.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B);
            let mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0xC2B2_AE35);
            (mixed >> 8) as f32 / (1 << 22) as f32 - 2.0
        })
        .collect();
    Tensor::from_data(
        TensorData::new(values, Shape::new(shape)),
        &Default::default(),
    )
}

/// [`scattered`], as a leaf that takes a gradient.
pub(crate) fn leaf<const D: usize>(shape: [usize; D], seed: u32) -> Tracked<D> {
    scattered(shape, seed).require_grad()
}

/// Back-propagates a scattered gradient.
pub(crate) fn backpropagate<const D: usize>(output: Tracked<D>) -> Gradients {
    let gradient = scattered(output.dims(), 99);
    (output * gradient).sum().backward()
}

/// Fails unless the greatest difference is below `tolerance` times the greatest expected size.
pub(crate) fn assert_close<const D: usize>(
    what: &str,
    actual: Tensor<TestBackend, D>,
    expected: Tensor<TestBackend, D>,
    tolerance: f32,
) {
    assert_eq!(actual.dims(), expected.dims(), "{what}: shapes");
    let [actual, expected] =
        [actual, expected].map(|tensor| tensor.into_data().to_vec::<f32>().unwrap());
    let size = expected
        .iter()
        .fold(1e-6_f32, |size, value| size.max(value.abs()));
    for (i, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
        let difference = (actual - expected).abs();
        assert!(
            difference <= tolerance * size,
            "{what}: entry {i} is {actual}, not {expected}"
        );
    }
}

/// Compares two forms of an operation: their outputs and the gradients of all leaves.
macro_rules! assert_agree {
    ($tolerance:expr, [$($leaf:ident),+], $actual:expr, $expected:expr) => {{
        let (actual, expected) = ($actual, $expected);
        let tolerance = $tolerance;
        $crate::agreement::assert_close(
            "output", actual.clone().inner(), expected.clone().inner(), tolerance,
        );
        let actual = $crate::agreement::backpropagate(actual);
        let expected = $crate::agreement::backpropagate(expected);
        $($crate::agreement::assert_close(
            concat!("gradient of ", stringify!($leaf)),
            $leaf.grad(&actual).expect("the operation reaches its leaf"),
            $leaf.grad(&expected).expect("the portable form reaches its leaf"),
            tolerance,
        );)+
    }};
}
pub(crate) use assert_agree;
