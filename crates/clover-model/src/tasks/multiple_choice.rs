//! Multiple-choice question answering: one score for each candidate text of a clip.
//!
//! Clover, section 4.2 (TGIF-Action, TGIF-Transition, LSMDC multiple choice). Each candidate is
//! encoded and fused by itself; the clip's features are computed once and repeated.

use burn::prelude::*;

use super::encode;
use super::video_attention::video_attention;
use crate::fusion_encoder::{FusedTokens, FusionEncoder};
use crate::heads::{MultipleChoiceHead, MultipleChoiceHeadConfig};
use crate::text_encoder::TextEncoder;
use crate::video_encoder::{VideoEncoder, average_views};
use crate::{Clover, Noise};

/// The three encoders and a scoring head, under the parameter paths of [`Clover`].
///
/// Should be created [from a Clover](MultipleChoiceModel::from_clover).
#[derive(Module, Debug)]
pub struct MultipleChoiceModel<B: Backend> {
    /// Video Swin, or CLIP's.
    pub video_encoder: VideoEncoder<B>,
    /// BERT, or CLIP's.
    pub text_encoder: TextEncoder<B>,
    /// Three BERT layers over video and text.
    pub fusion_encoder: FusionEncoder<B>,
    /// Scores one candidate.
    pub answer_head: MultipleChoiceHead<B>,
}

impl<B: Backend> MultipleChoiceModel<B> {
    /// Takes over Clover's encoders and adds a new head.
    pub fn from_clover(
        clover: Clover<B>,
        head: &MultipleChoiceHeadConfig,
        device: &B::Device,
    ) -> Self {
        Self {
            video_encoder: clover.video_encoder,
            text_encoder: clover.text_encoder,
            fusion_encoder: clover.fusion_encoder,
            answer_head: head.init(device),
        }
    }

    /// Scores the candidates of each clip.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch * views, channels, frames, height, width]`
    /// - token_ids, attention_mask: `[batch, candidates, text_len]`
    /// - output: `[batch, candidates]`
    ///
    /// # Panics
    ///
    /// Panics if the clips are not `views` for each text.
    pub fn forward(
        &self,
        clips: Tensor<B, 5>,
        views: usize,
        token_ids: Tensor<B, 3, Int>,
        attention_mask: Tensor<B, 3, Int>,
        noise: &mut Noise,
    ) -> Tensor<B, 2> {
        let [batch, candidates, text_len] = token_ids.dims();
        let ids = token_ids.clone().reshape([batch * candidates, text_len]);
        let fused = self.fuse(clips, views, token_ids, attention_mask, noise);
        self.answer_head
            .forward(self.text_encoder.feature(fused.text, ids), noise)
            .reshape([batch, candidates])
    }

    /// The fused tokens that [`forward`](Self::forward) scores, one row a candidate.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn fuse(
        &self,
        clips: Tensor<B, 5>,
        views: usize,
        token_ids: Tensor<B, 3, Int>,
        attention_mask: Tensor<B, 3, Int>,
        noise: &mut Noise,
    ) -> FusedTokens<B> {
        let [batch, candidates, text_len] = token_ids.dims();
        let texts = [batch * candidates, text_len];
        let mask = attention_mask.reshape(texts);
        let text = self
            .text_encoder
            .forward(token_ids.reshape(texts), mask.clone(), noise);
        let video = average_views(self.video_encoder.forward(clips, noise).grid, views);
        self.fusion_encoder
            .forward(repeat_clips(video, candidates), text, mask, noise)
    }

    /// How much the token that stands for one candidate a clip, and scores it, attends to each region and frame
    /// in the last fusion layer.
    ///
    /// Clover, section 3.1. What is missing to 1 goes to the candidate's text.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch * views, channels, frames, height, width]`
    /// - token_ids, attention_mask: `[batch, text_len]`, those of the candidates looked into
    /// - output: `[batch, frames, rows, columns]`, as of the video encoder's grid
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn video_attention(
        &self,
        clips: Tensor<B, 5>,
        views: usize,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
    ) -> Tensor<B, 4> {
        let positions = self.text_encoder.feature_positions(token_ids.clone());
        let noise = &mut Noise::quiet();
        let encoders = (&self.video_encoder, &self.text_encoder);
        let (video, text) = encode(
            encoders,
            clips,
            &views.into(),
            token_ids,
            attention_mask.clone(),
            noise,
        );
        video_attention(
            &self.fusion_encoder,
            video,
            None,
            text,
            attention_mask,
            positions,
        )
    }
}

/// Each clip's features as many times in a row as it has candidates.
fn repeat_clips<B: Backend>(video: Tensor<B, 5>, candidates: usize) -> Tensor<B, 5> {
    let [batch, frames, height, width, channels] = video.dims();
    let features = frames * height * width * channels;
    video
        .reshape([batch, 1, features])
        .expand([batch, candidates, features])
        .reshape([batch * candidates, frames, height, width, channels])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CloverConfig, TestBackend};
    use burn::tensor::{Distribution, TensorData};

    #[test]
    fn a_clip_is_repeated_before_the_next_begins() {
        let video = Tensor::<TestBackend, 1>::from_data([1.0, 2.0], &Default::default());

        let repeated = repeat_clips(video.reshape([2, 1, 1, 1, 1]), 3).reshape([6]);

        let expected = TensorData::from([1.0_f32, 1.0, 1.0, 2.0, 2.0, 2.0]);
        repeated.into_data().assert_eq(&expected, true);
    }

    #[test]
    fn another_candidate_attends_to_the_same_clip_in_another_way() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 8);
        let config = CloverConfig::tiny(20).with_image_size(64).with_frames(4);
        let head = MultipleChoiceHeadConfig::new(config.text.width());
        let clover = config.init(&device);
        let model = MultipleChoiceModel::<TestBackend>::from_clover(clover, &head, &device);
        let clip = Tensor::random([1, 3, 4, 64, 64], Distribution::Default, &device);
        let ids = Tensor::from_data([[2, 5, 3], [2, 9, 3]], &device);
        let clips = Tensor::cat(vec![clip.clone(), clip], 0);

        let found = model.video_attention(clips, 1, ids, Tensor::ones([2, 3], &device));

        assert_eq!(found.dims(), [2, 2, 2, 2]);
        let found: Vec<f32> = found.into_data().to_vec().unwrap();
        assert_ne!(found[..8], found[8..]);
        for text in found.chunks(8) {
            let sum: f32 = text.iter().sum();
            // Eight regions and three words, and a model without preferences.
            assert!((sum - 8.0 / 11.0).abs() < 0.1, "{sum}");
        }
    }
}
