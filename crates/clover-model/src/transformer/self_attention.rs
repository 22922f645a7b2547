//! Multi-head self-attention with a residual and a LayerNorm behind it.
//!
//! Vaswani et al., "Attention Is All You Need" (2017), section 3.2, as BERT wires it.

use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;
use burn::tensor::activation::softmax;

use super::BERT_EPSILON;
use crate::Noise;
use crate::fused::{normalize, project};
use crate::init::bert_linear;

/// Configuration to create a [`SelfAttention`] using the [init function](SelfAttentionConfig::init).
#[derive(Config, Debug)]
pub struct SelfAttentionConfig {
    /// Width of the tokens.
    pub hidden: usize,
    /// Attention heads; each sees `hidden / heads` channels.
    pub heads: usize,
    /// Dropout of the attention weights and of the output. BERT: 0.1.
    #[config(default = 0.1)]
    pub dropout: f64,
}

/// Self-attention sub-layer: `norm(x + output(attention(query(x), key(x), value(x))))`.
///
/// Should be created with [`SelfAttentionConfig`].
#[derive(Module, Debug)]
pub struct SelfAttention<B: Backend> {
    query: Linear<B>,
    key: Linear<B>,
    value: Linear<B>,
    output: Linear<B>,
    norm: LayerNorm<B>,
    dropout: f64,
    heads: usize,
}

impl SelfAttentionConfig {
    /// Initializes a new [`SelfAttention`] module.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `hidden`.
    pub fn init<B: Backend>(&self, device: &B::Device) -> SelfAttention<B> {
        assert_eq!(
            self.hidden % self.heads,
            0,
            "self-attention: heads must divide hidden"
        );
        let linear = || bert_linear(self.hidden, self.hidden, device);
        SelfAttention {
            query: linear(),
            key: linear(),
            value: linear(),
            output: linear(),
            norm: LayerNormConfig::new(self.hidden)
                .with_epsilon(BERT_EPSILON)
                .init(device),
            dropout: self.dropout,
            heads: self.heads,
        }
    }
}

impl<B: Backend> SelfAttention<B> {
    /// Mixes tokens.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, tokens, dim]`
    /// - padding: `[batch, tokens]`, added to every logit of that key
    /// - output: `[batch, tokens, dim]`
    pub fn forward(
        &self,
        x: Tensor<B, 3>,
        padding: Tensor<B, 2>,
        noise: &mut Noise,
    ) -> Tensor<B, 3> {
        let [batch, tokens, _] = x.dims();
        let weights = [batch, self.heads, tokens, tokens];
        let factors = noise.factors(weights, self.dropout, &x.device());
        let context = clover_kernels::masked_attention(
            project(&self.query, x.clone()),
            project(&self.key, x.clone()),
            project(&self.value, x.clone()),
            self.heads,
            padding,
            factors,
        );
        let mixed = noise.dropout(project(&self.output, context), self.dropout);
        // The branch first: nobody else holds it, so the sum can take its place.
        normalize(&self.norm, BERT_EPSILON, mixed + x)
    }

    /// How much each token looks at each key, averaged over heads; for analyses, not training.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, tokens, dim]`
    /// - padding: `[batch, tokens]`, added to every logit of that key
    /// - output: `[batch, tokens, tokens]`; each row sums to 1
    pub fn weights(&self, x: Tensor<B, 3>, padding: Tensor<B, 2>) -> Tensor<B, 3> {
        let [batch, tokens, dim] = x.dims();
        let head_dim = dim / self.heads;
        let split = |x: Tensor<B, 3>| {
            x.reshape([batch, tokens, self.heads, head_dim])
                .permute([0, 2, 1, 3])
        };
        let (q, k) = (
            split(project(&self.query, x.clone())),
            split(project(&self.key, x)),
        );
        let logits = q.matmul(k.transpose()) / (head_dim as f64).sqrt()
            + padding.reshape([batch, 1, 1, tokens]);
        softmax(logits, 3).mean_dim(1).squeeze_dim(1)
    }
}
