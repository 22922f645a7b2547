//! Clover: three encoders and the heads of pre-training.
//!
//! Clover (CVPR 2023), figure 2.

use burn::module::Module;
use burn::prelude::*;

use crate::Noise;
use crate::fusion_encoder::{FusionEncoder, FusionEncoderConfig};
use crate::heads::{
    MlmHead, MlmHeadConfig, TextProjection, TextProjectionConfig, VideoProjection,
    VideoProjectionConfig, cls_feature,
};
use crate::text_encoder::{TextEncoder, TextEncoderConfig};
use crate::video_encoder::{VideoSwin, VideoSwinConfig};

/// Layers of the fusion encoder. Clover, section 3.1.
const FUSION_LAYERS: usize = 3;
/// Dropout of the head behind the fusion with masked text (published).
const FUSED_DROPOUT: f64 = 0.1;

/// Configuration to create a [`Clover`] using the [init function](CloverConfig::init).
///
/// Presets with their sources: [`tiny`](CloverConfig::tiny), [`small`](CloverConfig::small),
/// [`base`](CloverConfig::base).
#[derive(Config, Debug)]
pub struct CloverConfig {
    /// The video encoder.
    pub video: VideoSwinConfig,
    /// The text encoder. Its width is also the width of the fusion encoder and the embeddings.
    pub text: TextEncoderConfig,
    /// Frames of a clip in pre-training; sizes the fusion encoder's time positions.
    #[config(default = 8)]
    pub frames: usize,
    /// Height and width of a clip in pixels; sizes the fusion encoder's space positions.
    #[config(default = 224)]
    pub image_size: usize,
    /// Rows of the fusion encoder's time table, if not what `frames` need.
    pub time_positions: Option<usize>,
    /// Rows of the fusion encoder's space table, if not what a square `image_size` needs.
    pub space_positions: Option<usize>,
    /// Layers of the fusion encoder.
    #[config(default = "FUSION_LAYERS")]
    pub fusion_layers: usize,
    /// Dropout of the fusion encoder. BERT: 0.1.
    #[config(default = 0.1)]
    pub fusion_dropout: f64,
    /// Dropout of the head behind the fusion with masked text.
    #[config(default = "FUSED_DROPOUT")]
    pub fused_dropout: f64,
}

/// The pre-training model; the task models of [`tasks`](crate::tasks) are made from its parts.
///
/// Should be created with [`CloverConfig`].
#[derive(Module, Debug)]
pub struct Clover<B: Backend> {
    /// Video Swin.
    pub video_encoder: VideoSwin<B>,
    /// BERT.
    pub text_encoder: TextEncoder<B>,
    /// Three BERT layers over video and text.
    pub fusion_encoder: FusionEncoder<B>,
    /// Embeds the averaged video features.
    pub video_projection: VideoProjection<B>,
    /// Embeds the text's `[CLS]`.
    pub text_projection: TextProjection<B>,
    /// Embeds the fusion of masked video and complete text.
    pub fused_masked_video_head: VideoProjection<B>,
    /// Embeds the fusion of complete video and masked text.
    pub fused_masked_text_head: TextProjection<B>,
    /// Predicts masked words from the fusion of complete video and masked text.
    pub mlm_head: MlmHead<B>,
}

impl CloverConfig {
    /// The fusion encoder that fits the other two.
    #[must_use]
    pub fn fusion(&self) -> FusionEncoderConfig {
        let rows = self.video.output_rows(self.image_size);
        FusionEncoderConfig {
            video_channels: self.video.output_channels(),
            hidden: self.text.hidden,
            heads: self.text.heads,
            inner: self.text.inner,
            time_positions: self
                .time_positions
                .unwrap_or_else(|| self.video.output_frames(self.frames)),
            space_positions: self.space_positions.unwrap_or(rows * rows),
            layers: self.fusion_layers,
            dropout: self.fusion_dropout,
        }
    }

    /// The same model without any dropout or stochastic depth, as for comparisons.
    #[must_use]
    pub fn without_dropout(mut self) -> Self {
        self.video.drop_path = 0.0;
        self.text.dropout = 0.0;
        self.fusion_dropout = 0.0;
        self.fused_dropout = 0.0;
        self
    }

    /// Initializes a new [`Clover`] module.
    ///
    /// # Panics
    ///
    /// Panics if an encoder's heads do not divide its width; [`validate`](Self::validate) first
    /// what came from a file.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Clover<B> {
        let dim = self.text.hidden;
        Clover {
            video_encoder: self.video.init(device),
            text_encoder: self.text.init(device),
            fusion_encoder: self.fusion().init(device),
            video_projection: VideoProjectionConfig::new(self.video.output_channels(), dim)
                .init(device),
            text_projection: TextProjectionConfig::new(dim).init(device),
            fused_masked_video_head: VideoProjectionConfig::new(dim, dim).init(device),
            fused_masked_text_head: TextProjectionConfig::new(dim)
                .with_dropout(self.fused_dropout)
                .init(device),
            mlm_head: MlmHeadConfig::new(dim, self.text.vocabulary).init(device),
        }
    }

    /// Checks a configuration that came from a file.
    ///
    /// # Errors
    ///
    /// Says the first field that cannot be built, and why.
    pub fn validate(&self) -> Result<(), String> {
        let video = &self.video;
        if video.depths.is_empty() || video.depths.len() != video.heads.len() {
            return Err("video: depths and heads need one number a stage".to_owned());
        }
        if video.depths.len() > 8 || video.depths.contains(&0) {
            return Err(
                "video: depths must hold one to eight stages of at least one block".to_owned(),
            );
        }
        let heads_fit = |(stage, heads): (usize, &usize)| {
            *heads > 0 && (video.embed_dim << stage).is_multiple_of(*heads)
        };
        if video.embed_dim == 0 || !video.heads.iter().enumerate().all(heads_fit) {
            return Err("video: each stage's heads must divide its channels".to_owned());
        }
        if video.window.contains(&0) || video.patch.contains(&0) || video.mlp_ratio == 0 {
            return Err("video: window, patch and mlp_ratio must be positive".to_owned());
        }
        if self.text.heads == 0
            || self.text.hidden == 0
            || !self.text.hidden.is_multiple_of(self.text.heads)
        {
            return Err("text: heads must divide hidden".to_owned());
        }
        if self.text.vocabulary == 0 || self.text.max_positions == 0 || self.text.inner == 0 {
            return Err("text: vocabulary, max_positions and inner must be positive".to_owned());
        }
        if self.fusion_layers == 0 {
            return Err("fusion_layers must be positive".to_owned());
        }
        if self.frames == 0 || self.image_size == 0 {
            return Err("frames and image_size must be positive".to_owned());
        }
        let probabilities = [
            video.drop_path,
            self.text.dropout,
            self.fusion_dropout,
            self.fused_dropout,
        ];
        if probabilities.iter().any(|prob| !(0.0..1.0).contains(prob)) {
            return Err("dropout and drop_path must lie in [0, 1)".to_owned());
        }
        Ok(())
    }
}

impl<B: Backend> Clover<B> {
    /// Embeds clips by themselves.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`
    /// - output: `[batch, dim]`, not normalized to unit length
    pub fn embed_video(&self, clips: Tensor<B, 5>) -> Tensor<B, 2> {
        self.video_projection
            .forward_pooled(self.video_encoder.forward(clips, &mut Noise::quiet()))
    }

    /// Embeds texts by themselves.
    ///
    /// # Shapes
    ///
    /// - token_ids, attention_mask: `[batch, text_len]`
    /// - output: `[batch, dim]`, not normalized to unit length
    pub fn embed_text(
        &self,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
    ) -> Tensor<B, 2> {
        let features = self
            .text_encoder
            .forward(token_ids, attention_mask, &mut Noise::quiet());
        self.text_projection
            .forward(cls_feature(features), &mut Noise::quiet())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_follow_from_clip_size() {
        let fusion = CloverConfig::base(30_522).fusion();

        assert_eq!((fusion.time_positions, fusion.space_positions), (4, 49));
        assert_eq!((fusion.video_channels, fusion.hidden), (1024, 768));
    }

    #[test]
    fn a_configuration_that_cannot_be_built_is_refused() {
        let mut config = CloverConfig::tiny(100);
        assert_eq!(config.validate(), Ok(()));

        config.video.heads[1] = 3;

        let reason = config.validate().unwrap_err();
        assert!(reason.contains("heads must divide"), "{reason}");
    }
}
