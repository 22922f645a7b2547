//! Open-ended questions: one answer of a closed list, or one word for the blank of a sentence (Clover,
//! section 4.2).

use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::OpenEndedSample;
use clover_model::Noise;
use clover_model::tasks::OpenEndedModel;

use super::task::{LearnsInMicroBatches, TaskModel, answer_loss};
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
