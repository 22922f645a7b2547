//! Patch merging: halves height and width between two Video Swin stages.
//!
//! Liu et al., "Video Swin Transformer" (CVPR 2022), section 3.1. Time is left untouched.

use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;

use crate::fused::{LAYER_NORM_EPSILON, normalize, project};
use crate::init::truncated_normal;

/// Configuration to create a [`PatchMerging`] using the [init function](PatchMergingConfig::init).
#[derive(Config, Debug)]
pub struct PatchMergingConfig {
    /// Channels of the incoming tokens; the outgoing tokens have twice as many.
    pub channels: usize,
}

/// Concatenates each 2 x 2 spatial neighbourhood and projects it to twice the channels.
///
/// Should be created with [`PatchMergingConfig`].
#[derive(Module, Debug)]
pub struct PatchMerging<B: Backend> {
    norm: LayerNorm<B>,
    reduction: Linear<B>,
}

impl PatchMergingConfig {
    /// Initializes a new [`PatchMerging`] module.
    pub fn init<B: Backend>(&self, device: &B::Device) -> PatchMerging<B> {
        PatchMerging {
            norm: LayerNormConfig::new(4 * self.channels)
                .with_epsilon(LAYER_NORM_EPSILON)
                .init(device),
            reduction: Linear {
                weight: truncated_normal([4 * self.channels, 2 * self.channels], 0.02, device),
                bias: None,
            },
        }
    }
}

impl<B: Backend> PatchMerging<B> {
    /// Merges neighbouring tokens; an odd height or width is padded with zeros first.
    ///
    /// # Shapes
    ///
    /// - tokens: `[batch, frames, height, width, channels]`
    /// - output: `[batch, frames, ceil(height / 2), ceil(width / 2), 2 * channels]`
    ///
    /// # Panics
    ///
    /// Panics if `channels` differs from the configuration.
    pub fn forward(&self, tokens: Tensor<B, 5>) -> Tensor<B, 5> {
        let [reduction_input, _] = self.reduction.weight.dims();
        let [.., channels] = tokens.dims();
        assert_eq!(
            4 * channels,
            reduction_input,
            "patch merging: channels differ from the configuration"
        );

        let neighbours = stack_neighbours(pad_to_even(tokens));
        project(
            &self.reduction,
            normalize(&self.norm, LAYER_NORM_EPSILON, neighbours),
        )
    }
}

fn pad_to_even<B: Backend>(mut tokens: Tensor<B, 5>) -> Tensor<B, 5> {
    let [batch, frames, height, width, channels] = tokens.dims();
    // Not by Burn's padding, which is `f32` whatever it pads.
    let options = (&tokens.device(), tokens.dtype());
    if height % 2 == 1 {
        let row = Tensor::zeros([batch, frames, 1, width, channels], options);
        tokens = Tensor::cat(vec![tokens, row], 2);
    }
    if width % 2 == 1 {
        let column = Tensor::zeros([batch, frames, height + height % 2, 1, channels], options);
        tokens = Tensor::cat(vec![tokens, column], 3);
    }
    tokens
}

fn stack_neighbours<B: Backend>(tokens: Tensor<B, 5>) -> Tensor<B, 5> {
    let [batch, frames, height, width, channels] = tokens.dims();
    tokens
        // Batch and frames stay folded: the ndarray backend stops at rank 6.
        .reshape([batch * frames, height / 2, 2, width / 2, 2, channels])
        // The row varies fastest inside a neighbourhood: (0,0), (1,0), (0,1), (1,1). Published
        // weights were trained in this order; row-major order would load and silently be wrong.
        .permute([0, 1, 3, 4, 2, 5])
        .reshape([batch, frames, height / 2, width / 2, 4 * channels])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::TensorData;

    #[test]
    fn neighbours_are_stacked_column_by_column() {
        // One channel whose value is 10 * row + column.
        let grid = [[[[[0.0_f32], [1.0]], [[10.0], [11.0]]]]];
        let tokens = Tensor::<TestBackend, 5>::from_data(grid, &Default::default());

        let stacked = stack_neighbours(tokens).into_data();

        stacked.assert_eq(&TensorData::from([[[[[0.0_f32, 10.0, 1.0, 11.0]]]]]), true);
    }
}
