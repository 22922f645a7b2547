//! The layer that both of CLIP's encoders consist of: attention and a perceptron, each added to its
//! input, with the LayerNorm in front.
//!
//! Radford et al. (2021), section 2.4; the activation between the two matrices is `QuickGELU` in OpenAI's
//! weights and GELU in most that were trained later. Weights work with the other one, but worse.

use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fused::{LAYER_NORM_EPSILON, normalize, project};
use crate::init::bert_linear;

/// The perceptron is so many times as wide as its input.
pub(super) const MLP_RATIO: usize = 4;

/// The function between the two matrices of a perceptron.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// The exact form, by the error function: LAION-2B, DataComp.
    Gelu,
    /// `x * sigmoid(1.702 x)`: OpenAI, MetaCLIP, DFN.
    #[default]
    QuickGelu,
}

impl Activation {
    fn apply<B: Backend>(self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        match self {
            Self::Gelu => clover_kernels::gelu(x),
            Self::QuickGelu => clover_kernels::quick_gelu(x),
        }
    }
}

/// Configuration to create a [`ResidualBlock`] using the [init function](ResidualBlockConfig::init).
#[derive(Config, Debug)]
pub struct ResidualBlockConfig {
    /// Width of the tokens.
    pub width: usize,
    /// Attention heads; each sees `width / heads` channels.
    pub heads: usize,
    /// The function between the two matrices of the perceptron.
    pub activation: Activation,
}

/// One pre-norm transformer layer: `x += attention(norm(x)); x += mlp(norm(x))`.
///
/// Should be created with [`ResidualBlockConfig`].
#[derive(Module, Debug)]
pub struct ResidualBlock<B: Backend> {
    attention_norm: LayerNorm<B>,
    /// Queries, keys and values in one matrix, in this order.
    qkv: Linear<B>,
    output: Linear<B>,
    mlp_norm: LayerNorm<B>,
    inner: Linear<B>,
    outer: Linear<B>,
    heads: usize,
    #[module(skip)]
    activation: Activation,
}

impl ResidualBlockConfig {
    /// Initializes a new [`ResidualBlock`] module.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `width`.
    pub fn init<B: Backend>(&self, device: &B::Device) -> ResidualBlock<B> {
        let width = self.width;
        assert_eq!(width % self.heads, 0, "clip: heads must divide the width");
        ResidualBlock {
            attention_norm: clip_norm(width, device),
            qkv: bert_linear(width, 3 * width, device),
            output: bert_linear(width, width, device),
            mlp_norm: clip_norm(width, device),
            inner: bert_linear(width, MLP_RATIO * width, device),
            outer: bert_linear(MLP_RATIO * width, width, device),
            heads: self.heads,
            activation: self.activation,
        }
    }
}

impl<B: Backend> ResidualBlock<B> {
    /// Mixes tokens, then transforms each.
    ///
    /// # Shapes
    ///
    /// - x, output: `[batch, tokens, dim]`
    /// - mask: `[1, tokens, tokens]`, added to the logits of every head
    pub fn forward(&self, x: Tensor<B, 3>, mask: Option<Tensor<B, 3>>) -> Tensor<B, 3> {
        let qkv = project(&self.qkv, clip_normalize(&self.attention_norm, x.clone()));
        let context = clover_kernels::window_attention(qkv, self.heads, None, mask);
        self.transform(project(&self.output, context) + x)
    }

    /// What becomes of one token a text or image: the last block of an encoder of which nothing else is
    /// used. Of the other tokens only keys and values are computed, a sixth of a block.
    ///
    /// # Shapes
    ///
    /// - token, output: `[batch, 1, dim]`; the token as it is in `x`
    /// - x: `[batch, tokens, dim]`
    /// - key_mask: `[batch, tokens]`, added to the token's logits
    pub(super) fn forward_one(
        &self,
        token: Tensor<B, 3>,
        x: Tensor<B, 3>,
        key_mask: Tensor<B, 2>,
    ) -> Tensor<B, 3> {
        let x = clip_normalize(&self.attention_norm, x);
        let q = clip_normalize(&self.attention_norm, token.clone());
        let [q, k, v] = [(0, q), (1, x.clone()), (2, x)].map(|(part, x)| self.third(part, x));
        let context = clover_kernels::masked_attention(q, k, v, self.heads, key_mask, None);
        self.transform(project(&self.output, context) + token)
    }

    /// Queries (0), keys (1) or values (2) alone.
    fn third(&self, part: usize, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [.., dim] = x.dims();
        let weight = self.qkv.weight.val().narrow(1, part * dim, dim);
        let bias = self.qkv.bias.as_ref();
        let bias = bias.map(|bias| bias.val().narrow(0, part * dim, dim));
        clover_kernels::linear(x, weight, bias)
    }

    /// The perceptron, added to its input.
    fn transform(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let inner = project(&self.inner, clip_normalize(&self.mlp_norm, x.clone()));
        project(&self.outer, self.activation.apply(inner)) + x
    }
}

/// What an encoder's blocks make of tokens.
///
/// # Shapes
///
/// - x, output: `[batch, tokens, dim]`
/// - mask: `[1, tokens, tokens]`, as of [`ResidualBlock::forward`]
pub(super) fn forward_blocks<B: Backend>(
    blocks: &[ResidualBlock<B>],
    x: Tensor<B, 3>,
    mask: Option<&Tensor<B, 3>>,
) -> Tensor<B, 3> {
    let forward = |x, block: &ResidualBlock<B>| block.forward(x, mask.cloned());
    blocks.iter().fold(x, forward)
}

/// The same, block by block.
pub(super) fn block_outputs<B: Backend>(
    blocks: &[ResidualBlock<B>],
    mut x: Tensor<B, 3>,
    mask: Option<&Tensor<B, 3>>,
) -> Vec<Tensor<B, 3>> {
    let outputs = blocks.iter().map(|block| {
        x = block.forward(x.clone(), mask.cloned());
        x.clone()
    });
    outputs.collect()
}

/// What the blocks make of one token a text or image: `one` picks it out of what the last block gets, with its
/// mask; see [`ResidualBlock::forward_one`].
///
/// # Shapes
///
/// - x: `[batch, tokens, dim]`
/// - output: `[batch, 1, dim]`
pub(super) fn forward_blocks_to_one<B: Backend>(
    blocks: &[ResidualBlock<B>],
    x: Tensor<B, 3>,
    mask: Option<&Tensor<B, 3>>,
    one: impl FnOnce(Tensor<B, 3>) -> (Tensor<B, 3>, Tensor<B, 2>),
) -> Tensor<B, 3> {
    let (others, last) = blocks.split_at(blocks.len().saturating_sub(1));
    let x = forward_blocks(others, x, mask);
    let (token, key_mask) = one(x.clone());
    last.iter().fold(token, |token, block| {
        block.forward_one(token, x.clone(), key_mask.clone())
    })
}

pub(super) fn clip_norm<B: Backend>(width: usize, device: &B::Device) -> LayerNorm<B> {
    LayerNormConfig::new(width)
        .with_epsilon(LAYER_NORM_EPSILON)
        .init(device)
}

pub(super) fn clip_normalize<B: Backend, const D: usize>(
    norm: &LayerNorm<B>,
    x: Tensor<B, D>,
) -> Tensor<B, D> {
    normalize(norm, LAYER_NORM_EPSILON, x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::{TensorData, Tolerance};

    #[test]
    fn the_two_activations_are_close_but_not_equal() {
        let x = Tensor::<TestBackend, 3>::from_data([[[-1.0_f32, 0.0, 2.0]]], &Default::default());

        let exact = Activation::Gelu.apply(x.clone()).into_data();
        let quick = Activation::QuickGelu.apply(x).into_data();

        let tolerance = Tolerance::absolute(1e-5);
        exact.assert_approx_eq::<f32>(
            &TensorData::from([[[-0.158_655_f32, 0.0, 1.954_5]]]),
            tolerance,
        );
        // -1 / (1 + e^1.702), and 2 / (1 + e^-3.404).
        quick.assert_approx_eq::<f32>(
            &TensorData::from([[[-0.154_208_f32, 0.0, 1.935_659]]]),
            tolerance,
        );
    }
}
