//! What a fine-tuning run is given, and what it measures.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::evaluate::TaskMetrics;
use crate::recipe::TaskRecipe;
use crate::run::metrics_file::Measured;
use crate::run::{Observe, RunEvent, RunSummary, Scored, StepDone};
use crate::task_items::ItemsLocation;

/// Where a run reads and writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FinetuningPlan {
    /// The task's name.
    pub name: String,
    /// What the run depends on but its data.
    pub recipe: TaskRecipe,
    /// The model it starts from.
    pub bundle: PathBuf,
    /// The items to learn from.
    pub data: ItemsLocation,
    /// The items the best model is chosen by.
    pub validation: Option<ItemsLocation>,
    /// The list of answers, where the task has one.
    pub answers: Option<PathBuf>,
    /// The folder for checkpoints, metrics and the trained bundle.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The time the run may take, instead of the recipe's epochs: it plans as many steps as fit.
    #[serde(default)]
    pub time: Option<Duration>,
    /// Whether to go on from the last checkpoint, if there is one.
    #[serde(skip)]
    pub resume: bool,
    /// Stop, with a checkpoint, after this many steps in all.
    #[serde(skip)]
    pub max_steps: Option<u64>,
}

impl FinetuningPlan {
    /// A run from its start to its end, without validation.
    pub fn new(
        name: &str,
        recipe: TaskRecipe,
        bundle: impl Into<PathBuf>,
        data: ItemsLocation,
        folder: impl Into<PathBuf>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            recipe,
            bundle: bundle.into(),
            data,
            validation: None,
            answers: None,
            folder: folder.into(),
            time: None,
            resume: false,
            max_steps: None,
        }
    }
}

/// What is told of a fine-tuning run.
pub type ObserveFinetuning<'o> = Observe<'o, FinetuningMetrics, FinetuningValidation>;

/// What a fine-tuning run tells while it goes.
pub type FinetuningEvent<'r> = RunEvent<'r, FinetuningMetrics, FinetuningValidation>;

/// How a fine-tuning run ended.
pub type FinetuningSummary = RunSummary<FinetuningMetrics, FinetuningValidation>;

/// What a step measured; one line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinetuningMetrics {
    /// Optimizer steps done, this one included.
    pub step: u64,
    /// The epoch, from zero.
    pub epoch: u64,
    /// The loss before the step.
    pub loss: f64,
    /// Global gradient norm before clipping.
    pub gradient_norm: f64,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// Items in the batch.
    pub items: usize,
    /// Items left out so far.
    pub skipped: usize,
    /// Seconds spent waiting for the batch.
    pub data_seconds: f64,
    /// Seconds the step took, without waiting.
    pub step_seconds: f64,
}

/// What was measured on the validation items; one line of `validation.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinetuningValidation {
    /// Optimizer steps the model has done.
    pub step: u64,
    /// The epoch, from zero.
    pub epoch: u64,
    /// What the split is called.
    pub split: String,
    /// What models are compared by, higher is better.
    pub score: f64,
    /// The metrics.
    #[serde(alias = "figures")]
    pub metrics: TaskMetrics,
    /// Items that could not be read.
    pub skipped: usize,
}

impl FinetuningMetrics {
    pub(super) fn of_done(done: &StepDone) -> Self {
        Self {
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
}

impl Measured for FinetuningMetrics {
    fn step(&self) -> u64 {
        self.step
    }
}

impl Measured for FinetuningValidation {
    fn step(&self) -> u64 {
        self.step
    }
}

impl Scored for FinetuningValidation {
    fn score(&self) -> f64 {
        self.score
    }
}
