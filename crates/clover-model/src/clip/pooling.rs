//! How the embeddings of a clip's frames become one.
//!
//! Luo et al., "CLIP4Clip" (2021), section 3.3: `meanP` averages their directions, `seqTransf` lets
//! them look at each other first.

use burn::module::Param;
use burn::nn::Linear;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::block::{Activation, ResidualBlock, ResidualBlockConfig, forward_blocks};
use super::unit_length;
use crate::fused::project;
use crate::init::{normal, zero_linear};

/// Channels of an attention head in all published models.
const HEAD_WIDTH: usize = 64;

/// How the embeddings of a clip's frames become one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FramePooling {
    /// The mean of their directions.
    #[default]
    Mean,
    /// The mean of their directions after a transformer over the frames was added to them.
    Temporal(TemporalPoolingConfig),
}

/// Configuration to create a [`TemporalPooling`] using the [init function](TemporalPoolingConfig::init).
#[derive(Config, Debug)]
pub struct TemporalPoolingConfig {
    /// Transformer layers. CLIP4Clip: 4.
    #[config(default = 4)]
    pub layers: usize,
    /// Attention heads; one for 64 channels if not given.
    pub heads: Option<usize>,
    /// Rows of the table of frame positions: the longest clip. CLIP4Clip: as many as text positions.
    #[config(default = 77)]
    pub positions: usize,
}

/// A transformer over the frames of a clip, added to their embeddings.
///
/// Should be created with [`TemporalPoolingConfig`].
#[derive(Module, Debug)]
pub struct TemporalPooling<B: Backend> {
    positions: Param<Tensor<B, 2>>,
    blocks: Vec<ResidualBlock<B>>,
    /// Zero at first, so that training starts from the mean of the frames.
    output: Linear<B>,
}

impl TemporalPoolingConfig {
    /// Initializes a new [`TemporalPooling`] module for embeddings of `dim` numbers.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `dim`.
    pub fn init<B: Backend>(
        &self,
        dim: usize,
        activation: Activation,
        device: &B::Device,
    ) -> TemporalPooling<B> {
        let block = ResidualBlockConfig::new(dim, self.heads(dim), activation);
        TemporalPooling {
            positions: normal([self.positions, dim], 0.01, device),
            blocks: (0..self.layers).map(|_| block.init(device)).collect(),
            output: zero_linear(dim, dim, device),
        }
    }

    fn heads(&self, dim: usize) -> usize {
        self.heads.unwrap_or(dim / HEAD_WIDTH).max(1)
    }

    pub(crate) fn validate(&self, dim: usize) -> Result<(), String> {
        if self.positions == 0 || self.layers == 0 {
            return Err("video: layers and positions over frames must be positive".to_owned());
        }
        match self.heads != Some(0) && dim.is_multiple_of(self.heads(dim)) {
            true => Ok(()),
            false => Err("video: heads over frames must divide the embedding".to_owned()),
        }
    }
}

impl<B: Backend> TemporalPooling<B> {
    /// Lets the frames of each clip look at each other.
    ///
    /// # Shapes
    ///
    /// - frames, output: `[batch, frames, dim]`, not normalized to unit length
    ///
    /// # Panics
    ///
    /// Panics if there are more frames than positions.
    pub fn forward(&self, frames: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, count, dim] = frames.dims();
        let [positions, _] = self.positions.dims();
        assert!(
            count <= positions,
            "temporal pooling: a clip of {count} frames, but only {positions} positions"
        );
        let places = self.positions.val().narrow(0, 0, count);
        // A clip as one row, so that the places are added row by row.
        let placed =
            frames.clone().reshape([batch, count * dim]) + places.reshape([1, count * dim]);
        let mixed = forward_blocks(&self.blocks, placed.reshape([batch, count, dim]), None);
        frames + project(&self.output, mixed)
    }
}

/// The direction of the mean of directions.
///
/// # Shapes
///
/// - embeddings: `[batch, count, dim]`
/// - output: `[batch, dim]`, of unit length
pub(crate) fn mean_direction<B: Backend>(embeddings: Tensor<B, 3>) -> Tensor<B, 2> {
    let [batch, count, dim] = embeddings.dims();
    let directions = unit_length(embeddings.reshape([batch * count, dim]));
    let mean = directions.reshape([batch, count, dim]).mean_dim(1);
    unit_length(mean.squeeze_dim(1))
}
