//! A fine-tuning run: from a bundle and the items of a task to a bundle that does the task, with
//! checkpoints on the way.
//!
//! Chance is drawn from the run's seed and the step alone, so a run that was interrupted and resumed
//! ends as one that was not.

mod learner;
mod plan;
mod prepare;
mod saving;
mod task_context;
mod tasks;
mod training;

use std::path::PathBuf;

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{BatchLoader, Position, SampleSource, SkippedItem};
use clover_data::files::FolderLock;

use super::step::FineTuningStep;
use crate::TrainerError;
use crate::checkpoint::{Checkpoints, DataFingerprint, Validated};
use crate::recipe::TaskRecipe;
use learner::Learner;
pub use plan::{
    FinetuningEvent, FinetuningMetrics, FinetuningPlan, FinetuningSummary, FinetuningValidation,
    ObserveFinetuning,
};
use prepare::Start;

/// Runs, or resumes, fine-tuning. `observe` hears every event and may break off: the run then writes
/// a checkpoint and ends.
///
/// # Errors
///
/// The bundle, data or recipe cannot be used together; a checkpoint belongs to another recipe, bundle
/// or other data; files cannot be written; too many items are broken; or the loss diverges.
pub fn finetune<B: AutodiffBackend>(
    plan: &FinetuningPlan,
    device: &B::Device,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<FinetuningSummary, TrainerError> {
    let start = Start::<B>::of(plan, device)?;
    tasks::run(plan, start, device, observe)
}

/// A run in progress.
struct Run<'p, B: AutodiffBackend, L: Learner<B>> {
    /// No other run writes to the folder meanwhile.
    _lock: FolderLock,
    plan: &'p FinetuningPlan,
    /// Fitted to the bundle.
    recipe: TaskRecipe,
    /// The recipe as checkpoints record it.
    recorded: serde_json::Value,
    learner: L,
    model: L::Model,
    training: FineTuningStep<B>,
    checkpoints: Checkpoints,
    data: DataFingerprint,
    device: B::Device,
    step: u64,
    position: Position,
    /// What was measured before this part of the run.
    validated: Validated,
}

impl<B: AutodiffBackend, L: Learner<B>> Run<'_, B, L> {
    fn path(&self, name: &str) -> PathBuf {
        self.plan.folder.join(name)
    }
}

/// What a run learns from.
struct TrainingItems<S> {
    loader: BatchLoader<S>,
    /// Rows that cannot be used.
    unusable: Vec<SkippedItem>,
    /// Questions that nothing can be learned from.
    unanswerable: usize,
}

impl<S: SampleSource> TrainingItems<S> {
    fn skipped(&self) -> Vec<SkippedItem> {
        let mut skipped = self.unusable.clone();
        skipped.extend_from_slice(self.loader.skipped());
        skipped
    }
}
