//! Open-ended questions: one answer of a closed list (Clover, section 4.2).

use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::{OpenEndedBatch, views_apart};
use clover_data::dataset::OpenEndedSample;
use clover_model::Noise;
use clover_model::tasks::OpenEndedModel;

use super::task::{AnswerScores, LearnsInMicroBatches, TaskModel, answer_loss};
use crate::parameter_groups::ParameterRules;

impl<B: Backend> TaskModel<B> for OpenEndedModel<B> {
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

impl<B: AutodiffBackend> LearnsInMicroBatches<B> for OpenEndedModel<B> {}

impl<B: Backend> AnswerScores<B> for OpenEndedModel<B> {
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
        self.forward(clips, views, ids, mask, noise)
    }

    fn video_attention(
        &self,
        samples: &[OpenEndedSample],
        views: usize,
        device: &B::Device,
    ) -> Tensor<B, 4> {
        let (clips, ids, mask) = question_batch(samples, views, device);
        Self::video_attention(self, clips, views, ids, mask)
    }
}

/// The clips of some questions, a row a view, the ids of the questions, and their masks.
pub(super) fn question_batch<B: Backend>(
    samples: &[OpenEndedSample],
    views: usize,
    device: &B::Device,
) -> (Tensor<B, 5>, Tensor<B, 2, Int>, Tensor<B, 2, Int>) {
    let batch = OpenEndedBatch::<B>::collate(samples, device);
    let clips = views_apart(batch.clips, views);
    (clips, batch.token_ids, batch.attention_mask)
}
