//! What a model with a task is.

use burn::module::{AutodiffModule, Module};
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_losses::CrossEntropyMlmLossConfig;
use clover_model::Noise;

use super::gradients::{LossGradients, of_mean_loss};
use crate::evaluate::AnswerScores;
use crate::parameter_groups::ParameterRules;
use crate::precision::full_precision;

/// A model that can be fine-tuned.
pub trait TaskModel<B: Backend>: Module<B> {
    /// What it learns from.
    type Sample: Send + 'static;

    /// Which of its parameters decay, and which learn faster.
    const RULES: ParameterRules;

    /// What reports call a sample.
    fn name(sample: &Self::Sample) -> &str;

    /// The loss of a batch, `[1]`, in `f32`.
    ///
    /// # Panics
    ///
    /// Panics if there is no sample, or the samples cannot be stacked or learned from.
    fn loss(&self, samples: &[Self::Sample], noise: &mut Noise, device: &B::Device)
    -> Tensor<B, 1>;
}

/// A model that learns from a batch of which only a micro-batch fits the device at a time.
pub trait LearnsInMicroBatches<B: AutodiffBackend>: TaskModel<B> + AutodiffModule<B> {
    /// The loss of a batch and its gradient, computed `micro_batch` samples at a time; 0 for all at once.
    ///
    /// The default is right where the loss is a mean over samples that do not meet each other.
    ///
    /// # Panics
    ///
    /// As [`TaskModel::loss`].
    fn gradients(
        &self,
        samples: &[Self::Sample],
        micro_batch: usize,
        noise: &Noise,
        device: &B::Device,
    ) -> LossGradients<B> {
        of_mean_loss(self, samples, micro_batch, noise, device)
    }
}

/// Cross-entropy of the right answers, as published for all question answering.
///
/// # Panics
///
/// Panics if a sample has no right answer.
pub(super) fn answer_loss<B: Backend, M: AnswerScores<B>>(
    model: &M,
    samples: &[M::Sample],
    noise: &mut Noise,
    device: &B::Device,
) -> Tensor<B, 1> {
    let labels: Vec<i64> = samples
        .iter()
        .filter_map(|sample| M::right(sample).first())
        .map(|&label| label as i64)
        .collect();
    assert_eq!(
        labels.len(),
        samples.len(),
        "fine-tuning: a question without an answer teaches nothing"
    );
    let labels = Tensor::from_ints(labels.as_slice(), device);
    let scores = full_precision(model.scores(samples, 1, noise, device));
    CrossEntropyMlmLossConfig::new()
        .init()
        .forward(scores, labels)
}
