//! What a model with a task is.

use burn::module::Module;
use burn::prelude::*;
use clover_losses::CrossEntropyMlmLossConfig;
use clover_model::Noise;

use crate::parameter_groups::ParameterRules;

/// A model that can be fine-tuned.
pub trait TaskModel<B: Backend>: Module<B> {
    /// What it learns from.
    type Sample: Send + 'static;

    /// Which of its parameters decay, and which learn faster.
    const RULES: ParameterRules;

    /// What reports call a sample.
    fn name(sample: &Self::Sample) -> &str;

    /// The loss of a batch, `[1]`.
    ///
    /// # Panics
    ///
    /// Panics if there is no sample, or the samples cannot be stacked or learned from.
    fn loss(&self, samples: &[Self::Sample], noise: &mut Noise, device: &B::Device)
    -> Tensor<B, 1>;
}

/// A model that answers by the highest of several scores.
pub trait AnswerScores<B: Backend>: TaskModel<B> {
    /// The numbers of the right answers, the first of which is trained on; none where the model
    /// cannot give a right answer.
    fn right(sample: &Self::Sample) -> &[usize];

    /// The score of every answer.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, answers]`
    ///
    /// # Panics
    ///
    /// Panics if there is no sample, or the samples cannot be stacked.
    fn scores(
        &self,
        samples: &[Self::Sample],
        noise: &mut Noise,
        device: &B::Device,
    ) -> Tensor<B, 2>;
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
    let scores = model.scores(samples, noise, device);
    CrossEntropyMlmLossConfig::new()
        .init()
        .forward(scores, labels)
}
