//! The loss terms and the gradient of a batch.

use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_losses::{TEMPERATURE, paired_similarity, scaled_similarity, unit_rows};
use clover_model::Clover;
use clover_model::tasks::{PretrainingInput, PretrainingOutput};

use crate::objective::PretrainingObjective;
use crate::optimizer_step::BatchGradients;
use crate::precision::{full_gradients, full_precision};

/// The loss terms and the gradient of a batch that passed the model at once; also watches the mean
/// similarity of positives, then of negatives.
///
/// # Shapes
///
/// - labels: `[masked]`, the original ids at the masked positions
/// - names: `[batch]`
///
/// # Panics
///
/// As [`PretrainingObjective::forward`].
pub fn pretraining_gradients<B: AutodiffBackend>(
    objective: &PretrainingObjective,
    clover: &Clover<B>,
    output: PretrainingOutput<B>,
    labels: Option<Tensor<B, 1, Int>>,
    names: Vec<String>,
) -> BatchGradients<B> {
    let learns = objective.compares() || objective.learns_words() && labels.is_some();
    let [video, text] =
        [&output.video, &output.text].map(|all| full_precision(all.clone().inner()));
    let temperature = objective
        .temperature
        .of(logit_scale(clover).map(|(_, value)| value));
    let losses = objective.forward_at(output, labels, &temperature);
    BatchGradients {
        terms: losses.terms().map(Tensor::inner).into(),
        watched: mean_similarities(video, text).into(),
        items: names.len(),
        names,
        gradients: if learns {
            full_gradients(losses.total().backward(), clover)
        } else {
            // A batch without a masked word teaches nothing where words are all there is.
            GradientsParams::new()
        },
    }
}

/// The logarithm of what similarities are multiplied by, of a model that learns it, `[1]`.
pub(super) fn logit_scale<B: Backend>(clover: &Clover<B>) -> Option<(ParamId, Tensor<B, 1>)> {
    let param = clover.logit_scale.as_ref();
    param.map(|param| (param.id, param.val()))
}

/// What the model reads of a batch for this objective, the labels of its masked words, `[masked]`, and what its samples
/// are called. Masked samples are encoded only if the objective reads them, and masked words are scored only if it
/// learns them.
pub fn model_input<B: Backend>(
    batch: PretrainingBatch<B>,
    objective: &PretrainingObjective,
) -> (PretrainingInput<B>, Option<Tensor<B, 1, Int>>, Vec<String>) {
    let (positions, labels) = batch
        .masked_words
        .filter(|_| objective.learns_words())
        .map(|words| (words.positions, words.labels))
        .unzip();
    let input = PretrainingInput {
        clips: batch.clips,
        token_ids: batch.token_ids,
        masked_token_ids: batch.masked_token_ids,
        attention_mask: batch.attention_mask,
        masked_positions: positions,
        region_mask: objective.reads_masked().then_some(batch.region_mask),
    };
    (input, labels, batch.names)
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
