//! What a run leaves behind: checkpoints, the best model, and the last one.

use std::path::{Path, PathBuf};

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{MixturePosition, Position};
use clover_model::weights::{self, Naming};

use super::learner::Learner;
use super::{FinetuningEvent, FinetuningValidation, ObserveFinetuning, Run};
use crate::TrainerError;
use crate::checkpoint::{Checkpoint, CheckpointState, FORMAT_VERSION};
use crate::trained_for::TrainedFor;

impl<B: AutodiffBackend, L: Learner<B>> Run<'_, B, L> {
    pub(super) fn save(&self, observe: &mut ObserveFinetuning<'_>) -> Result<(), TrainerError> {
        let path = self.checkpoints.save(&Checkpoint {
            model: weights::to_bytes(&self.model, Naming::Native)?,
            optimizer: self.training.optimizer.state_tensors(),
            state: CheckpointState {
                format_version: FORMAT_VERSION,
                step: self.step,
                position: MixturePosition {
                    videos: self.position,
                    images: Position::default(),
                },
                seed: self.recipe.seed,
                data: self.data.clone(),
                recipe: self.recorded.clone(),
            },
        })?;
        let _ = observe(FinetuningEvent::Saved(&path));
        Ok(())
    }

    /// Keeps the model as the best one.
    pub(super) fn save_best(&self, metrics: &FinetuningValidation) -> Result<(), TrainerError> {
        let write = |folder: &Path| self.write_model(folder, "best", Some(metrics.score));
        self.checkpoints.replace_best(write).map(drop)
    }

    /// Writes the model as it is into `bundle`.
    pub(super) fn write_last_bundle(&self) -> Result<PathBuf, TrainerError> {
        let folder = self.path("bundle");
        self.write_model(&folder, "last", None)?;
        Ok(folder)
    }

    fn write_model(
        &self,
        folder: &Path,
        model: &str,
        score: Option<f64>,
    ) -> Result<(), TrainerError> {
        self.learner.write(self.quiet_model(), folder)?;
        let trained = TrainedFor {
            model: model.to_owned(),
            step: self.step,
            task: Some(self.plan.name.clone()),
            score,
        };
        trained.write(folder)
    }
}
