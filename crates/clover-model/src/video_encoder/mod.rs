//! The video encoder: [`VideoSwin`], or CLIP's image encoder on each frame.
//!
//! Clover, section 3.1, has Liu et al., "Video Swin Transformer" (CVPR 2022).

mod clip_video;
mod mask_token;
mod mlp;
mod patch_embedding;
mod patch_merging;
pub mod relative_position_bias;
pub mod shifted_window_mask;
mod stage;
mod stage_plan;
mod swin_block;
mod video_swin;
mod views;
pub mod window;
mod window_attention;

pub use clip_video::{ClipVideo, ClipVideoConfig};
pub use mask_token::{MaskToken, MaskTokenConfig};
pub use mlp::{Mlp, MlpConfig};
pub use patch_embedding::{PatchEmbedding, PatchEmbeddingConfig};
pub use patch_merging::{PatchMerging, PatchMergingConfig};
pub use stage::{Stage, StageConfig, StageEnding};
pub use swin_block::{SwinBlock, SwinBlockConfig};
pub use video_swin::{VideoSwin, VideoSwinConfig};
pub use views::average_views;
pub use window_attention::{WindowAttention, WindowAttentionConfig};

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Noise;
use crate::heads::VideoProjection;
use crate::one_of::module_is_one_of;
use views::mean_of_views;

/// Configuration to create a [`VideoEncoder`] using the [init function](VideoEncoderConfig::init).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoEncoderConfig {
    /// CLIP's image encoder.
    Clip(ClipVideoConfig),
    /// Video Swin; in a file its sizes stand by themselves.
    #[serde(untagged)]
    VideoSwin(VideoSwinConfig),
}

/// Turns clips into a grid of features.
///
/// Should be created with [`VideoEncoderConfig`].
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a model has one, whose parameters lie elsewhere"
)]
pub enum VideoEncoder<B: Backend> {
    /// CLIP's image encoder on each frame.
    Clip(ClipVideo<B>),
    /// Video Swin.
    VideoSwin(VideoSwin<B>),
}

module_is_one_of!(VideoEncoder { Clip(ClipVideo), VideoSwin(VideoSwin) });

/// What a video encoder makes of clips.
#[derive(Clone, Debug)]
pub struct VideoFeatures<B: Backend> {
    /// `[batch, frames, rows, columns, channels]`: what the fusion encoder reads.
    pub grid: Tensor<B, 5>,
    /// `[batch, frames, channels]`: a token a frame that became its feature, where the encoder has such.
    pub class_tokens: Option<Tensor<B, 3>>,
}

impl From<VideoSwinConfig> for VideoEncoderConfig {
    fn from(config: VideoSwinConfig) -> Self {
        Self::VideoSwin(config)
    }
}

impl From<ClipVideoConfig> for VideoEncoderConfig {
    fn from(config: ClipVideoConfig) -> Self {
        Self::Clip(config)
    }
}

impl VideoEncoderConfig {
    /// Channels of the grid.
    #[must_use]
    pub fn output_channels(&self) -> usize {
        match self {
            Self::Clip(clip) => clip.vision.width,
            Self::VideoSwin(swin) => swin.output_channels(),
        }
    }

    /// Time steps of the grid for a clip of `frames`.
    #[must_use]
    pub fn output_frames(&self, frames: usize) -> usize {
        frames.div_ceil(self.frames_a_step())
    }

    /// Frames of a time step of the grid.
    #[must_use]
    pub fn frames_a_step(&self) -> usize {
        match self {
            Self::Clip(_) => 1,
            Self::VideoSwin(swin) => swin.patch[0],
        }
    }

    /// Rows (or columns) of the grid for a clip of `size` pixels in height (or width).
    #[must_use]
    pub fn output_rows(&self, size: usize) -> usize {
        match self {
            Self::Clip(clip) => size / clip.vision.patch,
            Self::VideoSwin(swin) => swin.output_rows(size),
        }
    }

    /// Pixels of the clip along a side of one region of the grid.
    #[must_use]
    pub fn region_side(&self) -> usize {
        match self {
            Self::Clip(clip) => clip.vision.patch,
            Self::VideoSwin(swin) => swin.region_side(),
        }
    }

    /// Frames, height and width of the windows within which tokens see each other. CLIP has none.
    #[must_use]
    pub fn window(&self) -> [usize; 3] {
        match self {
            Self::Clip(_) => [1; 3],
            Self::VideoSwin(swin) => swin.window,
        }
    }

    /// Width of the embedding, where the encoder has a projection of its own.
    #[must_use]
    pub fn embedding(&self) -> Option<usize> {
        match self {
            Self::Clip(clip) => Some(clip.vision.embedding),
            Self::VideoSwin(_) => None,
        }
    }

    /// The most frames of a clip, where frames have positions of their own.
    #[must_use]
    pub fn longest_clip(&self) -> Option<usize> {
        match self {
            Self::Clip(clip) => clip.longest_clip(),
            Self::VideoSwin(_) => None,
        }
    }

    /// The sizes of a Video Swin, if it is one.
    #[must_use]
    pub fn video_swin(&self) -> Option<&VideoSwinConfig> {
        match self {
            Self::Clip(_) => None,
            Self::VideoSwin(swin) => Some(swin),
        }
    }

    /// As [`video_swin`](Self::video_swin), to be changed.
    pub fn video_swin_mut(&mut self) -> Option<&mut VideoSwinConfig> {
        match self {
            Self::Clip(_) => None,
            Self::VideoSwin(swin) => Some(swin),
        }
    }

    /// Leaves out whole blocks at this rate; CLIP never does.
    pub fn set_drop_path(&mut self, rate: f64) {
        if let Self::VideoSwin(swin) = self {
            swin.drop_path = rate;
        }
    }

    /// Initializes a new [`VideoEncoder`] module, with the token for masked regions.
    ///
    /// # Panics
    ///
    /// Panics if heads do not divide widths; see [`VideoSwinConfig::init`].
    pub fn init<B: Backend>(&self, device: &B::Device) -> VideoEncoder<B> {
        match self {
            Self::Clip(clip) => VideoEncoder::Clip(clip.init(device)),
            Self::VideoSwin(swin) => VideoEncoder::VideoSwin(swin.init(device)),
        }
    }

    pub(crate) fn validate(&self, image_size: usize) -> Result<(), String> {
        match self {
            Self::VideoSwin(swin) => swin.validate(),
            Self::Clip(clip) if clip.vision.image_size != image_size => Err(format!(
                "video: the image encoder sees {} pixels, image_size says {image_size}",
                clip.vision.image_size
            )),
            Self::Clip(clip) => clip.validate(),
        }
    }
}

impl<B: Backend> VideoEncoder<B> {
    /// Encodes clips; a still image is a clip of one frame.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`
    /// - grid of the output: Video Swin `[batch, frames / 2, height / 32, width / 32, channels]`, each
    ///   rounded up; CLIP `[batch, frames, height / patch, width / patch, channels]`
    ///
    /// # Panics
    ///
    /// With CLIP, panics if the frames have another size than the configuration.
    pub fn forward(&self, clips: Tensor<B, 5>, noise: &mut Noise) -> VideoFeatures<B> {
        match self {
            Self::Clip(clip) => clip.forward(clips),
            Self::VideoSwin(swin) => VideoFeatures::of_grid(swin.forward(clips, noise)),
        }
    }

    /// Encodes every clip as it is and once more with masked regions, all in one batch.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`
    /// - region_mask: `[batch, rows, columns]`, 1 where masked and 0 elsewhere
    /// - output: as of [`forward`](Self::forward) of `2 * batch`: the complete clips, then the masked ones
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward); and if there are fewer patches than regions along a side.
    pub fn forward_complete_and_masked(
        &self,
        clips: Tensor<B, 5>,
        region_mask: Tensor<B, 3>,
        noise: &mut Noise,
    ) -> VideoFeatures<B> {
        match self {
            Self::Clip(clip) => clip.forward_complete_and_masked(clips, region_mask),
            Self::VideoSwin(swin) => {
                VideoFeatures::of_grid(swin.forward_complete_and_masked(clips, region_mask, noise))
            }
        }
    }

    /// Embeds clips by themselves, as of [`forward`](Self::forward) and [`embed`](Self::embed).
    ///
    /// # Shapes
    ///
    /// - clips: `[batch * views, channels, frames, height, width]`
    /// - output: `[batch, dim]`
    ///
    /// # Panics
    ///
    /// As both.
    pub fn embed_clips(
        &self,
        clips: Tensor<B, 5>,
        views: usize,
        projection: Option<&VideoProjection<B>>,
        noise: &mut Noise,
    ) -> Tensor<B, 2> {
        match self {
            Self::Clip(clip) => mean_of_views(clip.embed_clips(clips), views),
            Self::VideoSwin(_) => self.embed(self.forward(clips, noise), views, projection),
        }
    }

    /// Embeds clips, of which each may have been seen several times: its views follow each other.
    ///
    /// Video Swin's features are averaged over the views, then embedded by `projection`. CLIP has a
    /// projection of its own, and averages the directions that the views give.
    ///
    /// # Shapes
    ///
    /// - features: of `[batch * views, ..]`
    /// - output: `[batch, dim]`; not normalized to unit length if by `projection`
    ///
    /// # Panics
    ///
    /// Panics if the rows are not whole groups of `views`.
    pub fn embed(
        &self,
        features: VideoFeatures<B>,
        views: usize,
        projection: Option<&VideoProjection<B>>,
    ) -> Tensor<B, 2> {
        match (self, features.class_tokens) {
            (Self::Clip(clip), Some(class_tokens)) => {
                mean_of_views(clip.embed(class_tokens), views)
            }
            (_, _) => {
                let grid = average_views(features.grid, views);
                match projection {
                    Some(projection) => projection.forward_pooled(grid),
                    None => grid.flatten::<3>(1, 3).mean_dim(1).squeeze_dim(1),
                }
            }
        }
    }

    /// The Video Swin, if it is one.
    pub fn video_swin(&self) -> Option<&VideoSwin<B>> {
        match self {
            Self::Clip(_) => None,
            Self::VideoSwin(swin) => Some(swin),
        }
    }
}

impl<B: Backend> VideoFeatures<B> {
    fn of_grid(grid: Tensor<B, 5>) -> Self {
        Self {
            grid,
            class_tokens: None,
        }
    }
}
