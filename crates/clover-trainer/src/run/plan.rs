//! What a run is given, what it tells, and how it ended.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clover_data::dataset::SkippedItem;
use clover_model::weights::WeightReport;

use super::TimeBudget;
use crate::checkpoint::{Checkpoints, DataFingerprint};
use crate::trained_parts::TrainedParts;
use crate::{CutTexts, TrainerError, UnusedPieces};

/// What a run depends on but its task and its batches.
pub(crate) struct RunPlan {
    /// Where it leaves what it made; nowhere, but for the model, in a short run.
    pub(crate) folder: Option<RunFolder>,
    /// Stop, with a checkpoint, after this many steps in all.
    pub(crate) max_steps: Option<u64>,
    /// When all is done, where no time says it.
    pub(crate) length: RunLength,
    /// The time it may take; the number of steps is then planned to fit.
    pub(crate) time: Option<TimeBudget>,
    /// Rates that grow, instead of the schedule's.
    pub(crate) rates: Option<RateRange>,
    /// The seed of dropout and stochastic depth.
    pub(crate) seed: u64,
    /// When the model is measured; never without validation items.
    pub(crate) validate: Option<ValidateEvery>,
    /// Measurements in a row without a better score after which the run ends; 0 for never.
    pub(crate) early_stopping: usize,
    /// How much of the model learns.
    pub(crate) train: TrainedParts,
}

/// The folder of checkpoints, metrics and the trained bundle, and what a run in it is known by.
pub(crate) struct RunFolder {
    pub(crate) path: PathBuf,
    /// Whether to go on from the last checkpoint, if there is one.
    pub(crate) resume: bool,
    /// Steps between checkpoints.
    pub(crate) checkpoint_every: u64,
    /// Checkpoints that are kept.
    pub(crate) keep_checkpoints: usize,
    /// The recipe as checkpoints record it.
    pub(crate) recipe: serde_json::Value,
    /// What a resumed run must find again.
    pub(crate) data: DataFingerprint,
}

impl RunFolder {
    pub(super) fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.path.join("checkpoints"), self.keep_checkpoints)
    }
}

/// When a run is done.
#[derive(Clone, Copy)]
pub(crate) enum RunLength {
    /// After so many epochs.
    Epochs(u64),
    /// After so many steps, whatever the epoch.
    Steps(u64),
}

/// Learning rates that grow by the same factor from step to step.
#[derive(Clone, Copy)]
pub(crate) struct RateRange {
    pub(crate) first: f64,
    /// That of the last step.
    pub(crate) last: f64,
    /// Of the run.
    pub(crate) steps: u64,
}

impl RateRange {
    /// The learning rate after so many steps.
    pub(crate) fn rate(&self, steps: u64) -> f64 {
        let share = steps as f64 / self.steps.saturating_sub(1).max(1) as f64;
        self.first * (self.last / self.first).powf(share)
    }
}

/// When a model is measured, besides at the end; 0 for never else.
#[derive(Clone, Copy)]
pub(crate) enum ValidateEvery {
    /// Every so many steps.
    Steps(u64),
    /// Every so many epochs.
    Epochs(u64),
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All is done.
    Done,
    /// The score did not get better for long enough.
    StoppedEarly,
    /// Before that.
    BrokenOff,
}

/// Refuses to wait for measurements that are never made; `measures` tells whether any are made on the way.
pub(crate) fn check_early_stopping(
    early_stopping: usize,
    measures: bool,
) -> Result<(), TrainerError> {
    match early_stopping > 0 && !measures {
        false => Ok(()),
        true => Err(TrainerError::RecipeValue {
            key: "early_stopping",
            reason: "waits for measurements that are never made: it needs a validation list (`--validation`), and \
                     `validate_every` above 0"
                .to_owned(),
        }),
    }
}

/// What is told of every event, and may break off the run.
pub type Observe<'o, M, V> = dyn FnMut(RunEvent<'_, M, V>) -> ControlFlow<()> + 'o;

/// What a run tells while it goes: `M` is measured at a step, `V` on the validation items.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunEvent<'r, M, V> {
    /// Reading begins.
    Started {
        /// Parameters of the model.
        parameters: usize,
        /// Usable items to learn from.
        items: usize,
        /// Usable still images that take turns with them.
        images: usize,
        /// Questions left out because none of their answers is in the list.
        unanswerable: usize,
        /// Items at the end of an epoch that make no whole batch and are left out, others each time.
        left_over: usize,
        /// Steps of the whole run; 0 as long as they are not planned, of a run that was given a time.
        total_steps: u64,
        /// Steps done before, when resuming.
        done_steps: u64,
    },
    /// The steps of a run that was given a time are planned.
    Planned {
        /// Steps of the whole run.
        steps: u64,
        /// Seconds a step took.
        step_seconds: f64,
    },
    /// Texts are longer than the model reads.
    TextsCut(&'r CutTexts),
    /// The vocabulary is too large for the captions.
    PiecesUnused(&'r UnusedPieces),
    /// The run has made as many steps as it may already, so that none follows.
    EnoughSteps {
        /// Steps done.
        done: u64,
        /// The most it may do.
        max: u64,
    },
    /// The model starts from a bundle.
    StartsFrom {
        /// Its folder.
        folder: &'r Path,
        /// What became of its weights.
        report: &'r WeightReport,
    },
    /// A damaged checkpoint or line was passed over, or what a crash left was put right.
    Damage {
        /// What, and why.
        what: String,
    },
    /// An item was left out.
    Skipped(&'r SkippedItem),
    /// A step was done.
    Step(&'r M),
    /// A checkpoint was written.
    Saved(&'r Path),
    /// Validation items are being read.
    Validating {
        /// Items done.
        done: usize,
        /// Items in all.
        total: usize,
    },
    /// The model was measured on the validation items.
    Validated {
        /// What was measured.
        metrics: &'r V,
        /// Whether it is the best so far.
        best: bool,
    },
}

/// The model of a run that did best on the validation items.
#[derive(Clone, Debug, PartialEq)]
pub struct BestModel<V> {
    /// Its folder, a bundle.
    pub folder: PathBuf,
    /// What was measured.
    pub metrics: V,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunSummary<M, V> {
    /// The folder of the model after the last step.
    pub bundle: PathBuf,
    /// The model that did best on the validation items.
    pub best: Option<BestModel<V>>,
    /// All steps of the run, also those before a resume.
    pub metrics: Vec<M>,
    /// All measurements on the validation items.
    pub validations: Vec<V>,
    /// Items left out, by name.
    pub skipped: Vec<SkippedItem>,
    /// Whether it is over: all steps were done, or it stopped early.
    pub finished: bool,
    /// The step after which it stopped early, as the score did not get better.
    pub stopped_early: Option<u64>,
}
