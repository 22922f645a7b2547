//! Open-ended question answering: classification of the fused representation over an answer list.
//!
//! Clover, section 4.2 (MSRVTT-QA, MSVD-QA, TGIF-Frame), and fill-in-the-blank (LSMDC-FiB), where
//! the representation stands at the text's `[MASK]` instead of its `[CLS]`, and a learned token
//! stands between video and text.

use burn::module::Param;
use burn::prelude::*;

use super::video_attention::video_attention;
use super::{ClipViews, encode};
use crate::fusion_encoder::{FusedTokens, FusionEncoder};
use crate::heads::{OpenEndedHead, OpenEndedHeadConfig};
use crate::init::truncated_normal;
use crate::text_encoder::TextEncoder;
use crate::video_encoder::VideoEncoder;
use crate::{Clover, Noise};

/// The three encoders and an answer head, under the parameter paths of [`Clover`].
///
/// Should be created [from a Clover](OpenEndedModel::from_clover), or [for
/// blanks](OpenEndedModel::with_blanks).
#[derive(Module, Debug)]
pub struct OpenEndedModel<B: Backend> {
    /// Video Swin, or CLIP's.
    pub video_encoder: VideoEncoder<B>,
    /// BERT, or CLIP's.
    pub text_encoder: TextEncoder<B>,
    /// Three BERT layers over video and text.
    pub fusion_encoder: FusionEncoder<B>,
    /// Scores every answer of the list.
    pub answer_head: OpenEndedHead<B>,
    /// `[1, 1, dim]`, stands between video and text where there is a blank to fill in.
    pub separator_token: Option<Param<Tensor<B, 3>>>,
}

impl<B: Backend> OpenEndedModel<B> {
    /// Takes over Clover's encoders and adds a new head.
    pub fn from_clover(clover: Clover<B>, head: &OpenEndedHeadConfig, device: &B::Device) -> Self {
        Self {
            video_encoder: clover.video_encoder,
            text_encoder: clover.text_encoder,
            fusion_encoder: clover.fusion_encoder,
            answer_head: head.init(device),
            separator_token: None,
        }
    }

    /// The same for sentences with one blank: adds a new separating token, too.
    pub fn with_blanks(clover: Clover<B>, head: &OpenEndedHeadConfig, device: &B::Device) -> Self {
        Self {
            separator_token: Some(truncated_normal([1, 1, head.hidden], 0.02, device)),
            ..Self::from_clover(clover, head, device)
        }
    }

    /// Scores every answer of the list for each question, or for each blank.
    ///
    /// # Shapes
    ///
    /// - clips: `[clips * views, channels, frames, height, width]`, a clip for each text or for several that follow each other
    /// - token_ids, attention_mask: `[batch, text_len]`
    /// - blanks: `[batch]`, where `[MASK]` stands in each text, as `row * text_len + column`
    /// - output: `[batch, answers]`
    ///
    /// # Panics
    ///
    /// Panics if the clips are not `views` for each text, if there is not one blank a text, or if
    /// blanks are given to a model that is not [for blanks](Self::with_blanks), or not given to one
    /// that is.
    pub fn forward(
        &self,
        clips: Tensor<B, 5>,
        views: impl Into<ClipViews>,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
        blanks: Option<Tensor<B, 1, Int>>,
        noise: &mut Noise,
    ) -> Tensor<B, 2> {
        let [batch, text_len] = token_ids.dims();
        self.check(blanks.as_ref(), batch);
        let ids = token_ids.clone();
        let text = self
            .fuse(clips, views, token_ids, attention_mask, noise)
            .text;
        let feature = match blanks {
            None => self.text_encoder.feature(text, ids),
            Some(blanks) => {
                let [_, _, dim] = text.dims();
                clover_kernels::gather_rows(text.reshape([batch * text_len, dim]), blanks)
            }
        };
        self.answer_head.forward(feature, noise)
    }

    fn check(&self, blanks: Option<&Tensor<B, 1, Int>>, batch: usize) {
        assert_eq!(
            blanks.map(Tensor::dims),
            self.separator_token.is_some().then_some([batch]),
            "open-ended: a model for blanks needs one blank a text, another needs none"
        );
    }

    /// The fused tokens that [`forward`](Self::forward) answers from.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn fuse(
        &self,
        clips: Tensor<B, 5>,
        views: impl Into<ClipViews>,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
        noise: &mut Noise,
    ) -> FusedTokens<B> {
        let encoders = (&self.video_encoder, &self.text_encoder);
        let (video, text) = encode(
            encoders,
            clips,
            &views.into(),
            token_ids,
            attention_mask.clone(),
            noise,
        );
        let encoder = &self.fusion_encoder;
        match &self.separator_token {
            None => encoder.forward(video, text, attention_mask, noise),
            Some(token) => {
                encoder.forward_with_token(video, token.val(), text, attention_mask, noise)
            }
        }
    }

    /// How much the position that answers, the blank or what stands for the text, attends to each region and frame in
    /// the last fusion layer.
    ///
    /// Clover, section 3.1. What is missing to 1 goes to the text, and to the token before a sentence
    /// with a blank.
    ///
    /// # Shapes
    ///
    /// - clips: `[clips * views, channels, frames, height, width]`, a clip for each text or for several that follow each other
    /// - token_ids, attention_mask: `[batch, text_len]`
    /// - blanks: `[batch]`, as in [`forward`](Self::forward)
    /// - output: `[batch, frames, rows, columns]`, as of the video encoder's grid
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn video_attention(
        &self,
        clips: Tensor<B, 5>,
        views: impl Into<ClipViews>,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
        blanks: Option<Tensor<B, 1, Int>>,
    ) -> Tensor<B, 4> {
        let [batch, _] = token_ids.dims();
        self.check(blanks.as_ref(), batch);
        let positions =
            blanks.unwrap_or_else(|| self.text_encoder.feature_positions(token_ids.clone()));
        let (encoders, noise) = (
            (&self.video_encoder, &self.text_encoder),
            &mut Noise::quiet(),
        );
        let mask = attention_mask.clone();
        let (video, text) = encode(encoders, clips, &views.into(), token_ids, mask, noise);
        let (encoder, token) = (&self.fusion_encoder, self.separator_token.as_ref());
        let token = token.map(Param::val);
        video_attention(encoder, video, token, text, attention_mask, positions)
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
    fn questions_about_one_clip_are_scored_as_each_with_a_clip_of_its_own() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 2);
        let head = OpenEndedHeadConfig::new(config().text.width(), 3);
        let model =
            OpenEndedModel::<TestBackend>::from_clover(config().init(&device), &head, &device);
        // Two clips of two views; the first has two questions.
        let clips = Tensor::random([4, 3, 4, 64, 64], Distribution::Default, &device);
        let ids = Tensor::from_data([[2, 5, 3, 0], [2, 6, 3, 0], [2, 5, 3, 0]], &device);
        let mask = Tensor::from_data([[1, 1, 1, 0]; 3], &device);
        let rows = Tensor::from_ints([0, 1, 0, 1, 2, 3], &device);
        let each = clips.clone().select(0, rows);
        let shared = ClipViews {
            views: 2,
            clip_of: vec![0, 0, 1],
        };

        let quiet = &mut Noise::quiet();
        let own = model.forward(each, 2, ids.clone(), mask.clone(), None, quiet);
        let found = model.forward(
            clips.clone(),
            shared.clone(),
            ids.clone(),
            mask.clone(),
            None,
            quiet,
        );

        let tolerance = Tolerance::<f32>::absolute(1e-5);
        found
            .into_data()
            .assert_approx_eq(&own.into_data(), tolerance);
        // In training, too, there is noise for each text and for each clip.
        let noise = &mut Noise::of_samples(0..3);
        let trained = model.forward(clips, shared, ids, mask, None, noise);
        assert_eq!(trained.dims(), [3, 3]);
    }

    #[test]
    fn the_same_view_twice_is_attended_to_as_once() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 2);
        let head = OpenEndedHeadConfig::new(config().text.width(), 3);
        let model =
            OpenEndedModel::<TestBackend>::from_clover(config().init(&device), &head, &device);
        let clips = Tensor::random([1, 3, 4, 64, 64], Distribution::Default, &device);
        let ids = Tensor::from_data([[2, 5, 3, 0]], &device);
        let mask = Tensor::from_data([[1, 1, 1, 0]], &device);
        let twice = Tensor::cat(vec![clips.clone(), clips.clone()], 0);

        let once = model.video_attention(clips, 1, ids.clone(), mask.clone(), None);
        let twice = model.video_attention(twice, 2, ids, mask, None);

        assert_eq!(once.dims(), [1, 2, 2, 2]);
        twice
            .into_data()
            .assert_approx_eq::<f32>(&once.into_data(), Tolerance::default());
    }

    #[test]
    fn a_blank_attends_from_its_own_place() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 3);
        let head = OpenEndedHeadConfig::new(config().text.width(), 3);
        let clover = config().init(&device);
        let model = OpenEndedModel::<TestBackend>::with_blanks(clover, &head, &device);
        let clips = Tensor::random([2, 3, 4, 64, 64], Distribution::Default, &device);
        let ids = Tensor::from_data([[2, 5, 4, 3], [2, 4, 5, 3]], &device);
        let at = |blanks: [i64; 2]| {
            let mask = Tensor::ones([2, 4], &device);
            let blanks = Some(Tensor::from_ints(blanks, &device));
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

    #[test]
    #[should_panic(expected = "one blank a text")]
    fn a_question_is_refused_by_a_model_for_blanks() {
        let device = Default::default();
        let head = OpenEndedHeadConfig::new(config().text.width(), 3);
        let clover = config().init(&device);
        let model = OpenEndedModel::<TestBackend>::with_blanks(clover, &head, &device);
        let ids = Tensor::from_data([[2, 5, 3]], &device);

        let clips = Tensor::zeros([1, 3, 4, 64, 64], &device);
        model.video_attention(clips, 1, ids, Tensor::ones([1, 3], &device), None);
    }
}
