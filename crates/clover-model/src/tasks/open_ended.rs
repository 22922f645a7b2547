//! Open-ended question answering: classification of the fused representation over an answer list.
//!
//! Clover, section 4.2 (MSRVTT-QA, MSVD-QA, TGIF-Frame), and fill-in-the-blank (LSMDC-FiB), where
//! the representation stands at the text's `[MASK]` instead of its `[CLS]`, and a learned token
//! stands between video and text.

use burn::module::Param;
use burn::prelude::*;

use super::encode;
use super::video_attention::{cls_positions, video_attention};
use crate::fusion_encoder::{FusedTokens, FusionEncoder};
use crate::heads::{OpenEndedHead, OpenEndedHeadConfig, cls_feature};
use crate::init::truncated_normal;
use crate::text_encoder::TextEncoder;
use crate::video_encoder::VideoSwin;
use crate::{Clover, Noise};

/// The three encoders and an answer head, under the parameter paths of [`Clover`].
///
/// Should be created [from a Clover](OpenEndedModel::from_clover).
#[derive(Module, Debug)]
pub struct OpenEndedModel<B: Backend> {
    /// Video Swin.
    pub video_encoder: VideoSwin<B>,
    /// BERT.
    pub text_encoder: TextEncoder<B>,
    /// Three BERT layers over video and text.
    pub fusion_encoder: FusionEncoder<B>,
    /// Scores every answer of the list.
    pub answer_head: OpenEndedHead<B>,
}

impl<B: Backend> OpenEndedModel<B> {
    /// Takes over Clover's encoders and adds a new head.
    pub fn from_clover(clover: Clover<B>, head: &OpenEndedHeadConfig, device: &B::Device) -> Self {
        Self {
            video_encoder: clover.video_encoder,
            text_encoder: clover.text_encoder,
            fusion_encoder: clover.fusion_encoder,
            answer_head: head.init(device),
        }
    }

    /// Scores every answer of the list for each question.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch * views, channels, frames, height, width]`
    /// - token_ids, attention_mask: `[batch, text_len]`
    /// - output: `[batch, answers]`
    ///
    /// # Panics
    ///
    /// Panics if the clips are not `views` for each text.
    pub fn forward(
        &self,
        clips: Tensor<B, 5>,
        views: usize,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
        noise: &mut Noise,
    ) -> Tensor<B, 2> {
        let fused = self.fuse(clips, views, token_ids, attention_mask, noise);
        self.answer_head.forward(cls_feature(fused.text), noise)
    }

    /// The fused tokens that [`forward`](Self::forward) answers from.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn fuse(
        &self,
        clips: Tensor<B, 5>,
        views: usize,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
        noise: &mut Noise,
    ) -> FusedTokens<B> {
        let encoders = (&self.video_encoder, &self.text_encoder);
        let (video, text) = encode(
            encoders,
            clips,
            views,
            token_ids,
            attention_mask.clone(),
            noise,
        );
        self.fusion_encoder
            .forward(video, text, attention_mask, noise)
    }

    /// How much `[CLS]`, which answers, attends to each region and frame in the last fusion layer.
    ///
    /// Clover, section 3.1. What is missing to 1 goes to the question.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch * views, channels, frames, height, width]`
    /// - token_ids, attention_mask: `[batch, text_len]`
    /// - output: `[batch, frames / 2, height / 32, width / 32]`, each rounded up
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
        let cls = cls_positions(token_ids.dims(), &token_ids.device());
        let noise = &mut Noise::quiet();
        let encoders = (&self.video_encoder, &self.text_encoder);
        let (video, text) = encode(
            encoders,
            clips,
            views,
            token_ids,
            attention_mask.clone(),
            noise,
        );
        video_attention(&self.fusion_encoder, video, None, text, attention_mask, cls)
    }
}

/// As [`OpenEndedModel`], for sentences with one blank.
///
/// Should be created [from a Clover](FillInTheBlankModel::from_clover).
#[derive(Module, Debug)]
pub struct FillInTheBlankModel<B: Backend> {
    /// Video Swin.
    pub video_encoder: VideoSwin<B>,
    /// BERT.
    pub text_encoder: TextEncoder<B>,
    /// Three BERT layers over video and text.
    pub fusion_encoder: FusionEncoder<B>,
    /// Scores every answer of the list.
    pub answer_head: OpenEndedHead<B>,
    /// `[1, 1, dim]`, stands between video and text.
    pub separator_token: Param<Tensor<B, 3>>,
}

impl<B: Backend> FillInTheBlankModel<B> {
    /// Takes over Clover's encoders and adds a new head and a new separating token.
    pub fn from_clover(clover: Clover<B>, head: &OpenEndedHeadConfig, device: &B::Device) -> Self {
        Self {
            video_encoder: clover.video_encoder,
            text_encoder: clover.text_encoder,
            fusion_encoder: clover.fusion_encoder,
            answer_head: head.init(device),
            separator_token: truncated_normal([1, 1, head.hidden], 0.02, device),
        }
    }

    /// Scores every answer of the list for each blank.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch * views, channels, frames, height, width]`
    /// - token_ids, attention_mask: `[batch, text_len]`
    /// - blanks: `[batch]`, where `[MASK]` stands in each text, as `row * text_len + column`
    /// - output: `[batch, answers]`
    ///
    /// # Panics
    ///
    /// Panics if the clips are not `views` for each text, or there is not one blank a text.
    pub fn forward(
        &self,
        clips: Tensor<B, 5>,
        views: usize,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
        blanks: Tensor<B, 1, Int>,
        noise: &mut Noise,
    ) -> Tensor<B, 2> {
        let [batch, text_len] = token_ids.dims();
        assert_eq!(
            blanks.dims(),
            [batch],
            "fill in the blank: one blank a text is needed"
        );
        let fused = self.fuse(clips, views, token_ids, attention_mask, noise);
        let [_, _, dim] = fused.text.dims();
        let rows = fused.text.reshape([batch * text_len, dim]);
        self.answer_head
            .forward(clover_kernels::gather_rows(rows, blanks), noise)
    }

    /// The fused tokens that [`forward`](Self::forward) answers from.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn fuse(
        &self,
        clips: Tensor<B, 5>,
        views: usize,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
        noise: &mut Noise,
    ) -> FusedTokens<B> {
        let encoders = (&self.video_encoder, &self.text_encoder);
        let (video, text) = encode(
            encoders,
            clips,
            views,
            token_ids,
            attention_mask.clone(),
            noise,
        );
        let separator = self.separator_token.val();
        self.fusion_encoder
            .forward_with_token(video, separator, text, attention_mask, noise)
    }

    /// How much `[MASK]`, which answers, attends to each region and frame in the last fusion layer.
    ///
    /// Clover, section 3.1. What is missing to 1 goes to the sentence and the token before it.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch * views, channels, frames, height, width]`
    /// - token_ids, attention_mask: `[batch, text_len]`
    /// - blanks: `[batch]`, as in [`forward`](Self::forward)
    /// - output: `[batch, frames / 2, height / 32, width / 32]`, each rounded up
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
        blanks: Tensor<B, 1, Int>,
    ) -> Tensor<B, 4> {
        let noise = &mut Noise::quiet();
        let encoders = (&self.video_encoder, &self.text_encoder);
        let (video, text) = encode(
            encoders,
            clips,
            views,
            token_ids,
            attention_mask.clone(),
            noise,
        );
        let separator = Some(self.separator_token.val());
        let encoder = &self.fusion_encoder;
        video_attention(encoder, video, separator, text, attention_mask, blanks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CloverConfig, TestBackend};
    use burn::tensor::{Distribution, Tolerance};

    /// 2 x 2 x 2 regions.
    fn config() -> CloverConfig {
        CloverConfig::tiny(20).with_image_size(64).with_frames(4)
    }

    #[test]
    fn the_same_view_twice_is_attended_to_as_once() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 2);
        let head = OpenEndedHeadConfig::new(config().text.hidden, 3);
        let model =
            OpenEndedModel::<TestBackend>::from_clover(config().init(&device), &head, &device);
        let clips = Tensor::random([1, 3, 4, 64, 64], Distribution::Default, &device);
        let ids = Tensor::from_data([[2, 5, 3, 0]], &device);
        let mask = Tensor::from_data([[1, 1, 1, 0]], &device);
        let twice = Tensor::cat(vec![clips.clone(), clips.clone()], 0);

        let once = model.video_attention(clips, 1, ids.clone(), mask.clone());
        let twice = model.video_attention(twice, 2, ids, mask);

        assert_eq!(once.dims(), [1, 2, 2, 2]);
        twice
            .into_data()
            .assert_approx_eq::<f32>(&once.into_data(), Tolerance::default());
    }

    #[test]
    fn a_blank_attends_from_its_own_place() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 3);
        let head = OpenEndedHeadConfig::new(config().text.hidden, 3);
        let clover = config().init(&device);
        let model = FillInTheBlankModel::<TestBackend>::from_clover(clover, &head, &device);
        let clips = Tensor::random([2, 3, 4, 64, 64], Distribution::Default, &device);
        let ids = Tensor::from_data([[2, 5, 4, 3], [2, 4, 5, 3]], &device);
        let at = |blanks: [i64; 2]| {
            let mask = Tensor::ones([2, 4], &device);
            let blanks = Tensor::from_ints(blanks, &device);
            let found = model.video_attention(clips.clone(), 1, ids.clone(), mask, blanks);
            let found: Vec<f32> = found.into_data().to_vec().unwrap();
            found
        };

        let (blanks, other) = (at([2, 5]), at([2, 6]));

        assert_eq!(blanks[..8], other[..8]);
        assert_ne!(blanks[8..], other[8..]);
        for clip in blanks.chunks(8) {
            let sum: f32 = clip.iter().sum();
            // Eight regions and five other tokens, and a model without preferences.
            assert!((sum - 8.0 / 13.0).abs() < 0.1, "{sum}");
        }
    }
}
