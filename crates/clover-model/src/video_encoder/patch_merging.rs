//! Patch merging: halves height and width between two Video Swin stages.
//!
//! Liu et al., "Video Swin Transformer" (CVPR 2022), section 3.1. Time is left untouched.

use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;
use clover_kernels::RowPermutation;

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
    pub(super) fn forward(
        &self,
        tokens: Tensor<B, 5>,
        neighbours: &NeighbourRows<B>,
    ) -> Tensor<B, 5> {
        let [reduction_input, _] = self.reduction.weight.dims();
        let [.., channels] = tokens.dims();
        assert_eq!(
            4 * channels,
            reduction_input,
            "patch merging: channels differ from the configuration"
        );

        let stacked = neighbours.stack(tokens);
        project(
            &self.reduction,
            normalize(&self.norm, LAYER_NORM_EPSILON, stacked),
        )
    }
}

/// Which token stands where when neighbours are stacked.
#[derive(Clone, Debug)]
pub(super) struct NeighbourRows<B: Backend> {
    rows: RowPermutation<B>,
}

impl<B: Backend> NeighbourRows<B> {
    /// For images (frames of all clips) of `[height, width]` tokens.
    pub(super) fn new(images: usize, size: [usize; 2], device: &B::Device) -> Self {
        let tokens = images * size[0] * size[1];
        Self {
            rows: RowPermutation::new(&neighbour_rows(images, size), tokens, device),
        }
    }

    /// Moves whole token rows; a neighbour beyond an odd edge is a row of zeros.
    fn stack(&self, tokens: Tensor<B, 5>) -> Tensor<B, 5> {
        let [batch, frames, height, width, channels] = tokens.dims();
        let [rows, columns] = [height.div_ceil(2), width.div_ceil(2)];
        self.rows
            .forward(tokens.reshape([batch * frames * height * width, channels]))
            .reshape([batch, frames, rows, columns, 4 * channels])
    }
}

/// The rows of the tokens of all images, neighbourhood by neighbourhood; none for a neighbour that
/// is missing.
fn neighbour_rows(images: usize, [height, width]: [usize; 2]) -> Vec<Option<usize>> {
    let mut rows = Vec::with_capacity(4 * images * height.div_ceil(2) * width.div_ceil(2));
    for image in 0..images {
        for top in (0..height).step_by(2) {
            for left in (0..width).step_by(2) {
                // The row varies fastest inside a neighbourhood: (0,0), (1,0), (0,1), (1,1).
                // Published weights were trained in this order; row-major order would load and
                // silently be wrong.
                for (down, across) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let (row, column) = (top + down, left + across);
                    let inside = row < height && column < width;
                    rows.push(inside.then_some((image * height + row) * width + column));
                }
            }
        }
    }
    rows
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

        let neighbours = NeighbourRows::new(1, [2, 2], &tokens.device());

        let stacked = neighbours.stack(tokens).into_data();

        stacked.assert_eq(&TensorData::from([[[[[0.0_f32, 10.0, 1.0, 11.0]]]]]), true);
    }

    #[test]
    fn missing_neighbours_of_an_odd_grid_are_zeros() {
        // 3 x 1 tokens, of a second image.
        let grid = [[[[[7.0_f32]], [[7.0]], [[7.0]]], [[[1.0]], [[2.0]], [[3.0]]]]];
        let tokens = Tensor::<TestBackend, 5>::from_data(grid, &Default::default());

        let neighbours = NeighbourRows::new(2, [3, 1], &tokens.device());

        let stacked = neighbours.stack(tokens).narrow(1, 1, 1).into_data();

        let expected = [[[[[1.0_f32, 2.0, 0.0, 0.0]], [[3.0, 0.0, 0.0, 0.0]]]]];
        stacked.assert_eq(&TensorData::from(expected), true);
    }
}
