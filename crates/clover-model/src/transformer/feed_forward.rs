//! The position-wise feed-forward network with a residual and a LayerNorm behind it.
//!
//! Vaswani et al. (2017), section 3.3, with BERT's exact (erf) GELU and no dropout between the two
//! matrices.

use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;

use super::BERT_EPSILON;
use crate::Noise;
use crate::fused::{normalize, project};
use crate::init::bert_linear;

/// Configuration to create a [`FeedForward`] using the [init function](FeedForwardConfig::init).
#[derive(Config, Debug)]
pub struct FeedForwardConfig {
    /// Width of the tokens.
    pub hidden: usize,
    /// Width between the two matrices. BERT: `4 * hidden`.
    pub inner: usize,
    /// Dropout of the output. BERT: 0.1.
    #[config(default = 0.1)]
    pub dropout: f64,
}

/// Feed-forward sub-layer: `norm(x + outer(gelu(inner(x))))`.
///
/// Should be created with [`FeedForwardConfig`].
#[derive(Module, Debug)]
pub struct FeedForward<B: Backend> {
    inner: Linear<B>,
    outer: Linear<B>,
    norm: LayerNorm<B>,
    dropout: f64,
}

impl FeedForwardConfig {
    /// Initializes a new [`FeedForward`] module.
    pub fn init<B: Backend>(&self, device: &B::Device) -> FeedForward<B> {
        FeedForward {
            inner: bert_linear(self.hidden, self.inner, device),
            outer: bert_linear(self.inner, self.hidden, device),
            norm: LayerNormConfig::new(self.hidden)
                .with_epsilon(BERT_EPSILON)
                .init(device),
            dropout: self.dropout,
        }
    }
}

impl<B: Backend> FeedForward<B> {
    /// Transforms each token by itself.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, tokens, dim]`
    /// - output: `[batch, tokens, dim]`
    pub fn forward(&self, x: Tensor<B, 3>, noise: &mut Noise) -> Tensor<B, 3> {
        let inner = clover_kernels::gelu(project(&self.inner, x.clone()));
        let transformed = noise.dropout(project(&self.outer, inner), self.dropout);
        // The branch first: nobody else holds it, so the sum can take its place.
        normalize(&self.norm, BERT_EPSILON, transformed + x)
    }
}
