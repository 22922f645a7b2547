//! Where a run begins: with the model it is given, or with its last checkpoint.

use std::fs;

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::MixturePosition;
use clover_model::weights::{self, Naming};

use super::records::Records;
use super::resume_check::check_recipe;
use super::{ObserveTask, Run, RunEvent, RunPlan, Task};
use crate::TrainerError;
use crate::checkpoint::Checkpoint;
use crate::devices::Peer;
use crate::optimizer_step::OptimizerStep;

impl<'p, B: AutodiffBackend, T: Task<B>> Run<'p, B, T> {
    /// A new run, or one that goes on from its last checkpoint.
    pub(crate) fn prepare(
        plan: RunPlan,
        (task, model, update): (T, T::Model, OptimizerStep<B>),
        (peer, device): (&'p Peer<B::InnerBackend>, &B::Device),
        observe: &mut ObserveTask<'_, B, T>,
    ) -> Result<Self, TrainerError> {
        if let Some(folder) = &plan.folder {
            fs::create_dir_all(&folder.path).map_err(|source| TrainerError::Write {
                path: folder.path.clone(),
                source,
            })?;
        }
        let mut run = Self {
            plan,
            task,
            model,
            update,
            peer,
            device: device.clone(),
            records: Records::none(),
            step: 0,
            position: MixturePosition::default(),
            saved: None,
        };
        run.restore(observe)?;
        run.set_out_together()?;
        run.forget_divergence()?;
        if let Some(folder) = run.own_folder() {
            let steps = folder.path.join("metrics.jsonl");
            let validation = folder.path.join("validation.jsonl");
            let validation = run.plan.validate.is_some().then_some(validation);
            run.records = Records::open(steps, validation, run.step)?;
        }
        Ok(run)
    }

    fn restore(&mut self, observe: &mut ObserveTask<'_, B, T>) -> Result<(), TrainerError> {
        let Some(folder) = &self.plan.folder else {
            return Ok(());
        };
        let checkpoints = folder.checkpoints();
        if self.peer.is_first() {
            checkpoints.recover_best()?;
        }
        let Some(loaded) = checkpoints.latest()? else {
            return Ok(());
        };
        if !folder.resume {
            let folder = folder.path.clone();
            return Err(TrainerError::FolderInUse { folder });
        }
        for refused in &loaded.refused {
            let reason = refused.to_string();
            let _ = observe(RunEvent::CheckpointRefused { reason });
        }
        let Checkpoint {
            model,
            optimizer,
            state,
        } = loaded.checkpoint;
        check_recipe(&loaded.path, &state.recipe, &folder.recipe)?;
        folder.data.check(&state.data, &loaded.path)?;
        let report = weights::from_bytes(&mut self.model, &model, Naming::Native)?;
        if !report.is_complete() {
            return Err(TrainerError::IncompleteWeights {
                path: loaded.path,
                report: report.to_string(),
            });
        }
        self.update.optimizer.load_state(&self.model, optimizer)?;
        self.step = state.step;
        self.saved = Some(state.step);
        self.position = state.position;
        Ok(())
    }
}
