//! What a model that answers questions tells an evaluation.

use burn::prelude::*;
use clover_data::batch::ClipBatch;
use clover_model::Noise;

/// A model that answers by the highest of several scores.
pub trait AnswerScores<B: Backend> {
    /// The score of every answer. Clips may hold the frames of several views, which are averaged.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, answers]`
    ///
    /// # Panics
    ///
    /// Panics if questions differ in their number of texts, or clips are not so many views.
    fn scores(&self, questions: ClipBatch<B>, views: usize, noise: &mut Noise) -> Tensor<B, 2>;
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
    fn video_attention(&self, questions: ClipBatch<B>, views: usize) -> Tensor<B, 4>;
}
