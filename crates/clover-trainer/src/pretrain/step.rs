//! One pre-training step: forward, losses, backward, clipping, AdamW.

use std::time::Instant;

use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_model::Clover;
use clover_model::tasks::PretrainingInput;
use serde::{Deserialize, Serialize};

use super::objective::PretrainingObjective;
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

impl<B: AutodiffBackend> PretrainingStep<B> {
    /// Trains on one batch. The metrics' step, epoch, skips and waiting time are the caller's.
    ///
    /// # Errors
    ///
    /// The loss or the gradient is not finite; the samples of the batch are named, and the model is
    /// lost: a run goes on from its last checkpoint.
    pub fn train(
        &mut self,
        clover: Clover<B>,
        batch: PretrainingBatch<B>,
        step: u64,
        learning_rate: f64,
    ) -> Result<(Clover<B>, StepMetrics), TrainerError> {
        let started = Instant::now();
        let PretrainingBatch {
            masked_words,
            names,
            ..
        } = batch;
        let (positions, labels) = masked_words
            .map(|words| (words.positions, words.labels))
            .unzip();
        let output = clover.forward_pretraining(PretrainingInput {
            clips: batch.clips,
            token_ids: batch.token_ids,
            masked_token_ids: batch.masked_token_ids,
            attention_mask: batch.attention_mask,
            masked_positions: positions,
            region_mask: batch.region_mask,
        });
        let losses = self.objective.forward(output, labels);
        let total = losses.total();

        // One read for all terms.
        let terms = Tensor::cat(losses.terms().map(Tensor::detach).to_vec(), 0);
        let terms: Vec<f64> = terms.into_data().iter::<f64>().collect();
        let diverged = |what, names: &Vec<String>| TrainerError::Diverged {
            step,
            what,
            names: names.clone(),
        };
        if terms.iter().any(|term| !term.is_finite()) {
            return Err(diverged("loss", &names));
        }
        let gradients = GradientsParams::from_grads(total.backward(), &clover);
        let (gradients, norm) = clip_by_global_norm::<B, _>(&clover, gradients, self.clip_norm);
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
