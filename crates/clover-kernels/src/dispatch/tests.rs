use super::*;
use burn::tensor::{Device, TensorData};
use burn_ndarray::NdArray;

fn ones<B: Backend>() -> Tensor<B, 2> {
    Tensor::ones([2, 3], &Device::<B>::default())
}

fn covered<B: Backend>(x: Tensor<B, 2>) -> bool {
    gelu(Gelu::Exact, x).is_ok()
}

#[test]
fn flex_is_covered_bare_and_under_autodiff_with_either_strategy() {
    assert!(covered(ones::<Flex>()));
    assert!(covered(ones::<Autodiff<Flex>>()));
    assert!(covered(ones::<Autodiff<Flex, BalancedCheckpointing>>()));
}

#[test]
fn other_backends_and_other_floats_are_left_to_the_composition() {
    let double = TensorData::from([[1.0_f64]]);
    let double = Tensor::<Flex, 2>::from_data(double, (&Default::default(), DType::F64));

    assert!(!covered(ones::<NdArray<f32>>()));
    assert!(!covered(ones::<Autodiff<NdArray<f32>>>()));
    assert!(!covered(double.clone()));
    assert_eq!(crate::gelu(double).dtype(), DType::F64);
}

#[test]
fn gradient_reaches_through_a_kernel_under_balanced_checkpointing() {
    let x = ones::<Autodiff<Flex, BalancedCheckpointing>>().require_grad();

    let gradients = crate::gelu(x.clone().mul_scalar(2.0)).sum().backward();

    let gradient = x.grad(&gradients).unwrap().into_data();
    // Twice the slope at two.
    let expected = TensorData::from([[2.170_464_f32; 3]; 2]);
    gradient.assert_approx_eq::<f32>(&expected, burn::tensor::Tolerance::default());
}

#[test]
fn untracked_input_stays_without_a_gradient() {
    let (x, weight) = (
        ones::<Autodiff<Flex>>(),
        Tensor::ones([3, 2], &Default::default()),
    );
    let weight = weight.require_grad();

    let gradients = crate::linear(x.clone(), weight.clone(), None)
        .sum()
        .backward();

    assert!(x.grad(&gradients).is_none());
    assert!(weight.grad(&gradients).is_some());
}
