//! Multiple choice: one of a few candidate texts (Clover, section 4.2).

use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::MultipleChoiceSample;
use clover_model::Noise;
use clover_model::tasks::MultipleChoiceModel;

use super::task::{LearnsInMicroBatches, TaskModel, answer_loss};
use crate::parameter_groups::ParameterRules;

impl<B: Backend> TaskModel<B> for MultipleChoiceModel<B> {
    type Sample = MultipleChoiceSample;

    const RULES: ParameterRules = ParameterRules::QuestionAnswering;

    fn name(sample: &MultipleChoiceSample) -> &str {
        &sample.name
    }

    fn loss(
        &self,
        samples: &[MultipleChoiceSample],
        noise: &mut Noise,
        device: &B::Device,
    ) -> Tensor<B, 1> {
        answer_loss(self, samples, noise, device)
    }
}

impl<B: AutodiffBackend> LearnsInMicroBatches<B> for MultipleChoiceModel<B> {}
