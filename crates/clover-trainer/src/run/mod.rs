//! A training run, whatever it trains: from a task and its data to a model bundle, with checkpoints on
//! the way.
//!
//! Randomness is drawn from the run's seed and the step alone, so a run that was interrupted and resumed
//! sees the same batches, masks and dropout as one that was not, and ends as it.

mod data;
mod divergence;
pub(crate) mod metrics_file;
mod peers;
mod plan;
mod records;
mod resume;
pub(crate) mod resume_check;
mod saving;
mod task;
mod time_budget;
mod training;
mod validation_record;

use burn::module::{AutodiffModule, Module};
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::MixturePosition;
use clover_data::files::FolderLock;

use crate::TrainerError;
use crate::devices::Peer;
use crate::low_rank::LowRank;
use crate::optimizer_step::OptimizerStep;
pub use data::StepKind;
pub(crate) use data::{Loaders, TrainingData, left_over};
pub use plan::{BestModel, Observe, RunEvent, RunSummary};
pub(crate) use plan::{
    Ending, RateRange, RunFolder, RunLength, RunPlan, ValidateEvery, check_early_stopping,
};
use records::Records;
pub(crate) use task::{Inner, On, Scored, StepDone, Task, WithCaptions};
use time_budget::Clock;
pub(crate) use time_budget::TimeBudget;

/// What is told of a task's run.
pub(crate) type ObserveTask<'o, B, T> =
    Observe<'o, <T as Task<B>>::Metrics, <T as Task<B>>::Validation>;

/// How a task's run ended.
pub(crate) type SummaryOf<B, T> = RunSummary<<T as Task<B>>::Metrics, <T as Task<B>>::Validation>;

/// A run that is over, or was broken off.
pub(crate) struct Ended<'p, B: AutodiffBackend, T: Task<B>> {
    pub(crate) run: Run<'p, B, T>,
    pub(crate) data: TrainingData<T::Source>,
    pub(crate) ending: Ending,
}

/// A run in progress.
pub(crate) struct Run<'p, B: AutodiffBackend, T: Task<B>> {
    /// No other run writes to the folder meanwhile.
    _lock: Option<FolderLock>,
    plan: RunPlan,
    task: T,
    pub(crate) model: T::Model,
    /// What the towers' matrices are changed by, where that is what learns.
    low_rank: Option<LowRank<B>>,
    update: OptimizerStep<B>,
    peer: &'p Peer<B::InnerBackend>,
    device: B::Device,
    records: Records<T::Metrics, T::Validation>,
    step: u64,
    position: MixturePosition,
    /// The step of the last checkpoint.
    saved: Option<u64>,
    /// Measures steps as long as their number is not planned.
    clock: Option<Clock>,
}

impl<B: AutodiffBackend, T: Task<B>> Run<'_, B, T> {
    /// Where this device writes; nowhere in a short run, or where another device does.
    fn own_folder(&self) -> Option<&RunFolder> {
        self.plan.folder.as_ref().filter(|_| self.peer.is_first())
    }

    /// The model as it computes: with what its matrices are changed by.
    fn changed_model(&self) -> T::Model {
        let model = self.model.clone();
        match &self.low_rank {
            Some(low_rank) => low_rank.applied(model),
            None => model,
        }
    }

    /// The same without a graph.
    fn model_without_graph(&self) -> Inner<B, T> {
        self.changed_model().valid()
    }

    fn announce(
        &self,
        data: &TrainingData<T::Source>,
        total_steps: u64,
        observe: &mut ObserveTask<'_, B, T>,
    ) {
        let [items, images] = data.items();
        let _ = observe(RunEvent::Started {
            parameters: self.model.num_params(),
            items,
            images,
            unanswerable: data.unanswerable,
            left_over: data.left_over,
            total_steps,
            done_steps: self.step,
        });
        if let Some(cut) = &data.cut {
            let _ = observe(RunEvent::TextsCut(cut));
        }
        if let Some(unused) = &data.unused {
            let _ = observe(RunEvent::PiecesUnused(unused));
        }
        for item in &data.unusable {
            let _ = observe(RunEvent::Skipped(item));
        }
    }
}

impl<B: AutodiffBackend, T: Task<B>> Ended<'_, B, T> {
    /// Writes the model as it is into `bundle`, and tells how the run ended.
    pub(crate) fn finish(self) -> Result<SummaryOf<B, T>, TrainerError> {
        let Self { run, data, ending } = self;
        let step = run.step;
        let bundle = run.write_last_bundle()?;
        let (best, metrics, validations) = run.records.close()?;
        let folder = run.plan.folder.as_ref();
        let best = best.zip(folder).map(|(metrics, folder)| BestModel {
            folder: folder.checkpoints().best(),
            metrics,
        });
        Ok(RunSummary {
            bundle,
            best,
            metrics,
            validations,
            skipped: data.skipped(),
            finished: ending != Ending::BrokenOff,
            stopped_early: (ending == Ending::StoppedEarly).then_some(step),
        })
    }
}
