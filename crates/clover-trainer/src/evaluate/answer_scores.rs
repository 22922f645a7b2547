//! What a model that answers questions tells an evaluation.

use burn::prelude::*;
use clover_model::Noise;

/// A model that answers by the highest of several scores.
pub trait AnswerScores<B: Backend> {
    /// A question with its clip.
    type Sample: Send + 'static;

    /// The numbers of the right answers, the first of which is trained on; none where the model
    /// cannot give a right answer.
    fn right(sample: &Self::Sample) -> &[usize];

    /// The number of the question in its list.
    fn index(sample: &Self::Sample) -> usize;

    /// The score of every answer. Clips may hold the frames of several views, which are averaged.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, answers]`
    ///
    /// # Panics
    ///
    /// Panics if there is no sample, or the samples cannot be stacked or are not so many views.
    fn scores(
        &self,
        samples: &[Self::Sample],
        views: usize,
        noise: &mut Noise,
        device: &B::Device,
    ) -> Tensor<B, 2>;
}

/// A model whose answers come from the fusion encoder, which attends to the clip.
pub trait AnswerAttention<B: Backend>: AnswerScores<B> {
    /// How much the position that answers attends to each region and frame in the last fusion layer;
    /// what is missing to 1 goes to the text. Of a question with options it is the highest-scored one
    /// that is looked into.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, frames / 2, height / 32, width / 32]`, each rounded up
    ///
    /// # Panics
    ///
    /// As [`scores`](AnswerScores::scores).
    fn video_attention(
        &self,
        samples: &[Self::Sample],
        views: usize,
        device: &B::Device,
    ) -> Tensor<B, 4>;
}
