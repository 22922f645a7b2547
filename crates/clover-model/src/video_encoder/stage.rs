//! A stage of Video Swin: blocks with alternating windows, then a patch merging.
//!
//! Liu et al., "Video Swin Transformer" (CVPR 2022), figure 1.

use burn::prelude::*;

use super::patch_merging::{PatchMerging, PatchMergingConfig};
use super::stage_plan::{StageOutline, StagePlans};
use super::swin_block::{SwinBlock, SwinBlockConfig};
use crate::Noise;

/// Configuration to create a [`Stage`] using the [init function](StageConfig::init).
#[derive(Config, Debug)]
pub struct StageConfig {
    /// Width of the tokens.
    pub channels: usize,
    /// Attention heads.
    pub heads: usize,
    /// The full window: frames, height, width.
    pub window: [usize; 3],
    /// Width of the perceptrons in multiples of `channels`.
    pub mlp_ratio: usize,
    /// Stochastic depth of each block; its length is the number of blocks.
    pub drop_path: Vec<f64>,
    /// What follows the blocks: every stage but the last merges patches.
    pub ending: StageEnding,
}

/// What follows the blocks of a stage.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum StageEnding {
    /// Height and width are halved, channels doubled.
    MergePatches,
    /// Tokens leave as they are.
    Plain,
}

/// Blocks over one grid.
///
/// Should be created with [`StageConfig`].
#[derive(Module, Debug)]
pub struct Stage<B: Backend> {
    blocks: Vec<SwinBlock<B>>,
    merging: Option<PatchMerging<B>>,
    window: [usize; 3],
    plans: StagePlans,
}

impl StageConfig {
    /// Initializes a new [`Stage`] module.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `channels`.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Stage<B> {
        let block = SwinBlockConfig::new(self.channels, self.heads, self.window)
            .with_mlp_ratio(self.mlp_ratio);
        Stage {
            blocks: self
                .drop_path
                .iter()
                .map(|prob| block.clone().with_drop_path(*prob).init(device))
                .collect(),
            merging: match self.ending {
                StageEnding::MergePatches => {
                    Some(PatchMergingConfig::new(self.channels).init(device))
                }
                StageEnding::Plain => None,
            },
            window: self.window,
            plans: StagePlans::default(),
        }
    }
}

impl<B: Backend> Stage<B> {
    /// Runs the blocks: even ones on plain windows, odd ones on windows shifted by half.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, frames, height, width, channels]`
    /// - output: `[batch, frames, height, width, channels]`, or with merging
    ///   `[batch, frames, ceil(height / 2), ceil(width / 2), 2 * channels]`
    pub fn forward(&self, x: Tensor<B, 5>, noise: &mut Noise) -> Tensor<B, 5> {
        let [batch, frames, height, width, _] = x.dims();
        let outline = StageOutline {
            window: self.window,
            shifts: self.blocks.len() > 1,
            merges: self.merging.is_some(),
        };
        let grid = [frames, height, width];
        let plan = self.plans.get::<B>(&outline, batch, grid, &x.device());

        let x = self
            .blocks
            .iter()
            .zip(plan.partitions.iter().cycle())
            .fold(x, |x, (block, partition)| {
                block.forward(x, partition, &plan.bias, noise)
            });
        match (&self.merging, &plan.neighbours) {
            (Some(merging), Some(neighbours)) => merging.forward(x, neighbours),
            _ => x,
        }
    }
}
