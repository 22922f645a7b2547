//! CLIP's image encoder on the frames of clips.
//!
//! Each frame passes by itself. Its patch tokens after the last block are what Video Swin's features are to
//! Clover: the grid that the fusion encoder reads, and where regions are masked (Clover, section 3.3).

use burn::prelude::*;

use super::{MaskToken, MaskTokenConfig, VideoFeatures};
use crate::clip::{ClipVision, ClipVisionConfig, FramePooling, TemporalPooling, mean_direction};

/// Configuration to create a [`ClipVideo`] using the [init function](ClipVideoConfig::init).
#[derive(Config, Debug)]
pub struct ClipVideoConfig {
    /// The image encoder.
    pub vision: ClipVisionConfig,
    /// How the embeddings of frames become one.
    #[config(default = "FramePooling::Mean")]
    pub pooling: FramePooling,
}

/// The image encoder, the token for masked regions, and what is learned over frames.
///
/// Should be created with [`ClipVideoConfig`].
#[derive(Module, Debug)]
pub struct ClipVideo<B: Backend> {
    /// Embeds frames.
    pub vision: ClipVision<B>,
    mask_token: MaskToken<B>,
    /// With [`FramePooling::Temporal`].
    temporal: Option<TemporalPooling<B>>,
}

impl ClipVideoConfig {
    /// Initializes a new [`ClipVideo`] module.
    ///
    /// # Panics
    ///
    /// Panics if heads do not divide widths.
    pub fn init<B: Backend>(&self, device: &B::Device) -> ClipVideo<B> {
        let ClipVisionConfig {
            width,
            embedding,
            activation,
            ..
        } = self.vision;
        ClipVideo {
            vision: self.vision.init(device),
            mask_token: MaskTokenConfig::new(width).init(device),
            temporal: match &self.pooling {
                FramePooling::Mean => None,
                FramePooling::Temporal(config) => Some(config.init(embedding, activation, device)),
            },
        }
    }

    /// The most frames of a clip, where frames have positions.
    #[must_use]
    pub fn longest_clip(&self) -> Option<usize> {
        match &self.pooling {
            FramePooling::Mean => None,
            FramePooling::Temporal(config) => Some(config.positions),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), String> {
        self.vision.validate()?;
        match &self.pooling {
            FramePooling::Mean => Ok(()),
            FramePooling::Temporal(config) => config.validate(self.vision.embedding),
        }
    }
}

impl<B: Backend> ClipVideo<B> {
    /// Encodes clips, frame by frame.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`, normalized as CLIP's images
    ///
    /// # Panics
    ///
    /// Panics if the frames have another size than the configuration.
    pub fn forward(&self, clips: Tensor<B, 5>) -> VideoFeatures<B> {
        self.encode(self.patches(clips))
    }

    /// Encodes every clip as it is and once more with masked regions, all in one batch.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`
    /// - region_mask: `[batch, rows, columns]`, 1 where masked and 0 elsewhere
    /// - output: of the complete clips, then of the masked ones
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward); and if there are fewer patches than regions along a side.
    pub fn forward_complete_and_masked(
        &self,
        clips: Tensor<B, 5>,
        region_mask: Tensor<B, 3>,
    ) -> VideoFeatures<B> {
        let patches = self.patches(clips);
        let masked = self.mask_token.forward(patches.clone(), region_mask);
        self.encode(Tensor::cat(vec![patches, masked], 0))
    }

    /// One embedding a clip, as of [`forward`](Self::forward) and [`embed`](Self::embed), without computing
    /// the last patch tokens.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`
    /// - output: `[batch, dim]`, of unit length
    ///
    /// # Panics
    ///
    /// As both.
    pub fn embed_clips(&self, clips: Tensor<B, 5>) -> Tensor<B, 2> {
        let patches = self.patches(clips);
        let [batch, frames, rows, columns, dim] = patches.dims();
        let patches = patches.reshape([batch * frames, rows * columns, dim]);
        let class_tokens = self.vision.encode_class(patches);
        self.embed(class_tokens.reshape([batch, frames, dim]))
    }

    /// One embedding a clip.
    ///
    /// # Shapes
    ///
    /// - class_tokens: `[batch, frames, dim]`, those of [`VideoFeatures`]
    /// - output: `[batch, dim]`, of unit length
    ///
    /// # Panics
    ///
    /// Panics if there are more frames than [positions](ClipVideoConfig::longest_clip).
    pub fn embed(&self, class_tokens: Tensor<B, 3>) -> Tensor<B, 2> {
        let [batch, frames, dim] = class_tokens.dims();
        let embeddings = self
            .vision
            .project_class(class_tokens.reshape([batch * frames, 1, dim]));
        let [_, dim] = embeddings.dims();
        let embeddings = embeddings.reshape([batch, frames, dim]);
        mean_direction(match &self.temporal {
            None => embeddings,
            Some(temporal) => temporal.forward(embeddings),
        })
    }

    /// # Shapes
    ///
    /// - output: `[batch, frames, rows, columns, dim]`
    fn patches(&self, clips: Tensor<B, 5>) -> Tensor<B, 5> {
        let [batch, channels, frames, height, width] = clips.dims();
        let images = clips
            .swap_dims(1, 2)
            .reshape([batch * frames, channels, height, width]);
        let [rows, columns] = self.vision.grid([height, width]);
        let patches = self.vision.patches(images);
        let [_, _, dim] = patches.dims();
        patches.reshape([batch, frames, rows, columns, dim])
    }

    fn encode(&self, patches: Tensor<B, 5>) -> VideoFeatures<B> {
        let [batch, frames, rows, columns, dim] = patches.dims();
        let tokens = self
            .vision
            .encode(patches.reshape([batch * frames, rows * columns, dim]));
        let class_tokens = tokens.clone().narrow(1, 0, 1).reshape([batch, frames, dim]);
        VideoFeatures {
            grid: tokens
                .narrow(1, 1, rows * columns)
                .reshape([batch, frames, rows, columns, dim]),
            class_tokens: Some(class_tokens),
        }
    }
}
