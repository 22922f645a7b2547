//! What differs from task to task in fine-tuning, and the run that has it in common.

use std::marker::PhantomData;
use std::path::Path;

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{BatchPlaces, SampleSource};
use clover_inference::NeutralTexts;
use clover_model::Noise;

use super::task::{LearnsInMicroBatches, TaskModel};
use super::{FinetuningMetrics, FinetuningValidation};
use crate::TrainerError;
use crate::evaluate::Measured;
use crate::optimizer_step::BatchGradients;
use crate::run::{On, StepDone, Task, WithCaptions};

/// The inner form of a model, without a graph.
pub(super) type Inner<B, M> = <M as AutodiffModule<B>>::InnerModule;

/// A task with the parts of the bundle that it does not train.
pub(super) trait Learner<B: AutodiffBackend> {
    /// What is trained.
    type Model: LearnsInMicroBatches<B>;

    /// Measures a model on the validation items; nothing where there are none. `progress` hears how
    /// many items of how many are done.
    fn measure(
        &self,
        model: Inner<B, Self::Model>,
        device: &B::Device,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Option<Measured>, TrainerError>;

    /// Writes a bundle with the model.
    fn write(&self, model: Inner<B, Self::Model>, folder: &Path) -> Result<(), TrainerError>;
}

/// The run of a learner, whose items come from `S`.
pub(super) struct Finetuning<L, S> {
    /// The task's name.
    pub(super) name: String,
    pub(super) learner: L,
    /// Samples that pass the model together; 0 for all.
    pub(super) micro_batch: usize,
    /// What the validation split is called.
    pub(super) split: String,
    pub(super) source: PhantomData<fn() -> S>,
}

impl<B, L, S> Task<B> for Finetuning<L, S>
where
    B: AutodiffBackend,
    L: Learner<B>,
    S: SampleSource<Batch = Vec<<L::Model as TaskModel<B>>::Sample>>,
{
    type Model = L::Model;
    type Source = S;
    type Metrics = FinetuningMetrics;
    type Validation = FinetuningValidation;

    fn gradients(
        &self,
        model: &L::Model,
        samples: S::Batch,
        _: &BatchPlaces,
        noise: &Noise,
        on: On<'_, B>,
    ) -> Result<BatchGradients<B>, TrainerError> {
        let found = model.gradients(&samples, self.micro_batch, noise, on.device);
        let names = samples.iter().map(L::Model::name);
        Ok(BatchGradients {
            terms: vec![found.loss],
            watched: Vec::new(),
            gradients: found.gradients,
            items: samples.len(),
            names: names.map(str::to_owned).collect(),
        })
    }

    fn metrics(&self, done: StepDone) -> FinetuningMetrics {
        FinetuningMetrics {
            step: done.step,
            epoch: done.epoch,
            loss: done.values.loss(),
            gradient_norm: done.values.gradient_norm,
            learning_rate: done.learning_rate,
            items: done.values.items,
            skipped: done.skipped,
            data_seconds: done.data_seconds,
            step_seconds: done.step_seconds,
        }
    }

    fn measure(
        &self,
        model: Inner<B, L::Model>,
        (step, epoch): (u64, u64),
        device: &B::Device,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Option<WithCaptions<FinetuningValidation>>, TrainerError> {
        let measured = self.learner.measure(model, device, progress)?;
        Ok(measured.map(|measured| {
            let metrics = FinetuningValidation {
                step,
                epoch,
                split: self.split.clone(),
                score: measured.figures.score(),
                figures: measured.figures,
                skipped: measured.skipped.len(),
            };
            (metrics, None)
        }))
    }

    fn write(
        &self,
        model: Inner<B, L::Model>,
        _: Option<&NeutralTexts>,
        folder: &Path,
    ) -> Result<(), TrainerError> {
        self.learner.write(model, folder)
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }
}
