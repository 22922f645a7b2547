//! One fine-tuning step: forward, loss, backward, clipping, AdamW.

use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::tensor::backend::AutodiffBackend;

use super::task::TaskModel;
use crate::TrainerError;
use crate::clipping::clip_by_global_norm;
use crate::optimizer::Optimizer;
use crate::pretrain::StepSettings;

/// What a step needs besides the model and the batch.
#[derive(Debug)]
pub struct FineTuningStep<B: AutodiffBackend> {
    /// AdamW with its state.
    pub optimizer: Optimizer<B>,
    /// Bound of the global gradient norm.
    pub clip_norm: f64,
}

impl<B: AutodiffBackend> FineTuningStep<B> {
    /// Trains on one batch; returns the model and the loss before the step.
    ///
    /// # Errors
    ///
    /// The loss or the gradient is not finite; the samples of the batch are named, and the model is
    /// lost.
    ///
    /// # Panics
    ///
    /// As [`TaskModel::loss`].
    pub fn train<M: AutodiffModule<B> + TaskModel<B>>(
        &mut self,
        model: M,
        samples: &[M::Sample],
        settings: &StepSettings<'_>,
        device: &B::Device,
    ) -> Result<(M, f64), TrainerError> {
        let diverged = |what| TrainerError::Diverged {
            step: settings.step,
            what,
            names: samples
                .iter()
                .map(|sample| M::name(sample).to_owned())
                .collect(),
        };
        let loss = model.loss(samples, &mut settings.noise.clone(), device);
        let value: f64 = loss.clone().into_data().iter::<f64>().sum();
        if !value.is_finite() {
            return Err(diverged("loss"));
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let (gradients, norm) = clip_by_global_norm::<B, _>(&model, gradients, self.clip_norm);
        if !norm.is_finite() {
            return Err(diverged("gradient"));
        }
        let model = self
            .optimizer
            .step(settings.learning_rate, model, gradients);
        Ok((model, value))
    }
}
