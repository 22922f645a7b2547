//! What a run leaves behind: checkpoints.

use burn::tensor::backend::AutodiffBackend;
use clover_model::weights::{self, Naming};

use super::{Observe, PretrainingEvent, Run};
use crate::TrainerError;
use crate::checkpoint::{Checkpoint, CheckpointState, FORMAT_VERSION};
use crate::pretrain::same_recipe::recipe_value;

impl<B: AutodiffBackend> Run<'_, B> {
    pub(super) fn save(&self, observe: &mut Observe<'_>) -> Result<(), TrainerError> {
        let path = self.checkpoints.save(&Checkpoint {
            model: weights::to_bytes(&self.clover, Naming::Native)?,
            optimizer: self.training.optimizer.state_tensors(),
            state: CheckpointState {
                format_version: FORMAT_VERSION,
                step: self.step,
                epoch: self.position.epoch,
                position: self.position.item as u64,
                seed: self.plan.recipe.seed,
                recipe: recipe_value(&self.plan.recipe, &self.plan.folder)?,
            },
        })?;
        let _ = observe(PretrainingEvent::Saved(&path));
        Ok(())
    }
}
