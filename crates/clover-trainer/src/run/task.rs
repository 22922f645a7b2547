//! What a run learns: a step, a measurement, and what goes into the bundle.

use std::path::Path;

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{BatchPlaces, SampleSource};
use clover_inference::NeutralTexts;
use clover_model::Noise;

use super::data::StepKind;
use super::metrics_file::Measured;
use crate::TrainerError;
use crate::devices::Peer;
use crate::optimizer_step::{BatchGradients, StepValues};

/// The model without a graph.
pub(crate) type Inner<B, T> = <<T as Task<B>>::Model as AutodiffModule<B>>::InnerModule;

/// A model with its data, its losses and its measure.
pub(crate) trait Task<B: AutodiffBackend> {
    /// What is trained.
    type Model: AutodiffModule<B>;
    /// What it learns from.
    type Source: SampleSource;
    /// What a step measures: a line of `metrics.jsonl`.
    type Metrics: Measured;
    /// What is measured on the validation items: a line of `validation.jsonl`.
    type Validation: Scored;

    /// The terms of a batch's loss, and the gradient of their sum; `model` computes in the precision of
    /// the run.
    fn gradients(
        &self,
        model: &Self::Model,
        batch: <Self::Source as SampleSource>::Batch,
        places: &BatchPlaces,
        noise: &Noise,
        on: On<'_, B>,
    ) -> Result<BatchGradients<B>, TrainerError>;

    /// What is written down of a step.
    fn metrics(&self, done: StepDone) -> Self::Metrics;

    /// Measures a model on the validation items, of which some captions may come out as well; nothing
    /// where there are none. `progress` is told how many items of how many are done.
    fn measure(
        &self,
        model: Inner<B, Self>,
        at: (u64, u64),
        device: &B::Device,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Option<WithCaptions<Self::Validation>>, TrainerError>;

    /// Writes a bundle with the model; `neutral` are the captions of the last measurement.
    fn write(
        &self,
        model: Inner<B, Self>,
        neutral: Option<&NeutralTexts>,
        folder: &Path,
    ) -> Result<(), TrainerError>;

    /// What its bundles say they were trained for; nothing where that is no task of its own.
    fn name(&self) -> Option<&str>;
}

/// What was measured, and captions of the items where a bundle keeps some.
pub(crate) type WithCaptions<V> = (V, Option<NeutralTexts>);

/// What models are compared by.
pub(crate) trait Scored: Measured + Clone {
    /// The higher the better.
    fn score(&self) -> f64;
}

/// Where a batch is computed.
pub(crate) struct On<'r, B: AutodiffBackend> {
    pub(crate) peer: &'r Peer<B::InnerBackend>,
    pub(crate) device: &'r B::Device,
}

/// A step that was made.
pub(crate) struct StepDone {
    /// Steps done, this one included.
    pub(crate) step: u64,
    pub(crate) kind: StepKind,
    /// The epoch, from zero.
    pub(crate) epoch: u64,
    pub(crate) values: StepValues,
    pub(crate) learning_rate: f64,
    /// Items left out so far.
    pub(crate) skipped: usize,
    /// Seconds spent waiting for the batch.
    pub(crate) data_seconds: f64,
    /// Seconds the step took, without waiting.
    pub(crate) step_seconds: f64,
    /// Items a second, waiting included.
    pub(crate) items_per_second: f64,
}
