//! Clover: three encoders and the heads of pre-training.
//!
//! Clover (CVPR 2023), figure 2.

use burn::module::{Module, Param};
use burn::prelude::*;

use crate::Noise;
use crate::clip::{ClipConfig, FramePooling, initial_logit_scale, scale};
use crate::fusion_encoder::{FusionEncoder, FusionEncoderConfig};
use crate::heads::{
    MlmHead, MlmHeadConfig, TextProjection, TextProjectionConfig, VideoProjection,
    VideoProjectionConfig,
};
use crate::text_encoder::{TextEncoder, TextEncoderConfig};
use crate::video_encoder::{ClipVideoConfig, VideoEncoder, VideoEncoderConfig};

/// Layers of the fusion encoder. Clover, section 3.1.
const FUSION_LAYERS: usize = 3;
/// Dropout of the head behind the fusion with masked text (published).
const FUSED_DROPOUT: f64 = 0.1;

/// Configuration to create a [`Clover`] using the [init function](CloverConfig::init).
///
/// Presets with their sources: [`tiny`](CloverConfig::tiny), [`small`](CloverConfig::small),
/// [`base`](CloverConfig::base), [`clip_nano`](CloverConfig::clip_nano),
/// [`clip_tiny`](CloverConfig::clip_tiny).
#[derive(Config, Debug)]
pub struct CloverConfig {
    /// The video encoder.
    pub video: VideoEncoderConfig,
    /// The text encoder. Its width is also the width of the fusion encoder.
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
    /// Video Swin, or CLIP's.
    pub video_encoder: VideoEncoder<B>,
    /// BERT, or CLIP's.
    pub text_encoder: TextEncoder<B>,
    /// Three BERT layers over video and text.
    pub fusion_encoder: FusionEncoder<B>,
    /// Embeds the averaged video features, where the encoder has no projection of its own.
    pub video_projection: Option<VideoProjection<B>>,
    /// Embeds the text's `[CLS]`, where the encoder has no projection of its own.
    pub text_projection: Option<TextProjection<B>>,
    /// Between CLIP's encoders: the logarithm of what cosines are multiplied with, `-ln(temperature)`.
    pub logit_scale: Option<Param<Tensor<B, 1>>>,
    /// Embeds the fusion of masked video and complete text.
    pub fused_masked_video_head: VideoProjection<B>,
    /// Embeds the fusion of complete video and masked text.
    pub fused_masked_text_head: TextProjection<B>,
    /// Predicts masked words from the fusion of complete video and masked text.
    pub mlm_head: MlmHead<B>,
}

impl CloverConfig {
    /// A CLIP's encoders for clips of `frames`, with Clover's parts around them.
    #[must_use]
    pub fn clip(clip: ClipConfig, frames: usize, pooling: FramePooling) -> Self {
        let size = clip.vision.image_size;
        let video = ClipVideoConfig::new(clip.vision).with_pooling(pooling);
        Self::new(video.into(), clip.text.into())
            .with_frames(frames)
            .with_image_size(size)
    }

    /// Numbers of an embedding, in which videos and texts are compared.
    #[must_use]
    pub fn embedding(&self) -> usize {
        let own = self.video.embedding().or_else(|| self.text.embedding());
        own.unwrap_or_else(|| self.text.width())
    }

    /// Whether both encoders are CLIP's, whose cosines have a learned scale.
    #[must_use]
    pub fn is_clip(&self) -> bool {
        self.video.embedding().is_some() && self.text.embedding().is_some()
    }

    /// Sees clips of another height and width.
    pub fn set_image_size(&mut self, pixels: usize) {
        self.image_size = pixels;
        self.space_positions = None;
        if let VideoEncoderConfig::Clip(clip) = &mut self.video {
            clip.vision.image_size = pixels;
        }
    }

    /// The fusion encoder that fits the other two.
    #[must_use]
    pub fn fusion(&self) -> FusionEncoderConfig {
        let rows = self.video.output_rows(self.image_size);
        FusionEncoderConfig {
            video_channels: self.video.output_channels(),
            hidden: self.text.width(),
            heads: self.text.heads(),
            inner: self.text.inner(),
            time_positions: self
                .time_positions
                .unwrap_or_else(|| self.video.output_frames(self.frames)),
            space_positions: self.space_positions.unwrap_or(rows * rows),
            layers: self.fusion_layers,
            dropout: self.fusion_dropout,
        }
    }

    /// Drops units at `dropout`, and whole blocks of Video Swin at `drop_path`.
    pub fn set_dropout(&mut self, dropout: f64, drop_path: f64) {
        self.video.set_drop_path(drop_path);
        self.text.set_dropout(dropout);
        self.fusion_dropout = dropout;
        self.fused_dropout = dropout;
    }

    /// The same model without any dropout or stochastic depth, as for comparisons.
    #[must_use]
    pub fn without_dropout(mut self) -> Self {
        self.set_dropout(0.0, 0.0);
        self
    }

    /// Checks the frames of a clip that the video encoder is to embed.
    ///
    /// # Errors
    ///
    /// There are more than it has positions for, as [`longest_clip`](VideoEncoderConfig::longest_clip) counts.
    pub fn check_frames(&self, frames: usize) -> Result<(), String> {
        match self.video.longest_clip() {
            Some(longest) if frames > longest => Err(format!(
                "must not exceed the {longest} positions of the pooling over frames; `mean` has no such limit"
            )),
            _ => Ok(()),
        }
    }

    /// Initializes a new [`Clover`] module.
    ///
    /// # Panics
    ///
    /// Panics if an encoder's heads do not divide its width; [`validate`](Self::validate) first
    /// what came from a file.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Clover<B> {
        let (hidden, embedding) = (self.text.width(), self.embedding());
        let project_video = self.video.embedding().is_none();
        let project_text = self.text.embedding().is_none();
        Clover {
            video_encoder: self.video.init(device),
            text_encoder: self.text.init(device),
            fusion_encoder: self.fusion().init(device),
            video_projection: project_video.then(|| {
                VideoProjectionConfig::new(self.video.output_channels(), embedding).init(device)
            }),
            text_projection: project_text
                .then(|| TextProjectionConfig::new(hidden, embedding).init(device)),
            logit_scale: self.is_clip().then(|| initial_logit_scale(device)),
            fused_masked_video_head: VideoProjectionConfig::new(hidden, embedding).init(device),
            fused_masked_text_head: TextProjectionConfig::new(hidden, embedding)
                .with_dropout(self.fused_dropout)
                .init(device),
            mlm_head: MlmHeadConfig::new(hidden, self.text.vocabulary()).init(device),
        }
    }

    /// Checks a configuration that came from a file.
    ///
    /// # Errors
    ///
    /// Says the first field that cannot be built, and why.
    pub fn validate(&self) -> Result<(), String> {
        if self.frames == 0 || self.image_size == 0 {
            return Err("frames and image_size must be positive".to_owned());
        }
        self.video.validate(self.image_size)?;
        self.check_frames(self.frames)
            .map_err(|reason| format!("frames: {reason}"))?;
        self.text.validate()?;
        if let [Some(images), Some(texts)] = [self.video.embedding(), self.text.embedding()]
            && images != texts
        {
            return Err(format!(
                "images are embedded in {images} numbers and texts in {texts}"
            ));
        }
        if self.fusion_layers == 0 {
            return Err("fusion_layers must be positive".to_owned());
        }
        let probabilities = [self.fusion_dropout, self.fused_dropout];
        match probabilities.iter().all(|prob| (0.0..1.0).contains(prob)) {
            true => Ok(()),
            false => Err("dropout must lie in [0, 1)".to_owned()),
        }
    }
}

impl<B: Backend> Clover<B> {
    /// Embeds clips by themselves.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`
    /// - output: `[batch, dim]`, of unit length with CLIP's encoder only
    pub fn embed_video(&self, clips: Tensor<B, 5>) -> Tensor<B, 2> {
        let projection = self.video_projection.as_ref();
        let noise = &mut Noise::quiet();
        self.video_encoder.embed_clips(clips, 1, projection, noise)
    }

    /// Embeds texts by themselves.
    ///
    /// # Shapes
    ///
    /// - token_ids, attention_mask: `[batch, text_len]`
    /// - output: `[batch, dim]`, of unit length with CLIP's encoder only
    pub fn embed_text(
        &self,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
    ) -> Tensor<B, 2> {
        let projection = self.text_projection.as_ref();
        let noise = &mut Noise::quiet();
        self.text_encoder
            .embed_texts(token_ids, attention_mask, projection, noise)
    }

    /// What cosines are multiplied with to be logits, at most 100, where CLIP's encoders are compared.
    ///
    /// # Shapes
    ///
    /// - output: `[1]`
    pub fn scale(&self) -> Option<Tensor<B, 1>> {
        self.logit_scale.as_ref().map(scale)
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

        config.video.video_swin_mut().unwrap().heads[1] = 3;

        let reason = config.validate().unwrap_err();
        assert!(reason.contains("heads must divide"), "{reason}");
    }
}
