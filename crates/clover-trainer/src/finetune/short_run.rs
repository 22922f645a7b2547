//! A fine-tuning run: a number of steps over a data set, short enough to need no checkpoints.
//!
//! Chance is drawn from the seed and the step alone, so the same run gives the same model.

use std::ops::ControlFlow;

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{BatchLoader, LoaderConfig, Position, SampleSource, SkippedItem};
use clover_model::Noise;

use super::step::FineTuningStep;
use super::task::LearnsInParts;
use crate::TrainerError;
use crate::precision::Precision;
use crate::pretrain::StepSettings;
use crate::recipe::FinetuningRecipe;

/// How a model is fine-tuned.
#[derive(Clone, Copy, Debug)]
pub struct FineTuningSettings<'r> {
    /// What the run depends on but its data.
    pub recipe: &'r FinetuningRecipe,
    /// Seed of the order and of dropout.
    pub seed: u64,
    /// Threads that decode.
    pub workers: usize,
    /// The run stops when a larger share of what it read is broken.
    pub max_failed_share: f64,
}

/// What a run tells after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FineTuningStepDone {
    /// Steps done.
    pub step: usize,
    /// Steps of the whole run.
    pub total_steps: usize,
    /// The loss before the step.
    pub loss: f64,
}

/// A fine-tuned model.
#[derive(Clone, Debug)]
pub struct FineTuned<M> {
    /// The model.
    pub model: M,
    /// The loss of each step.
    pub losses: Vec<f64>,
    /// Items left out, by name.
    pub skipped: Vec<SkippedItem>,
    /// Whether all steps were done.
    pub finished: bool,
}

/// Fine-tunes a model. `observe` hears every step and may break off.
///
/// # Errors
///
/// Too many items are broken, or the loss or a gradient is not finite.
///
/// # Panics
///
/// As [`TaskModel::loss`](super::TaskModel::loss).
pub fn fine_tune<B, M, S>(
    model: M,
    dataset: S,
    settings: &FineTuningSettings<'_>,
    device: &B::Device,
    observe: &mut dyn FnMut(FineTuningStepDone) -> ControlFlow<()>,
) -> Result<FineTuned<M>, TrainerError>
where
    B: AutodiffBackend,
    M: LearnsInParts<B>,
    S: SampleSource<Batch = Vec<M::Sample>>,
{
    let recipe = settings.recipe;
    recipe.validate()?;
    let schedule = recipe.schedule();
    let mut training = FineTuningStep::<B> {
        optimizer: recipe.optimizer(M::RULES).init(),
        clip_norm: recipe.clip_norm,
        micro_batch: 0,
        precision: Precision::F32,
    };
    let mut loader = BatchLoader::new(dataset, loader_config(settings))?;
    let mut tuned = FineTuned {
        model,
        losses: Vec::with_capacity(recipe.steps),
        skipped: Vec::new(),
        finished: false,
    };
    let mut epoch = 0;
    'run: while tuned.losses.len() < recipe.steps {
        for batch in loader.epoch(Position { epoch, item: 0 })? {
            let samples = batch?.samples;
            let done = tuned.losses.len();
            let noise = Noise::of_batch(settings.seed, done as u64, samples.len());
            let step = StepSettings {
                step: done as u64 + 1,
                learning_rate: schedule.learning_rate(done),
                noise: &noise,
            };
            let (model, found) = training.train(tuned.model.clone(), &samples, &step, device)?;
            tuned.model = model;
            tuned.losses.push(found.loss);
            let event = FineTuningStepDone {
                step: done + 1,
                total_steps: recipe.steps,
                loss: found.loss,
            };
            if observe(event).is_break() || done + 1 == recipe.steps {
                break 'run;
            }
        }
        epoch += 1;
    }
    tuned.finished = tuned.losses.len() == recipe.steps;
    tuned.skipped = loader.skipped().to_vec();
    Ok(tuned)
}

fn loader_config(settings: &FineTuningSettings<'_>) -> LoaderConfig {
    LoaderConfig {
        workers: settings.workers,
        max_failed_share: settings.max_failed_share,
        ..LoaderConfig::training(settings.recipe.batch_size, settings.seed)
    }
}
