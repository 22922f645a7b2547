//! Open-ended questions: one answer of a closed list (Clover, section 4.2).

use burn::prelude::*;
use clover_data::batch::OpenEndedBatch;
use clover_data::dataset::OpenEndedSample;
use clover_model::Noise;
use clover_model::tasks::OpenEndedModel;

use super::task::{AnswerScores, TaskModel, answer_loss};
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

impl<B: Backend> AnswerScores<B> for OpenEndedModel<B> {
    fn right(sample: &OpenEndedSample) -> &[usize] {
        &sample.answers
    }

    fn scores(
        &self,
        samples: &[OpenEndedSample],
        noise: &mut Noise,
        device: &B::Device,
    ) -> Tensor<B, 2> {
        let batch = OpenEndedBatch::<B>::collate(samples, device);
        self.forward(batch.clips, 1, batch.token_ids, batch.attention_mask, noise)
    }
}
