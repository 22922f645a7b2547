//! What the fusion encoder reads: projected video tokens with space, time and type embeddings, and
//! text features with a type embedding.
//!
//! Clover, section 3.1. As released, only the video side passes a LayerNorm, and the text side gets
//! no second position embedding.

use burn::module::Param;
use burn::nn::{
    Embedding, EmbeddingConfig, Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig,
};
use burn::prelude::*;
use burn::tensor::DType;

use crate::fused::{LAYER_NORM_EPSILON, normalize, project};
use crate::init::normal;

/// Rows of the type table.
const VIDEO_TYPE: usize = 0;
const TEXT_TYPE: usize = 1;

/// Configuration to create [`FusionEmbeddings`] using the [init function](FusionEmbeddingsConfig::init).
#[derive(Config, Debug)]
pub struct FusionEmbeddingsConfig {
    /// Channels of the video encoder's output.
    pub video_channels: usize,
    /// Width of text and fused tokens.
    pub hidden: usize,
    /// Rows of the time position table.
    pub time_positions: usize,
    /// Rows of the space position table.
    pub space_positions: usize,
}

/// Brings video and text features to one sequence width and marks where each came from.
///
/// Should be created with [`FusionEmbeddingsConfig`].
#[derive(Module, Debug)]
pub struct FusionEmbeddings<B: Backend> {
    video_projection: Linear<B>,
    space_position: Param<Tensor<B, 4>>,
    time_position: Param<Tensor<B, 4>>,
    token_type: Embedding<B>,
    norm: LayerNorm<B>,
}

impl FusionEmbeddingsConfig {
    /// Initializes new [`FusionEmbeddings`].
    pub fn init<B: Backend>(&self, device: &B::Device) -> FusionEmbeddings<B> {
        FusionEmbeddings {
            video_projection: LinearConfig::new(self.video_channels, self.hidden).init(device),
            space_position: normal([1, 1, self.space_positions, self.hidden], 0.02, device),
            time_position: normal([1, self.time_positions, 1, self.hidden], 0.02, device),
            token_type: EmbeddingConfig::new(2, self.hidden)
                .with_initializer(Initializer::Normal {
                    mean: 0.0,
                    std: 1.0,
                })
                .init(device),
            norm: LayerNormConfig::new(self.hidden)
                .with_epsilon(LAYER_NORM_EPSILON)
                .init(device),
        }
    }
}

impl<B: Backend> FusionEmbeddings<B> {
    /// Projects video features and adds space, time and type embeddings.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, frames, height, width, channels]`
    /// - output: `[batch, frames * height * width, dim]`
    ///
    /// # Panics
    ///
    /// Panics if the clip has more time steps than the time table, or another number of regions
    /// than the space table.
    pub fn video(&self, features: Tensor<B, 5>) -> Tensor<B, 3> {
        let [batch, frames, height, width, channels] = features.dims();
        let [_, time_positions, _, dim] = self.time_position.dims();
        let [_, _, space_positions, _] = self.space_position.dims();
        let regions = height * width;
        assert!(
            frames <= time_positions,
            "fusion encoder: {frames} time steps, but the time table has {time_positions}"
        );
        assert_eq!(
            regions, space_positions,
            "fusion encoder: {regions} regions, but the space table has {space_positions}"
        );

        let tokens = features.reshape([batch, frames * regions, channels]);
        let time = self.time_position.val().narrow(1, 0, frames);
        let place = (self.space_position.val() + time).reshape([1, frames * regions, dim]);
        let tokens = project(&self.video_projection, tokens);
        let place = place + self.type_row(VIDEO_TYPE, tokens.dtype());
        // A clip as one row, so that the places are added row by row.
        let row = frames * regions * dim;
        let x = tokens.reshape([batch, row]) + place.reshape([1, row]);
        let x = x.reshape([batch, frames * regions, dim]);
        normalize(&self.norm, LAYER_NORM_EPSILON, x)
    }

    /// Adds the type embedding to text features.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, text_len, dim]`
    /// - output: `[batch, text_len, dim]`
    pub fn text(&self, features: Tensor<B, 3>) -> Tensor<B, 3> {
        let token_type = self.type_row(TEXT_TYPE, features.dtype());
        features + token_type
    }

    /// Mixed precision keeps the tables of embeddings in `f32`.
    fn type_row(&self, row: usize, dtype: DType) -> Tensor<B, 3> {
        self.token_type
            .weight
            .val()
            .narrow(0, row, 1)
            .unsqueeze_dim(0)
            .cast(dtype)
    }
}
