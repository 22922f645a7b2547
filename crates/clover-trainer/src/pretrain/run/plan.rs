//! What a run is given, what it tells, and how it ended.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clover_data::dataset::SkippedItem;

use crate::pretrain::step::StepMetrics;
use crate::recipe::PretrainingRecipe;

/// Where a run reads and writes.
#[derive(Clone, Debug)]
pub struct PretrainingPlan {
    /// What the run depends on but its data.
    pub recipe: PretrainingRecipe,
    /// The pairs: a manifest, an annotation file with captions, or shards.
    pub data: PathBuf,
    /// The word pieces.
    pub vocabulary: PathBuf,
    /// The folder for checkpoints, metrics and the trained bundle.
    pub folder: PathBuf,
    /// Whether to go on from the last checkpoint, if there is one.
    pub resume: bool,
    /// Stop, with a checkpoint, after this many steps in all.
    pub max_steps: Option<u64>,
}

impl PretrainingPlan {
    /// A run from its start to its end.
    pub fn new(
        recipe: PretrainingRecipe,
        data: impl Into<PathBuf>,
        vocabulary: impl Into<PathBuf>,
        folder: impl Into<PathBuf>,
    ) -> Self {
        Self {
            recipe,
            data: data.into(),
            vocabulary: vocabulary.into(),
            folder: folder.into(),
            resume: false,
            max_steps: None,
        }
    }
}

/// What hears of every event, and may break off the run.
pub type Observe<'o> = dyn FnMut(PretrainingEvent<'_>) -> ControlFlow<()> + 'o;

/// What a run tells while it goes.
#[derive(Debug)]
#[non_exhaustive]
pub enum PretrainingEvent<'r> {
    /// Reading begins.
    Started {
        /// Parameters of the model.
        parameters: usize,
        /// Usable rows of the manifest.
        pairs: usize,
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
    Step(&'r StepMetrics),
    /// A checkpoint was written.
    Saved(&'r Path),
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct PretrainingSummary {
    /// The trained model's folder.
    pub bundle: PathBuf,
    /// All steps of the run, also those before a resume.
    pub metrics: Vec<StepMetrics>,
    /// Items left out, by name.
    pub skipped: Vec<SkippedItem>,
    /// Whether all epochs were done.
    pub finished: bool,
}
