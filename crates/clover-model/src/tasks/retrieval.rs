//! Text-video retrieval: one embedding a clip, one a text, no fusion.
//!
//! Clover, section 4.2. Multiple choice on MSRVTT is retrieval among five texts.

use burn::module::Param;
use burn::prelude::*;

use crate::clip::scale;
use crate::heads::{TextProjection, VideoProjection};
use crate::text_encoder::TextEncoder;
use crate::video_encoder::VideoEncoder;
use crate::{Clover, Noise};

/// Both encoders with their projections, under the parameter paths of [`Clover`].
///
/// Should be created [from a Clover](RetrievalModel::from).
#[derive(Module, Debug)]
pub struct RetrievalModel<B: Backend> {
    /// Video Swin, or CLIP's.
    pub video_encoder: VideoEncoder<B>,
    /// BERT, or CLIP's.
    pub text_encoder: TextEncoder<B>,
    /// Embeds the averaged video features, where the encoder has no projection of its own.
    pub video_projection: Option<VideoProjection<B>>,
    /// Embeds the text's `[CLS]`, where the encoder has no projection of its own.
    pub text_projection: Option<TextProjection<B>>,
    /// As of [`Clover`].
    pub logit_scale: Option<Param<Tensor<B, 1>>>,
}

impl<B: Backend> From<Clover<B>> for RetrievalModel<B> {
    fn from(clover: Clover<B>) -> Self {
        Self {
            video_encoder: clover.video_encoder,
            text_encoder: clover.text_encoder,
            video_projection: clover.video_projection,
            text_projection: clover.text_projection,
            logit_scale: clover.logit_scale,
        }
    }
}

impl<B: Backend> RetrievalModel<B> {
    /// Embeds clips, of which each may have been seen several times; see [`VideoEncoder::embed`].
    ///
    /// # Shapes
    ///
    /// - clips: `[batch * views, channels, frames, height, width]`
    /// - output: `[batch, dim]`, of unit length with CLIP's encoder only
    ///
    /// # Panics
    ///
    /// Panics if the rows are not whole groups of `views`.
    pub fn embed_video(
        &self,
        clips: Tensor<B, 5>,
        views: usize,
        noise: &mut Noise,
    ) -> Tensor<B, 2> {
        let projection = self.video_projection.as_ref();
        self.video_encoder
            .embed_clips(clips, views, projection, noise)
    }

    /// Embeds texts.
    ///
    /// # Shapes
    ///
    /// - token_ids, attention_mask: `[batch, text_len]`
    /// - output: `[batch, dim]`, of unit length with CLIP's encoder only
    pub fn embed_text(
        &self,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
        noise: &mut Noise,
    ) -> Tensor<B, 2> {
        let projection = self.text_projection.as_ref();
        self.text_encoder
            .embed_texts(token_ids, attention_mask, projection, noise)
    }

    /// What cosines are multiplied with to be logits, as [`Clover::scale`].
    ///
    /// # Shapes
    ///
    /// - output: `[1]`
    pub fn scale(&self) -> Option<Tensor<B, 1>> {
        self.logit_scale.as_ref().map(scale)
    }
}
