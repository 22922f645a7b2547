//! One pre-training step: forward, losses, backward, clipping, AdamW.

use std::time::Instant;

use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_data::dataset::PretrainingSample;
use clover_model::tasks::PretrainingInput;
use clover_model::{Clover, Noise};
use serde::{Deserialize, Serialize};

use super::objective::PretrainingObjective;
use super::parts::Parts;
use crate::TrainerError;
use crate::clipping::clip_by_global_norm;
use crate::optimizer::Optimizer;

/// What a step measured; one line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepMetrics {
    /// Optimizer steps done, this one included.
    pub step: u64,
    /// The epoch, from zero.
    pub epoch: u64,
    /// The sum of the five terms that follow.
    pub total: f64,
    /// Focal word loss.
    pub word: f64,
    /// Alignment anchored at the video.
    pub video_alignment: f64,
    /// Ranking anchored at the video.
    pub video_ranking: f64,
    /// Alignment anchored at the text.
    pub text_alignment: f64,
    /// Ranking anchored at the text.
    pub text_ranking: f64,
    /// Global gradient norm before clipping.
    pub gradient_norm: f64,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// Pairs in the batch.
    pub pairs: usize,
    /// Items left out so far.
    pub skipped: usize,
    /// Seconds spent waiting for the batch.
    pub data_seconds: f64,
    /// Seconds the step took, without waiting.
    pub step_seconds: f64,
}

/// What a step needs besides the model and the batch.
#[derive(Debug)]
pub struct PretrainingStep<B: AutodiffBackend> {
    /// The losses.
    pub objective: PretrainingObjective,
    /// AdamW with its state.
    pub optimizer: Optimizer<B>,
    /// Bound of the global gradient norm.
    pub clip_norm: f64,
}

/// What differs from step to step.
#[derive(Clone, Copy, Debug)]
pub struct StepSettings<'n> {
    /// Optimizer steps done when this one is.
    pub step: u64,
    /// The learning rate.
    pub learning_rate: f64,
    /// Dropout and stochastic depth, of as many samples as the batch has.
    pub noise: &'n Noise,
}

/// The loss terms and the gradient of a batch.
pub(super) struct BatchGradients<B: AutodiffBackend> {
    pub(super) terms: Terms<B::InnerBackend>,
    pub(super) gradients: GradientsParams,
}

/// Every term of the loss, each `[1]`, in the order of [`PretrainingLosses::terms`].
///
/// [`PretrainingLosses::terms`]: super::objective::PretrainingLosses::terms
pub(super) type Terms<B> = [Tensor<B, 1>; 5];

impl<B: AutodiffBackend> PretrainingStep<B> {
    /// Trains on one batch. The metrics' epoch, skips and waiting time are the caller's.
    ///
    /// # Errors
    ///
    /// The loss or the gradient is not finite; the samples of the batch are named, and the model is
    /// lost: a run goes on from its last checkpoint.
    pub fn train(
        &mut self,
        clover: Clover<B>,
        batch: PretrainingBatch<B>,
        settings: &StepSettings<'_>,
    ) -> Result<(Clover<B>, StepMetrics), TrainerError> {
        let started = Instant::now();
        let names = batch.names.clone();
        let (input, labels) = model_input(batch);
        let output = clover.forward_pretraining(input, &mut settings.noise.clone());
        let losses = self.objective.forward(output, labels);
        let total = losses.total();
        let found = BatchGradients {
            terms: losses.terms().map(Tensor::inner),
            gradients: GradientsParams::from_grads(total.backward(), &clover),
        };
        self.update(clover, found, names, settings, started)
    }

    /// As [`train`](Self::train), at the memory of `micro_batch` samples: the gradient is the same
    /// but for rounding.
    ///
    /// # Errors
    ///
    /// As [`train`](Self::train).
    ///
    /// # Panics
    ///
    /// Panics if `micro_batch` is 0.
    pub fn train_in_parts(
        &mut self,
        clover: Clover<B>,
        samples: &[PretrainingSample],
        micro_batch: usize,
        device: &B::Device,
        settings: &StepSettings<'_>,
    ) -> Result<(Clover<B>, StepMetrics), TrainerError> {
        let started = Instant::now();
        let names = samples.iter().map(|sample| sample.name.clone()).collect();
        let parts = Parts::new(samples, micro_batch, settings.noise, device);
        let found = parts.gradients(&self.objective, &clover);
        self.update(clover, found, names, settings, started)
    }

    fn update(
        &mut self,
        clover: Clover<B>,
        found: BatchGradients<B>,
        names: Vec<String>,
        settings: &StepSettings<'_>,
        started: Instant,
    ) -> Result<(Clover<B>, StepMetrics), TrainerError> {
        let StepSettings {
            step,
            learning_rate,
            ..
        } = *settings;
        // One read for all terms.
        let terms: Vec<f64> = Tensor::cat(found.terms.to_vec(), 0)
            .into_data()
            .iter::<f64>()
            .collect();
        let diverged = |what, names: &Vec<String>| TrainerError::Diverged {
            step,
            what,
            names: names.clone(),
        };
        if terms.iter().any(|term| !term.is_finite()) {
            return Err(diverged("loss", &names));
        }
        let (gradients, norm) =
            clip_by_global_norm::<B, _>(&clover, found.gradients, self.clip_norm);
        if !norm.is_finite() {
            return Err(diverged("gradient", &names));
        }
        let clover = self.optimizer.step(learning_rate, clover, gradients);
        let metrics = StepMetrics {
            step,
            epoch: 0,
            total: terms.iter().sum(),
            word: terms[0],
            video_alignment: terms[1],
            video_ranking: terms[2],
            text_alignment: terms[3],
            text_ranking: terms[4],
            gradient_norm: norm,
            learning_rate,
            pairs: names.len(),
            skipped: 0,
            data_seconds: 0.0,
            step_seconds: started.elapsed().as_secs_f64(),
        };
        Ok((clover, metrics))
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
