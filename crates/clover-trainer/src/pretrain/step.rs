//! One pre-training step: forward, losses, backward, clipping, AdamW.

use std::time::Instant;

use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_data::dataset::PretrainingSample;
use clover_model::{Clover, Noise};
use serde::{Deserialize, Serialize};

use super::batch_gradients::BatchGradients;
use super::objective::PretrainingObjective;
use super::parts::Parts;
use super::shared_batch::SharedBatch;
use super::training_data::StepKind;
use crate::TrainerError;
use crate::clipping::{clip_to_norm, squared_norm};
use crate::devices::{GradientScaling, Peer};
use crate::optimizer::Optimizer;
use crate::precision::Precision;

/// What a step measured; one line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepMetrics {
    /// Optimizer steps done, this one included.
    pub step: u64,
    /// What it was made on: videos, or images where a run has both.
    #[serde(default)]
    pub kind: StepKind,
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
    /// Mean cosine over the temperature of a video and its own text.
    pub positive_similarity: f64,
    /// The same of a video and the other texts of the batch; zero where there is none.
    pub negative_similarity: f64,
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
    /// Pairs a second, waiting included.
    pub clips_per_second: f64,
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
    /// A larger loss ends the run: it has exploded.
    pub loss_limit: f64,
    /// What the model computes in; parameters and optimizer state stay in `f32`.
    pub precision: Precision,
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

impl<B: AutodiffBackend> PretrainingStep<B> {
    /// Trains on one batch. The metrics' kind, epoch, skips, waiting time and rate are the caller's.
    ///
    /// # Errors
    ///
    /// The loss has exploded, or it or the gradient is not finite; the samples of the batch are
    /// named, and the model is lost: a run goes on from its last checkpoint.
    pub fn train(
        &mut self,
        clover: Clover<B>,
        batch: PretrainingBatch<B>,
        settings: &StepSettings<'_>,
    ) -> Result<(Clover<B>, StepMetrics), TrainerError> {
        let started = Instant::now();
        let names = batch.names.clone();
        let working = self.precision.working_copy(&clover);
        let found = BatchGradients::of_whole(&self.objective, &working, batch, settings.noise);
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
        let places: Vec<usize> = (0..samples.len()).collect();
        let shared = SharedBatch {
            peer: &Peer::alone(),
            places: &places,
            slots: places.len(),
            scaling: GradientScaling::FullBatch,
        };
        self.train_shared(clover, samples, micro_batch, &shared, device, settings)
    }

    /// As [`train_in_parts`](Self::train_in_parts), of a batch that lies on several devices: each
    /// calls this with its own samples, and all come to the same model. The noise is that of the
    /// whole batch; the samples named in an error are this device's.
    ///
    /// # Errors
    ///
    /// As [`train`](Self::train); or a device is lost, or none has a sample.
    ///
    /// # Panics
    ///
    /// Panics if `micro_batch` is 0, or there is not a place for each sample.
    pub fn train_shared(
        &mut self,
        clover: Clover<B>,
        samples: &[PretrainingSample],
        micro_batch: usize,
        shared: &SharedBatch<'_, B::InnerBackend>,
        device: &B::Device,
        settings: &StepSettings<'_>,
    ) -> Result<(Clover<B>, StepMetrics), TrainerError> {
        let started = Instant::now();
        let names = samples.iter().map(|sample| sample.name.clone()).collect();
        let noise = settings.noise.at(shared.places);
        let parts = Parts::new(samples, micro_batch, &noise, shared, device);
        let working = self.precision.working_copy(&clover);
        let found = parts.gradients(&self.objective, &working)?;
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
        let squares = squared_norm::<B, _>(&clover, &found.gradients);
        // One read for all figures: the device never waits for this side in between.
        let figures = found.terms.into_iter().chain(found.similarities);
        let figures: Vec<_> = figures.chain(squares).collect();
        let figures: Vec<f64> = Tensor::cat(figures, 0).into_data().iter::<f64>().collect();
        let (terms, figures) = figures.split_at(5);
        let (similarities, squares) = figures.split_at(2);
        let norm = squares.first().map_or(0.0, |squares| squares.sqrt());
        let diverged = |what, names: &Vec<String>| TrainerError::Diverged {
            step,
            what,
            names: names.clone(),
        };
        if terms.iter().any(|term| !term.is_finite()) {
            return Err(diverged("loss", &names));
        }
        let total: f64 = terms.iter().sum();
        if total > self.loss_limit {
            return Err(TrainerError::Exploded {
                step,
                loss: total,
                limit: self.loss_limit,
                names,
            });
        }
        if !norm.is_finite() {
            return Err(diverged("gradient", &names));
        }
        let gradients = clip_to_norm::<B, _>(&clover, found.gradients, norm, self.clip_norm);
        let clover = self.optimizer.step(learning_rate, clover, gradients);
        let metrics = StepMetrics {
            step,
            kind: StepKind::default(),
            epoch: 0,
            total,
            word: terms[0],
            video_alignment: terms[1],
            video_ranking: terms[2],
            text_alignment: terms[3],
            text_ranking: terms[4],
            positive_similarity: similarities[0],
            negative_similarity: similarities[1],
            gradient_norm: norm,
            learning_rate,
            pairs: found.pairs,
            skipped: 0,
            data_seconds: 0.0,
            step_seconds: started.elapsed().as_secs_f64(),
            clips_per_second: 0.0,
        };
        Ok((clover, metrics))
    }
}
