//! A Video Swin block: window attention and a perceptron, each behind a LayerNorm and on a
//! residual branch.
//!
//! Liu et al., "Video Swin Transformer" (CVPR 2022), section 3.2, equation 2.

use burn::nn::{LayerNorm, LayerNormConfig};
use burn::prelude::*;
use clover_kernels::ColumnLookup;

use super::mlp::{Mlp, MlpConfig};
use super::window::WindowPartition;
use super::window_attention::{WindowAttention, WindowAttentionConfig};
use crate::Noise;
use crate::fused::{LAYER_NORM_EPSILON, normalize};

/// Configuration to create a [`SwinBlock`] using the [init function](SwinBlockConfig::init).
#[derive(Config, Debug)]
pub struct SwinBlockConfig {
    /// Width of the tokens.
    pub channels: usize,
    /// Attention heads.
    pub heads: usize,
    /// The full window: frames, height, width.
    pub window: [usize; 3],
    /// Width of the perceptron in multiples of `channels`.
    #[config(default = 4)]
    pub mlp_ratio: usize,
    /// Probability of leaving out a residual branch for a sample in training.
    #[config(default = 0.0)]
    pub drop_path: f64,
}

/// One block. Whether its windows are shifted is a matter of the partition it is given.
///
/// Should be created with [`SwinBlockConfig`].
#[derive(Module, Debug)]
pub struct SwinBlock<B: Backend> {
    norm1: LayerNorm<B>,
    attention: WindowAttention<B>,
    norm2: LayerNorm<B>,
    mlp: Mlp<B>,
    drop_path: f64,
}

impl SwinBlockConfig {
    /// Initializes a new [`SwinBlock`] module.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `channels`.
    pub fn init<B: Backend>(&self, device: &B::Device) -> SwinBlock<B> {
        let norm = || {
            LayerNormConfig::new(self.channels)
                .with_epsilon(LAYER_NORM_EPSILON)
                .init(device)
        };
        SwinBlock {
            norm1: norm(),
            attention: WindowAttentionConfig::new(self.channels, self.heads, self.window)
                .init(device),
            norm2: norm(),
            mlp: MlpConfig::new(self.channels, self.mlp_ratio * self.channels).init(device),
            drop_path: self.drop_path,
        }
    }
}

impl<B: Backend> SwinBlock<B> {
    /// Mixes tokens within windows, then transforms each by itself.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, frames, height, width, channels]`
    /// - output: `[batch, frames, height, width, channels]`
    pub fn forward(
        &self,
        x: Tensor<B, 5>,
        partition: &WindowPartition<B>,
        bias: &ColumnLookup<B>,
        noise: &mut Noise,
    ) -> Tensor<B, 5> {
        let normalized = normalize(&self.norm1, LAYER_NORM_EPSILON, x.clone());
        // Padding stands behind the norm: padded keys are the qkv bias, and are attended to.
        let windows = partition.partition(normalized);
        let mixed = partition.merge(self.attention.forward(windows, bias, partition.mask()));
        // The branch first: nobody else holds it, so the sum can take its place.
        let x = noise.drop_path(mixed, self.drop_path) + x;
        let normalized = normalize(&self.norm2, LAYER_NORM_EPSILON, x.clone());
        noise.drop_path(self.mlp.forward(normalized), self.drop_path) + x
    }
}
