//! Multiple choice: a score for each of a few candidate texts (Clover, section 4.2).

use burn::prelude::*;
use clover_data::batch::{MultipleChoiceBatch, stack_clips, stack_texts, views_apart};
use clover_data::dataset::MultipleChoiceSample;
use clover_model::Noise;
use clover_model::tasks::MultipleChoiceModel;

use super::{AnswerAttention, AnswerScores};
use crate::metric::first_highest;

impl<B: Backend> AnswerScores<B> for MultipleChoiceModel<B> {
    type Sample = MultipleChoiceSample;

    fn right(sample: &MultipleChoiceSample) -> &[usize] {
        std::slice::from_ref(&sample.answer)
    }

    fn index(sample: &MultipleChoiceSample) -> usize {
        sample.index
    }

    fn scores(
        &self,
        samples: &[MultipleChoiceSample],
        views: usize,
        noise: &mut Noise,
        device: &B::Device,
    ) -> Tensor<B, 2> {
        let batch = MultipleChoiceBatch::<B>::collate(samples, device);
        let clips = views_apart(batch.clips, views);
        self.forward(clips, views, batch.token_ids, batch.attention_mask, noise)
    }
}

impl<B: Backend> AnswerAttention<B> for MultipleChoiceModel<B> {
    fn video_attention(
        &self,
        samples: &[MultipleChoiceSample],
        views: usize,
        device: &B::Device,
    ) -> Tensor<B, 4> {
        let scores = self.scores(samples, views, &mut Noise::quiet(), device);
        let [_, options] = scores.dims();
        let scores: Vec<f32> = scores.into_data().convert::<f32>().iter().collect();
        let chosen = scores.chunks_exact(options).map(first_highest);
        let texts = samples.iter().zip(chosen).map(|(sample, option)| {
            (
                sample.token_ids[option].as_slice(),
                sample.attention_masks[option].as_slice(),
            )
        });
        let (ids, masks): (Vec<_>, Vec<_>) = texts.unzip();
        let [ids, mask] = stack_texts::<B>(&ids, &masks, device);
        let clips: Vec<_> = samples.iter().map(|sample| &sample.clip).collect();
        let clips = views_apart(stack_clips(&clips, device), views);
        Self::video_attention(self, clips, views, ids, mask)
    }
}
