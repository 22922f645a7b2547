//! The loss terms and the gradient of a batch.

use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_losses::{TEMPERATURE, paired_similarity, scaled_similarity, unit_rows};
use clover_model::tasks::PretrainingInput;
use clover_model::{Clover, Noise};

use super::objective::PretrainingObjective;
use crate::precision::{full_gradients, full_precision};

/// The loss terms and the gradient of a batch.
pub(super) struct BatchGradients<B: AutodiffBackend> {
    pub(super) terms: Terms<B::InnerBackend>,
    /// Mean similarity of positives, then of negatives.
    pub(super) similarities: [Tensor<B::InnerBackend, 1>; 2],
    pub(super) gradients: GradientsParams,
    /// Samples of the batch.
    pub(super) pairs: usize,
}

/// Every term of the loss, each `[1]`, in the order of [`PretrainingLosses::terms`].
///
/// [`PretrainingLosses::terms`]: super::objective::PretrainingLosses::terms
pub(super) type Terms<B> = [Tensor<B, 1>; 5];

impl<B: AutodiffBackend> BatchGradients<B> {
    /// Of a batch that is encoded at once.
    pub(super) fn of_whole(
        objective: &PretrainingObjective,
        clover: &Clover<B>,
        batch: PretrainingBatch<B>,
        noise: &Noise,
    ) -> Self {
        let pairs = batch.names.len();
        let (input, labels) = model_input(batch);
        let learns = objective.compares() || objective.learns_words() && labels.is_some();
        let output = clover.forward_pretraining(input, &mut noise.clone());
        let [video, text] =
            [&output.video, &output.text].map(|all| full_precision(all.clone().inner()));
        let losses = objective.forward(output, labels);
        Self {
            terms: losses.terms().map(Tensor::inner),
            similarities: mean_similarities(video, text),
            pairs,
            gradients: if learns {
                full_gradients(losses.total().backward(), clover)
            } else {
                // A batch without a masked word teaches nothing where words are all there is.
                GradientsParams::new()
            },
        }
    }
}

/// What the model reads of a batch, and the labels of its masked words.
pub(super) fn model_input<B: Backend>(
    batch: PretrainingBatch<B>,
) -> (PretrainingInput<B>, Option<Tensor<B, 1, Int>>) {
    let (positions, labels) = batch
        .masked_words
        .map(|words| (words.positions, words.labels))
        .unzip();
    let input = PretrainingInput {
        clips: batch.clips,
        token_ids: batch.token_ids,
        masked_token_ids: batch.masked_token_ids,
        attention_mask: batch.attention_mask,
        masked_positions: positions,
        region_mask: batch.region_mask,
    };
    (input, labels)
}

/// Mean similarity of a video with its own text, and with the others.
///
/// # Shapes
///
/// - video, text: `[batch, dim]`
/// - output: each `[1]`
pub(super) fn mean_similarities<B: Backend>(
    video: Tensor<B, 2>,
    text: Tensor<B, 2>,
) -> [Tensor<B, 1>; 2] {
    let [pairs, _] = video.dims();
    let (video, text) = (unit_rows(video), unit_rows(text));
    let own = paired_similarity(video.clone(), text.clone(), TEMPERATURE).sum();
    let all = scaled_similarity(video, text, TEMPERATURE).sum();
    let others = (pairs * pairs - pairs).max(1);
    [
        own.clone() / pairs as f64,
        (all - own) / others as f64 * f64::from(u8::from(pairs > 1)),
    ]
}
