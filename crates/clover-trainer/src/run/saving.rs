//! What a run leaves behind: checkpoints, the best model, and the last one.

use std::path::{Path, PathBuf};

use burn::tensor::backend::AutodiffBackend;
use clover_inference::NeutralTexts;
use clover_model::weights::{self, Naming};

use super::{ObserveTask, Run, RunEvent, Scored, Task};
use crate::TrainerError;
use crate::checkpoint::{
    Checkpoint, CheckpointState, FORMAT_VERSION, last_bundle, replace_last_bundle,
};
use crate::low_rank::LowRank;
use crate::trained_for::Trained;

impl<B: AutodiffBackend, T: Task<B>> Run<'_, B, T> {
    pub(super) fn save(&mut self, observe: &mut ObserveTask<'_, B, T>) -> Result<(), TrainerError> {
        self.saved = Some(self.step);
        let Some(folder) = self.own_folder() else {
            return Ok(());
        };
        let mut optimizer = self.update.optimizer.state_tensors();
        optimizer.extend(self.low_rank.iter().flat_map(LowRank::tensors));
        let path = folder.checkpoints().save(&Checkpoint {
            model: weights::to_bytes(&self.model, Naming::Native)?,
            optimizer,
            state: CheckpointState {
                format_version: FORMAT_VERSION,
                step: self.step,
                position: self.position,
                seed: self.plan.seed,
                data: folder.data.clone(),
                recipe: folder.recipe.clone(),
                validated: self.records.state()?,
            },
        })?;
        let _ = observe(RunEvent::Saved(&path));
        Ok(())
    }

    /// Keeps the model as the best one, with what was measured.
    pub(super) fn save_best(
        &self,
        metrics: &T::Validation,
        neutral: Option<&NeutralTexts>,
    ) -> Result<(), TrainerError> {
        let write = |folder: &Path| self.write_model(folder, Some(metrics), neutral);
        match self.own_folder() {
            Some(folder) => folder.checkpoints().replace_best(write).map(drop),
            None => Ok(()),
        }
    }

    /// Writes the model as it is into `bundle`.
    pub(super) fn write_last_bundle(&self) -> Result<PathBuf, TrainerError> {
        if let Some(folder) = self.own_folder() {
            let neutral = self.records.neutral();
            replace_last_bundle(&folder.path, |bundle| {
                self.write_model(bundle, None, neutral)
            })?;
        }
        let folder = self.plan.folder.as_ref();
        let bundle = folder.map(|folder| last_bundle(&folder.path));
        Ok(bundle.unwrap_or_default())
    }

    fn write_model(
        &self,
        folder: &Path,
        best: Option<&T::Validation>,
        neutral: Option<&NeutralTexts>,
    ) -> Result<(), TrainerError> {
        self.task
            .write(self.model_without_graph(), neutral, folder)?;
        let trained = Trained {
            model: match best {
                Some(_) => "best",
                None => "last",
            }
            .to_owned(),
            step: self.step,
            task: self.task.name().map(str::to_owned),
            score: best.map(Scored::score),
            validation: best,
        };
        trained.write(folder)
    }
}
