//! A run on several devices, each of which does all of it with its share of every batch.
//!
//! The recipe's batch is that of all devices. A broken item is not made up for by the next one, as
//! on a single device, but leaves its place empty: so no device need hear of another's items before
//! the step, and all agree on the number of steps. Where nothing is broken, a run on several devices
//! sees the batches of a run on one. Every device reads the same checkpoint, so on several machines
//! the run's folder is one that all can read; only the first device writes.

use std::hash::{DefaultHasher, Hash, Hasher};

use burn::tensor::backend::AutodiffBackend;

use super::{Run, Task};
use crate::TrainerError;
use crate::devices::same_parameters;

impl<B: AutodiffBackend, T: Task<B>> Run<'_, B, T> {
    /// Checks that all devices set out from the same place, and gives them the first one's
    /// parameters.
    pub(super) fn set_out_together(&mut self) -> Result<(), TrainerError> {
        if self.peer.is_alone() {
            return Ok(());
        }
        let folder = self.plan.folder.as_ref();
        let facts = [
            ("recipe", hash(&folder.map(|run| run.recipe.to_string()))),
            ("data", hash(&folder.map(|run| format!("{:?}", run.data)))),
            ("checkpoint", self.step),
            ("place in the data", hash(&format!("{:?}", self.position))),
            ("limit of steps", self.plan.max_steps.unwrap_or(u64::MAX)),
        ];
        self.peer.agree(&facts, &self.device)?;
        self.model = same_parameters(self.peer, self.model.clone())?;
        let low_rank = self.low_rank.clone();
        let low_rank = low_rank.map(|pairs| same_parameters(self.peer, pairs));
        self.low_rank = low_rank.transpose()?;
        Ok(())
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
