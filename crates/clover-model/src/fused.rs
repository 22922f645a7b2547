//! Burn's layers, run through the fused operations of `clover-kernels` where the backend has them.
//!
//! Parameters stay in Burn's own modules, so that stores, optimizers and records know them.

use burn::nn::{LayerNorm, Linear};
use burn::prelude::*;

/// The LayerNorm epsilon of Video Swin, of the heads and of the fusion encoder's input.
pub(crate) const LAYER_NORM_EPSILON: f64 = 1e-5;

/// Applies a linear layer to the last axis.
pub(crate) fn project<B: Backend, const D: usize>(
    linear: &Linear<B>,
    x: Tensor<B, D>,
) -> Tensor<B, D> {
    clover_kernels::linear(
        x,
        linear.weight.val(),
        linear.bias.as_ref().map(|bias| bias.val()),
    )
}

/// Applies a LayerNorm over the last axis. The module keeps its epsilon to itself, so the caller
/// says it again.
pub(crate) fn normalize<B: Backend, const D: usize>(
    norm: &LayerNorm<B>,
    epsilon: f64,
    x: Tensor<B, D>,
) -> Tensor<B, D> {
    match &norm.beta {
        Some(beta) => clover_kernels::layer_norm(x, norm.gamma.val(), beta.val(), epsilon),
        None => norm.forward(x),
    }
}
