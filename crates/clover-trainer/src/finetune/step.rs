//! One fine-tuning step: forward, loss, backward, clipping, AdamW.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use super::task::LearnsInParts;
use crate::TrainerError;
use crate::clipping::{clip_to_norm, squared_norm};
use crate::optimizer::Optimizer;
use crate::precision::Precision;
use crate::pretrain::StepSettings;

/// What a step needs besides the model and the batch.
#[derive(Debug)]
pub struct FineTuningStep<B: AutodiffBackend> {
    /// AdamW with its state.
    pub optimizer: Optimizer<B>,
    /// Bound of the global gradient norm.
    pub clip_norm: f64,
    /// Samples that pass the model together; 0 for all.
    pub micro_batch: usize,
    /// What the model computes in; parameters and optimizer state stay in `f32`.
    pub precision: Precision,
}

/// What a step measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepFigures {
    /// The loss before the step.
    pub loss: f64,
    /// The global gradient norm before clipping.
    pub gradient_norm: f64,
}

impl<B: AutodiffBackend> FineTuningStep<B> {
    /// Trains on one batch; returns the model and what was measured before the step.
    ///
    /// # Errors
    ///
    /// The loss or the gradient is not finite; the samples of the batch are named, and the model is
    /// lost.
    ///
    /// # Panics
    ///
    /// As [`TaskModel::loss`](super::TaskModel::loss).
    pub fn train<M: LearnsInParts<B>>(
        &mut self,
        model: M,
        samples: &[M::Sample],
        settings: &StepSettings<'_>,
        device: &B::Device,
    ) -> Result<(M, StepFigures), TrainerError> {
        let diverged = |what| TrainerError::Diverged {
            step: settings.step,
            what,
            names: samples
                .iter()
                .map(|sample| M::name(sample).to_owned())
                .collect(),
        };
        let working = self.precision.working_copy(&model);
        let found = working.gradients(samples, self.micro_batch, settings.noise, device);
        let squares = squared_norm::<B, _>(&model, &found.gradients);
        // One read for both figures: the device never waits for this side in between.
        let figures = [found.loss].into_iter().chain(squares).collect();
        let figures = Tensor::cat(figures, 0).into_data();
        let mut figures = figures.iter::<f64>();
        let loss = figures.next().unwrap_or(f64::NAN);
        let norm = figures.next().map_or(0.0, f64::sqrt);
        if !loss.is_finite() {
            return Err(diverged("loss"));
        }
        if !norm.is_finite() {
            return Err(diverged("gradient"));
        }
        let gradients = clip_to_norm::<B, _>(&model, found.gradients, norm, self.clip_norm);
        let model = self
            .optimizer
            .step(settings.learning_rate, model, gradients);
        Ok((
            model,
            StepFigures {
                loss,
                gradient_norm: norm,
            },
        ))
    }
}
