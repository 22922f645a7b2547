//! Fill-in-the-blank: the word behind `[MASK]`, of a closed list (Clover, section 4.2).

use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::OpenEndedSample;
use clover_model::Noise;
use clover_model::tasks::FillInTheBlankModel;

use super::open_ended::question_batch;
use super::task::{AnswerScores, LearnsInMicroBatches, TaskModel, answer_loss};
use crate::parameter_groups::ParameterRules;

impl<B: Backend> TaskModel<B> for FillInTheBlankModel<B> {
    type Sample = OpenEndedSample;

    const RULES: ParameterRules = ParameterRules::QuestionAnswering;

    fn name(sample: &OpenEndedSample) -> &str {
        &sample.name
    }

    fn loss(
        &self,
        samples: &[OpenEndedSample],
        noise: &mut Noise,
        device: &B::Device,
    ) -> Tensor<B, 1> {
        answer_loss(self, samples, noise, device)
    }
}

impl<B: AutodiffBackend> LearnsInMicroBatches<B> for FillInTheBlankModel<B> {}

impl<B: Backend> AnswerScores<B> for FillInTheBlankModel<B> {
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
        let blanks = blanks(samples, device);
        self.forward(clips, views, ids, mask, blanks, noise)
    }

    fn video_attention(
        &self,
        samples: &[OpenEndedSample],
        views: usize,
        device: &B::Device,
    ) -> Tensor<B, 4> {
        let (clips, ids, mask) = question_batch(samples, views, device);
        Self::video_attention(self, clips, views, ids, mask, blanks(samples, device))
    }
}

/// Where the blanks stand, `[batch]`, as `row * text_len + column`.
fn blanks<B: Backend>(samples: &[OpenEndedSample], device: &B::Device) -> Tensor<B, 1, Int> {
    let places = samples.iter().enumerate().filter_map(|(row, sample)| {
        let blank = sample.blank? + row * sample.token_ids.len();
        Some(blank as i64)
    });
    let places: Vec<i64> = places.collect();
    assert_eq!(
        places.len(),
        samples.len(),
        "fill in the blank: a sentence without its blank"
    );
    Tensor::from_ints(places.as_slice(), device)
}
