//! Pre-training: every embedding that the three objectives compare, from one batch of pairs.
//!
//! Clover, section 3. The video-anchored alignment uses the fusion of masked video and complete
//! text, the text-anchored one that of complete video and masked text, as in the released code.

use burn::prelude::*;

use crate::{Clover, Noise};

/// One batch of video-text pairs, complete and masked.
#[derive(Clone, Debug)]
pub struct PretrainingInput<B: Backend> {
    /// `[batch, channels, frames, height, width]`, normalized pixels.
    pub clips: Tensor<B, 5>,
    /// `[batch, text_len]`, the complete text.
    pub token_ids: Tensor<B, 2, Int>,
    /// `[batch, text_len]`, the text with masked words.
    pub masked_token_ids: Tensor<B, 2, Int>,
    /// `[batch, text_len]`, 1 for tokens and 0 for padding.
    pub attention_mask: Tensor<B, 2, Int>,
    /// `[masked]`, each `row * text_len + column`; `None` when no word of the batch is masked.
    pub masked_positions: Option<Tensor<B, 1, Int>>,
    /// `[batch, rows, columns]`, 1 where a region of the clip is masked and 0 elsewhere; `None` where masked samples
    /// are not compared: then they are not encoded.
    pub region_mask: Option<Tensor<B, 3>>,
}

/// Six embeddings, each `[batch, dim]` and not normalized to unit length, and word scores. Where masked
/// samples are not encoded, all but `video` and `text` is zero.
#[derive(Clone, Debug)]
pub struct PretrainingOutput<B: Backend> {
    /// The complete clip.
    pub video: Tensor<B, 2>,
    /// The complete text.
    pub text: Tensor<B, 2>,
    /// The clip with masked regions.
    pub masked_video: Tensor<B, 2>,
    /// The text with masked words.
    pub masked_text: Tensor<B, 2>,
    /// Masked clip and complete text, fused.
    pub fused_masked_video: Tensor<B, 2>,
    /// Complete clip and masked text, fused.
    pub fused_masked_text: Tensor<B, 2>,
    /// `[masked, vocabulary]`, the scores at the masked positions; `None` when there are none.
    pub word_logits: Option<Tensor<B, 2>>,
}

impl<B: Backend> Clover<B> {
    /// Runs all encoders on the complete and the masked samples, in training with the noise of each
    /// sample. Without masked samples, only the embeddings of the complete ones are computed.
    ///
    /// # Panics
    ///
    /// Panics if shapes disagree with each other or with the configuration.
    pub fn forward_pretraining(
        &self,
        mut input: PretrainingInput<B>,
        noise: &mut Noise,
    ) -> PretrainingOutput<B> {
        let [batch, _] = input.attention_mask.dims();
        let Some(region_mask) = input.region_mask.take() else {
            return self.embed_complete(input, noise);
        };
        // Complete and masked samples share every encoder, so they stand in one batch: the products
        // are larger, and the operations half as many. First the complete clips with the masked
        // texts, then the masked clips with the complete texts.
        let mut both = noise.twice();
        let mask = Tensor::cat(vec![input.attention_mask; 2], 0);
        let ids = Tensor::cat(vec![input.masked_token_ids, input.token_ids], 0);
        let videos =
            self.video_encoder
                .forward_complete_and_masked(input.clips, region_mask, &mut both);
        let encoder = &self.text_encoder;
        let texts = encoder.forward(ids.clone(), mask.clone(), &mut both);
        let fused = self
            .fusion_encoder
            .forward(videos.grid.clone(), texts.clone(), mask, &mut both)
            .text;

        let projection = self.video_projection.as_ref();
        let [video, masked_video] = halves(self.video_encoder.embed(videos, 1, projection), batch);
        let projection = self.text_projection.as_ref();
        let text = encoder.embed(texts, ids.clone(), projection, &mut both);
        let [masked_text, text] = halves(text, batch);
        let [fused_masked_text, fused_masked_video] =
            halves(encoder.feature(fused.clone(), ids), batch);
        PretrainingOutput {
            video,
            text,
            masked_video,
            masked_text,
            fused_masked_video: self.fused_masked_video_head.forward(fused_masked_video),
            fused_masked_text: self
                .fused_masked_text_head
                .forward(fused_masked_text, noise),
            // The masked texts come first, so that positions count as in their own batch.
            word_logits: input
                .masked_positions
                .map(|positions| self.mlm_head.forward_at(fused, positions)),
        }
    }

    /// The complete samples alone. They meet the noise that they would meet beside the masked ones.
    fn embed_complete(&self, input: PretrainingInput<B>, noise: &Noise) -> PretrainingOutput<B> {
        let ([batch, ..], [texts, _]) = (input.clips.dims(), input.token_ids.dims());
        assert_eq!(
            batch, texts,
            "pre-training: clips and texts belong together"
        );
        let both = noise.twice();
        let mut of_videos = both.part(0..batch);
        let projection = self.video_projection.as_ref();
        let encoder = &self.video_encoder;
        let video = encoder.embed_clips(input.clips, 1, projection, &mut of_videos);
        let mut of_texts = both.part(batch..2 * batch);
        of_texts.go_on_after(&of_videos);
        let projection = self.text_projection.as_ref();
        let (ids, mask) = (input.token_ids, input.attention_mask);
        let encoder = &self.text_encoder;
        let text = encoder.embed_texts(ids, mask, projection, &mut of_texts);
        let zero = Tensor::zeros_like(&video);
        PretrainingOutput {
            masked_video: zero.clone(),
            masked_text: zero.clone(),
            fused_masked_video: zero.clone(),
            fused_masked_text: zero,
            word_logits: None,
            video,
            text,
        }
    }
}

/// The first `batch` rows and the others.
fn halves<B: Backend>(rows: Tensor<B, 2>, batch: usize) -> [Tensor<B, 2>; 2] {
    [0, batch].map(|start| rows.clone().narrow(0, start, batch))
}
