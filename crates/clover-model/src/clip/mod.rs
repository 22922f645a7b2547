//! CLIP: an image encoder and a text encoder whose embeddings are compared by cosine.
//!
//! Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (ICML
//! 2021). Both towers are pre-norm transformers. A clip is embedded as in CLIP4Clip (Luo et al.,
//! 2021), `meanP`: frames to unit length, averaged, to unit length again.

mod block;
mod masked_text;
mod pooling;
mod text;
mod vision;

pub use block::{Activation, ResidualBlock, ResidualBlockConfig};
pub use masked_text::MaskedClipText;
pub use pooling::{FramePooling, TemporalPooling, TemporalPoolingConfig};
pub use text::{ClipText, ClipTextConfig};
pub use vision::{ClipVision, ClipVisionConfig};

pub(crate) use pooling::mean_direction;

use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;

/// The logarithm of `1 / 0.07`, from where published models learn their scale.
const INITIAL_LOGIT_SCALE: f64 = 2.659_260_036_932_778;
/// Published training never lets the scale grow beyond 100.
const LARGEST_LOGIT_SCALE: f64 = 100.0;
/// Keeps a zero embedding from dividing by zero; cosines of others are unchanged.
const SHORTEST: f64 = 1e-12;

/// Configuration to create a [`Clip`] using the [init function](ClipConfig::init).
#[derive(Config, Debug)]
pub struct ClipConfig {
    /// The image encoder.
    pub vision: ClipVisionConfig,
    /// The text encoder.
    pub text: ClipTextConfig,
}

/// CLIP: both encoders and the scale of their cosines.
///
/// Should be created with [`ClipConfig`].
#[derive(Module, Debug)]
pub struct Clip<B: Backend> {
    /// Embeds images.
    pub vision: ClipVision<B>,
    /// Embeds texts.
    pub text: ClipText<B>,
    /// The logarithm of what cosines are multiplied with: `-ln(temperature)`.
    pub logit_scale: Param<Tensor<B, 1>>,
}

impl ClipConfig {
    /// Initializes a new [`Clip`] module.
    ///
    /// # Panics
    ///
    /// Panics if an encoder's heads do not divide its width or its patches do not divide the image;
    /// [`validate`](Self::validate) first what came from a file.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Clip<B> {
        Clip {
            vision: self.vision.init(device),
            text: self.text.init(device),
            logit_scale: initial_logit_scale(device),
        }
    }

    /// Checks a configuration that came from a file.
    ///
    /// # Errors
    ///
    /// Says the first field that cannot be built, and why.
    pub fn validate(&self) -> Result<(), String> {
        self.vision.validate()?;
        self.text.validate()?;
        if self.vision.embedding != self.text.embedding {
            return Err(format!(
                "images are embedded in {} numbers and texts in {}",
                self.vision.embedding, self.text.embedding
            ));
        }
        Ok(())
    }
}

impl<B: Backend> Clip<B> {
    /// Embeds clips: the mean of their frames' directions.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`, RGB, normalized as CLIP's images
    /// - output: `[batch, dim]`, of unit length
    pub fn embed_video(&self, clips: Tensor<B, 5>) -> Tensor<B, 2> {
        let [batch, channels, frames, height, width] = clips.dims();
        let images = clips
            .swap_dims(1, 2)
            .reshape([batch * frames, channels, height, width]);
        let embeddings = self.vision.embed(images);
        let [_, dim] = embeddings.dims();
        mean_direction(embeddings.reshape([batch, frames, dim]))
    }

    /// Embeds texts.
    ///
    /// # Shapes
    ///
    /// - token_ids: `[batch, text_len]`; see [`ClipText::forward`]
    /// - output: `[batch, dim]`, of unit length
    pub fn embed_text(&self, token_ids: Tensor<B, 2, Int>) -> Tensor<B, 2> {
        unit_length(self.text.embed(token_ids))
    }

    /// What cosines are multiplied with to be logits: `exp(logit_scale)`, at most 100.
    ///
    /// # Shapes
    ///
    /// - output: `[1]`
    pub fn scale(&self) -> Tensor<B, 1> {
        scale(&self.logit_scale)
    }
}

/// The logarithm of a scale that is to be learned.
pub(crate) fn initial_logit_scale<B: Backend>(device: &B::Device) -> Param<Tensor<B, 1>> {
    let value = INITIAL_LOGIT_SCALE;
    Initializer::Constant { value }.init([1], device)
}

/// What cosines are multiplied with, from its logarithm.
pub(crate) fn scale<B: Backend>(logarithm: &Param<Tensor<B, 1>>) -> Tensor<B, 1> {
    let logarithm = logarithm.val();
    logarithm.clamp_max(LARGEST_LOGIT_SCALE.ln()).exp()
}

/// Divides each row by its length.
pub(crate) fn unit_length<B: Backend>(embeddings: Tensor<B, 2>) -> Tensor<B, 2> {
    let length = embeddings.clone().powi_scalar(2).sum_dim(1).sqrt();
    embeddings / length.clamp_min(SHORTEST)
}
