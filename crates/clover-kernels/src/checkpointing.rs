//! For tests: gradients under Burn's two strategies, what the backward pass needs being kept or
//! computed again.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::{
    BalancedCheckpointing, CheckpointStrategy, NoCheckpointing,
};
use burn::prelude::*;

use crate::TestBackend;
use crate::agreement::{assert_close, scattered};

type Leaves<C> = [Tensor<Autodiff<TestBackend, C>, 2>; 4];

/// Every operation once, each fed with what a cheap operation made, which checkpointing forgets.
fn every_operation<C: CheckpointStrategy>(
    leaves: &Leaves<C>,
) -> Tensor<Autodiff<TestBackend, C>, 1> {
    let device = Default::default();
    let index = |rows: [i32; 6]| Tensor::from_data(rows, &device);
    let [x, weight, scale, bias] = leaves.each_ref().map(|leaf| leaf.clone().mul_scalar(0.5));
    let scale = scale.reshape([12]);
    let doubled = |x: Tensor<_, 2>| x.mul_scalar(2.0);

    let x = crate::linear(x, weight.clone(), Some(scale.clone()));
    let x = crate::gelu(doubled(x));
    let x = crate::layer_norm(doubled(x), scale.clone(), scale + 1.0, 1e-5);
    let places = crate::RowPermutation::new(&[1, 2, 0, 4, 5, 3].map(Some), 6, &device);
    let x = places.forward(doubled(x)).reshape([2, 3, 12]);
    let bias = bias.reshape([2, 3, 3]);
    let packed = Tensor::cat(vec![x.clone(), x.clone() * 0.5, x.clone() + 0.25], 2);
    let x = x + crate::window_attention(packed, 2, Some(bias.clone() * 0.5), None);
    let seen = Tensor::zeros([2, 3], &device);
    let x = x.clone() + crate::masked_attention(x.clone() * 2.0, x.clone(), x * 0.5, 2, seen, None);
    let heads = x.reshape([2, 3, 2, 6]).swap_dims(1, 2);
    let x = crate::attention(
        heads.clone() * 2.0,
        heads.clone(),
        heads,
        0.4,
        Some(bias),
        None,
    );
    let rows = x.swap_dims(1, 2).reshape([6, 12]);
    let logits = crate::gather_rows(doubled(rows), index([0, 5, 2, 2, 4, 1]));
    crate::softmax_cross_entropy(doubled(logits), index([1, 0, 7, 11, 3, 2])).sum()
}

fn gradients<C: CheckpointStrategy>() -> [Tensor<TestBackend, 2>; 4] {
    let shapes = [[6, 12], [12, 12], [1, 12], [2, 9]];
    let mut seed = 0;
    let leaves: Leaves<C> = shapes.map(|shape| {
        seed += 1;
        Tensor::from_inner(scattered(shape, seed).inner()).require_grad()
    });
    let gradients = every_operation(&leaves).backward();
    leaves.map(|leaf| leaf.grad(&gradients).expect("every leaf is reached"))
}

#[test]
fn gradients_are_the_same_kept_or_computed_again() {
    let kept = gradients::<NoCheckpointing>();
    let again = gradients::<BalancedCheckpointing>();

    for (kept, again) in kept.into_iter().zip(again) {
        let size: f32 = kept.clone().abs().max().into_scalar();
        assert!(size > 1e-3, "a gradient of {size} shows nothing");
        assert_close("gradient", again, kept, 1e-6);
    }
}
