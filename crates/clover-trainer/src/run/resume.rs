//! Where a run begins: with the model it is given, or with its last checkpoint.

use std::path::PathBuf;

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::MixturePosition;
use clover_data::files::FolderLock;
use clover_model::weights::{self, Naming};

use super::records::Records;
use super::resume_check::check_recipe;
use super::{ObserveTask, Run, RunEvent, RunPlan, Task};
use crate::TrainerError;
use crate::checkpoint::{Checkpoint, Validated, settle_last_bundle};
use crate::devices::Peer;
use crate::low_rank::LowRank;
use crate::optimizer_step::OptimizerStep;
use crate::starting_values::from_seed;

impl<'p, B: AutodiffBackend, T: Task<B>> Run<'p, B, T> {
    /// A new run, or one that goes on from its last checkpoint.
    pub(crate) fn prepare(
        plan: RunPlan,
        (task, model, update): (T, T::Model, OptimizerStep<B>),
        (peer, device): (&'p Peer<B::InnerBackend>, &B::Device),
        observe: &mut ObserveTask<'_, B, T>,
    ) -> Result<Self, TrainerError> {
        // Other devices read what the first one writes.
        let folder = plan.folder.as_ref().filter(|_| peer.is_first());
        let lock = folder.map(|folder| FolderLock::take(&folder.path));
        let model = plan.train.freeze(model)?;
        let low_rank = plan
            .train
            .rank()
            .map(|rank| from_seed::<B, _>(plan.seed, device, || LowRank::of(&model, rank, device)));
        let mut run = Self {
            _lock: lock.transpose()?,
            plan,
            task,
            model,
            low_rank,
            update,
            peer,
            device: device.clone(),
            records: Records::none(),
            step: 0,
            position: MixturePosition::default(),
            saved: None,
            clock: None,
        };
        let (loaded, before) = run.restore(observe)?.unzip();
        run.set_out_together()?;
        run.forget_divergence()?;
        if let Some(folder) = run.own_folder() {
            // Only now has every device read its checkpoint.
            folder.checkpoints().settle(loaded.as_deref())?;
            settle_last_bundle(&folder.path)?;
            let steps = folder.path.join("metrics.jsonl");
            let validation = folder.path.join("validation.jsonl");
            let validation = run.plan.validate.is_some().then_some(validation);
            let before = (run.step, before.unwrap_or_default());
            run.records = Records::open(steps, validation, before, &mut |what| {
                let _ = observe(RunEvent::Damage { what });
            })?;
        }
        Ok(run)
    }

    /// Goes on from the last checkpoint: where that lies, and what was measured until then.
    fn restore(
        &mut self,
        observe: &mut ObserveTask<'_, B, T>,
    ) -> Result<Option<(PathBuf, Validated)>, TrainerError> {
        let Some(folder) = &self.plan.folder else {
            return Ok(None);
        };
        let Some(loaded) = folder.checkpoints().latest()? else {
            return Ok(None);
        };
        if !folder.resume {
            let folder = folder.path.clone();
            return Err(TrainerError::FolderInUse { folder });
        }
        for what in loaded.notices() {
            let _ = observe(RunEvent::Damage { what });
        }
        let Checkpoint {
            model,
            mut optimizer,
            state,
        } = loaded.checkpoint;
        check_recipe(&loaded.path, &state.recipe, &folder.recipe)?;
        folder.data.check(&state.data, &loaded.path)?;
        let report = weights::from_bytes(&mut self.model, model, Naming::Native)?;
        if !report.is_complete() {
            return Err(TrainerError::IncompleteWeights {
                path: loaded.path,
                report: report.to_string(),
            });
        }
        if let Some(low_rank) = &mut self.low_rank {
            low_rank.load(&mut optimizer)?;
        }
        let (model, low_rank) = (&self.model, self.low_rank.as_ref());
        let state_of = &mut self.update.optimizer;
        state_of.load_state_with(model, low_rank, optimizer)?;
        self.step = state.step;
        self.saved = Some(state.step);
        self.position = state.position;
        Ok(Some((loaded.path, state.validated)))
    }
}
