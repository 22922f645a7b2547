//! A fine-tuning run of a number of steps that leaves nothing behind but its model.

use std::ops::ControlFlow;

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::StackedClips;
use clover_data::dataset::{BatchLoader, LoaderConfig, SampleSource, SkippedItem, Stack, batched};

use super::answering::Answering;
use super::{FinetuningEvent, FinetuningMetrics};
use crate::TrainerError;
use crate::devices::Peer;
use crate::evaluate::{AnswerScores, QuestionSource};
use crate::optimizer_step::OptimizerStep;
use crate::parameter_groups::ParameterRules;
use crate::precision::Precision;
use crate::recipe::FinetuningRecipe;
use crate::run::{Ending, Loaders, Run, RunLength, RunPlan, TrainingData};
use crate::trained_parts::TrainedParts;

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

/// Fine-tunes a model on questions. `observe` is told every step and may break off.
///
/// # Errors
///
/// Too many items are broken, or the loss or a gradient is not finite.
///
/// # Panics
///
/// Panics if a question has no answer, or the questions cannot be put together.
pub fn fine_tune<B, M, S>(
    model: M,
    dataset: S,
    settings: &FineTuningSettings<'_>,
    device: &B::Device,
    observe: &mut dyn FnMut(&FinetuningMetrics) -> ControlFlow<()>,
) -> Result<FineTuned<M>, TrainerError>
where
    B: AutodiffBackend,
    M: AutodiffModule<B, InnerModule: AnswerScores<B::InnerBackend>> + AnswerScores<B> + Sync,
    S: QuestionSource + SampleSource<Sample: Stack<Stacked = StackedClips>, Batch = StackedClips>,
{
    let recipe = settings.recipe;
    recipe.validate()?;
    let loader = LoaderConfig {
        workers: settings.workers,
        max_failed_share: settings.max_failed_share,
        ..LoaderConfig::training(recipe.batch_size, settings.seed)
    };
    let loaders = Loaders::One(Box::new(BatchLoader::new(batched(dataset, false), loader)?));
    let data = TrainingData::new(loaders, recipe.schedule(), Vec::new());
    let task = Answering::<B, M, S>::alone();
    let update = OptimizerStep {
        optimizer: recipe.optimizer(ParameterRules::QuestionAnswering).init(),
        clip_norm: recipe.clip_norm,
        loss_limit: f64::INFINITY,
        precision: Precision::F32,
    };
    let mut losses = Vec::with_capacity(recipe.steps);
    let observe = &mut |event: FinetuningEvent<'_>| match event {
        FinetuningEvent::Step(metrics) => {
            losses.push(metrics.loss);
            observe(metrics)
        }
        _ => ControlFlow::Continue(()),
    };
    let plan = RunPlan {
        folder: None,
        max_steps: None,
        time: None,
        rates: None,
        length: RunLength::Steps(recipe.steps as u64),
        seed: settings.seed,
        validate: None,
        early_stopping: 0,
        train: TrainedParts::All,
    };
    let alone = Peer::alone();
    let run = Run::prepare(plan, (task, model, update), (&alone, device), observe)?;
    let ended = run.train(data, observe)?;
    Ok(FineTuned {
        model: ended.run.model,
        losses,
        skipped: ended.data.skipped(),
        finished: ended.ending != Ending::BrokenOff,
    })
}
