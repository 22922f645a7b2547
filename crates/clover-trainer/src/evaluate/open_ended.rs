//! Open-ended questions, and sentences with a blank: a score for each answer of a list (Clover, section
//! 4.2).

use burn::prelude::*;
use clover_data::batch::{OpenEndedBatch, views_apart};
use clover_data::dataset::OpenEndedSample;
use clover_model::Noise;
use clover_model::tasks::OpenEndedModel;

use super::{AnswerAttention, AnswerScores};

impl<B: Backend> AnswerScores<B> for OpenEndedModel<B> {
    type Sample = OpenEndedSample;

    fn right(sample: &OpenEndedSample) -> &[usize] {
        &sample.answers
    }

    fn index(sample: &OpenEndedSample) -> usize {
        sample.index
    }

    fn scores(
        &self,
        samples: &[OpenEndedSample],
        views: usize,
        noise: &mut Noise,
        device: &B::Device,
    ) -> Tensor<B, 2> {
        let (clips, ids, mask) = question_batch(samples, views, device);
        let blanks = blanks(self, samples, device);
        self.forward(clips, views, ids, mask, blanks, noise)
    }
}

impl<B: Backend> AnswerAttention<B> for OpenEndedModel<B> {
    fn video_attention(
        &self,
        samples: &[OpenEndedSample],
        views: usize,
        device: &B::Device,
    ) -> Tensor<B, 4> {
        let (clips, ids, mask) = question_batch(samples, views, device);
        let blanks = blanks(self, samples, device);
        Self::video_attention(self, clips, views, ids, mask, blanks)
    }
}

/// The clips of some questions, a row a view, the ids of the questions, and their masks.
fn question_batch<B: Backend>(
    samples: &[OpenEndedSample],
    views: usize,
    device: &B::Device,
) -> (Tensor<B, 5>, Tensor<B, 2, Int>, Tensor<B, 2, Int>) {
    let batch = OpenEndedBatch::<B>::collate(samples, device);
    let clips = views_apart(batch.clips, views);
    (clips, batch.token_ids, batch.attention_mask)
}

/// Where the blanks stand, `[batch]`, as `row * text_len + column`, for a model that fills them in.
fn blanks<B: Backend>(
    model: &OpenEndedModel<B>,
    samples: &[OpenEndedSample],
    device: &B::Device,
) -> Option<Tensor<B, 1, Int>> {
    model.separator_token.as_ref()?;
    let places = samples.iter().enumerate().filter_map(|(row, sample)| {
        let blank = sample.blank? + row * sample.token_ids.len();
        Some(blank as i64)
    });
    let places: Vec<i64> = places.collect();
    assert_eq!(
        places.len(),
        samples.len(),
        "open-ended: a sentence without its blank"
    );
    Some(Tensor::from_ints(places.as_slice(), device))
}
