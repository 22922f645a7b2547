//! What a run is given, what it tells, and how it ended.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clover_data::dataset::SkippedItem;
use serde::{Deserialize, Serialize};

use crate::evaluate::Figures;
use crate::pretrain::metrics_file::Measured;
use crate::recipe::TaskRecipe;
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
            resume: false,
            max_steps: None,
        }
    }
}

/// What hears of every event, and may break off the run.
pub type ObserveFinetuning<'o> = dyn FnMut(FinetuningEvent<'_>) -> ControlFlow<()> + 'o;

/// What a run tells while it goes.
#[derive(Debug)]
#[non_exhaustive]
pub enum FinetuningEvent<'r> {
    /// Reading begins.
    Started {
        /// Parameters of the model.
        parameters: usize,
        /// Items to learn from.
        items: usize,
        /// Questions left out because none of their answers is in the list.
        unanswerable: usize,
        /// Steps of the whole run.
        total_steps: u64,
        /// Steps done before, when resuming.
        done_steps: u64,
    },
    /// A damaged checkpoint was passed over.
    CheckpointRefused {
        /// Which, and why.
        reason: String,
    },
    /// An item was left out.
    Skipped(&'r SkippedItem),
    /// A step was done.
    Step(&'r FinetuningMetrics),
    /// A checkpoint was written.
    Saved(&'r Path),
    /// Items of the validation are being read.
    Validating {
        /// Items done.
        done: usize,
        /// Items in all.
        total: usize,
    },
    /// The model was measured on the validation items.
    Validated {
        /// The figures.
        metrics: &'r FinetuningValidation,
        /// Whether they are the best so far.
        best: bool,
    },
}

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
    /// The figures.
    pub figures: Figures,
    /// Items that could not be read.
    pub skipped: usize,
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

/// How a run ended.
#[derive(Clone, Debug)]
pub struct FinetuningSummary {
    /// The folder of the model after the last step.
    pub bundle: PathBuf,
    /// The model that did best on the validation items, and its figures.
    pub best: Option<(PathBuf, FinetuningValidation)>,
    /// All steps of the run, also those before a resume.
    pub metrics: Vec<FinetuningMetrics>,
    /// All measurements on the validation items.
    pub validations: Vec<FinetuningValidation>,
    /// Items left out, by name.
    pub skipped: Vec<SkippedItem>,
    /// Whether all epochs were done.
    pub finished: bool,
}
