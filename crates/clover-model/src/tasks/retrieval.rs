//! Text-video retrieval: one embedding a clip, one a text, no fusion.
//!
//! Clover, section 4.2. Multiple choice on MSRVTT is retrieval among five texts.

use burn::prelude::*;

use super::average_views;
use crate::heads::{TextProjection, VideoProjection, cls_feature};
use crate::text_encoder::TextEncoder;
use crate::video_encoder::VideoSwin;
use crate::{Clover, Noise};

/// Both encoders with their projections, under the parameter paths of [`Clover`].
///
/// Should be created [from a Clover](RetrievalModel::from).
#[derive(Module, Debug)]
pub struct RetrievalModel<B: Backend> {
    /// Video Swin.
    pub video_encoder: VideoSwin<B>,
    /// BERT.
    pub text_encoder: TextEncoder<B>,
    /// Embeds the averaged video features.
    pub video_projection: VideoProjection<B>,
    /// Embeds the text's `[CLS]`.
    pub text_projection: TextProjection<B>,
}

impl<B: Backend> From<Clover<B>> for RetrievalModel<B> {
    fn from(clover: Clover<B>) -> Self {
        Self {
            video_encoder: clover.video_encoder,
            text_encoder: clover.text_encoder,
            video_projection: clover.video_projection,
            text_projection: clover.text_projection,
        }
    }
}

impl<B: Backend> RetrievalModel<B> {
    /// Embeds clips, averaging the features of the views of each before the projection.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch * views, channels, frames, height, width]`
    /// - output: `[batch, dim]`, not normalized to unit length
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
        let features = average_views(self.video_encoder.forward(clips, noise), views);
        self.video_projection.forward_pooled(features)
    }

    /// Embeds texts.
    ///
    /// # Shapes
    ///
    /// - token_ids, attention_mask: `[batch, text_len]`
    /// - output: `[batch, dim]`, not normalized to unit length
    pub fn embed_text(
        &self,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
        noise: &mut Noise,
    ) -> Tensor<B, 2> {
        let features = self.text_encoder.forward(token_ids, attention_mask, noise);
        self.text_projection.forward(cls_feature(features), noise)
    }
}
