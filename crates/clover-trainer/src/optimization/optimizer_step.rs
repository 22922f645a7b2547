//! One optimizer step: of a batch's gradient to a new model, with what ends a run.

use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;

use super::low_rank::LowRank;
use crate::TrainerError;
use crate::clipping::{clip_to_norm, squared_norm};
use crate::optimizer::Optimizer;
use crate::precision::Precision;

/// What a batch teaches.
#[derive(Debug)]
pub struct BatchGradients<B: AutodiffBackend> {
    /// The terms whose sum is the loss, each `[1]`.
    pub terms: Vec<Tensor<B::InnerBackend, 1>>,
    /// What else is read with them, each `[1]`.
    pub watched: Vec<Tensor<B::InnerBackend, 1>>,
    /// In `f32`, whatever the model computes in; none where the batch teaches nothing.
    pub gradients: GradientsParams,
    /// Samples of the batch, on all devices.
    pub items: usize,
    /// The samples that lie here.
    pub names: Vec<String>,
}

impl<B: AutodiffBackend> BatchGradients<B> {
    /// Those of one loss, `[1]`, of samples that all lie here.
    pub(crate) fn of_loss(
        loss: Tensor<B::InnerBackend, 1>,
        gradients: GradientsParams,
        names: Vec<String>,
    ) -> Self {
        Self {
            terms: vec![loss],
            watched: Vec::new(),
            gradients,
            items: names.len(),
            names,
        }
    }
}

/// What a step measured.
#[derive(Clone, Debug, PartialEq)]
pub struct StepValues {
    /// The terms of the loss before the step.
    pub terms: Vec<f64>,
    /// What was read with them.
    pub watched: Vec<f64>,
    /// The global gradient norm before clipping.
    pub gradient_norm: f64,
    /// Samples of the batch.
    pub items: usize,
}

/// Clipping by the global norm, and AdamW.
#[derive(Debug)]
pub struct OptimizerStep<B: AutodiffBackend> {
    /// AdamW with its state.
    pub optimizer: Optimizer<B>,
    /// Bound of the global gradient norm.
    pub clip_norm: f64,
    /// A larger loss ends the run: it has exploded.
    pub loss_limit: f64,
    /// What the model computes in; parameters and optimizer state stay in `f32`. Gradients are those
    /// of its [`working_copy`](Precision::working_copy).
    pub precision: Precision,
}

impl StepValues {
    /// The loss.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.terms.iter().sum()
    }
}

impl<B: AutodiffBackend> OptimizerStep<B> {
    /// Makes step number `step` at a learning rate.
    ///
    /// # Errors
    ///
    /// The loss has exploded, or it or the gradient is not finite; the samples of the batch are
    /// named, and the model is lost: a run goes on from its last checkpoint.
    pub fn apply<M: AutodiffModule<B>>(
        &mut self,
        model: M,
        found: BatchGradients<B>,
        step: u64,
        learning_rate: f64,
    ) -> Result<(M, StepValues), TrainerError> {
        let (model, _, values) = self.apply_with(model, None, found, step, learning_rate)?;
        Ok((model, values))
    }

    /// As [`apply`](Self::apply), where low-rank changes of the model learn as well.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    pub fn apply_with<M: AutodiffModule<B>>(
        &mut self,
        model: M,
        low_rank: Option<LowRank<B>>,
        found: BatchGradients<B>,
        step: u64,
        learning_rate: f64,
    ) -> Result<(M, Option<LowRank<B>>, StepValues), TrainerError> {
        let of_pairs = low_rank.as_ref();
        let of_pairs = of_pairs.and_then(|pairs| squared_norm::<B, _>(pairs, &found.gradients));
        let squares = squared_norm::<B, _>(&model, &found.gradients);
        let squares = squares.into_iter().chain(of_pairs);
        let squares = squares.reduce(|model, pairs| model + pairs);
        let (terms, watched) = (found.terms.len(), found.watched.len());
        // One read for all of them: the device never waits for this side in between.
        let values = found.terms.into_iter().chain(found.watched).chain(squares);
        let values = Tensor::cat(values.collect(), 0).into_data();
        let values: Vec<f64> = values.iter::<f64>().collect();
        let (terms, values) = values.split_at(terms);
        let (watched, squares) = values.split_at(watched);
        let norm = squares.first().map_or(0.0, |squares| squares.sqrt());
        let values = StepValues {
            terms: terms.to_vec(),
            watched: watched.to_vec(),
            gradient_norm: norm,
            items: found.items,
        };
        let loss = values.loss();
        let names = found.names;
        if terms.iter().any(|term| !term.is_finite()) {
            let what = "loss";
            return Err(TrainerError::Diverged { step, what, names });
        }
        if loss > self.loss_limit {
            return Err(TrainerError::Exploded {
                step,
                loss,
                limit: self.loss_limit,
                names,
            });
        }
        if !norm.is_finite() {
            let what = "gradient";
            return Err(TrainerError::Diverged { step, what, names });
        }
        let mut gradients = clip_to_norm::<B, _>(&model, found.gradients, norm, self.clip_norm);
        if let Some(pairs) = &low_rank {
            gradients = clip_to_norm::<B, _>(pairs, gradients, norm, self.clip_norm);
        }
        let (optimizer, gradients) = (&mut self.optimizer, &mut gradients);
        let model = optimizer.step_of_part(learning_rate, model, gradients);
        let low_rank =
            low_rank.map(|pairs| optimizer.step_of_part(learning_rate, pairs, gradients));
        Ok((model, low_rank, values))
    }
}
