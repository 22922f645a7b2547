//! A run on several devices, each of which does all of it with its share of every batch.
//!
//! The recipe's batch is that of all devices. A broken item is not made up for by the next one, as
//! on a single device, but leaves its place empty: so no device need hear of another's items before
//! the step, and all agree on the number of steps. Where nothing is broken, a run on several devices
//! sees the batches of a run on one. Every device reads the same checkpoint, so on several machines
//! the run's folder is one that all can read; only the first device writes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use burn::tensor::backend::{AutodiffBackend, Backend};

use super::Run;
use crate::TrainerError;
use crate::devices::{DevicesError, Peer, same_parameters};
use crate::pretrain::same_recipe::recipe_value;

/// A backend's source of chance belongs to the whole process.
static CHANCE: Mutex<()> = Mutex::new(());

/// Draws from the backend's source of chance while no other device does.
pub(super) fn one_at_a_time<T>(draw: impl FnOnce() -> T) -> T {
    let _turn = CHANCE.lock().unwrap_or_else(PoisonError::into_inner);
    draw()
}

/// Every device must have something to do.
pub(super) fn check_batch<B: Backend>(
    peer: &Peer<B>,
    batch_size: usize,
) -> Result<(), DevicesError> {
    let peers = peer.world();
    if peers > batch_size {
        return Err(DevicesError::TooManyPeers { peers, batch_size });
    }
    Ok(())
}

impl<B: AutodiffBackend> Run<'_, B> {
    /// Checks that all devices set out from the same place, and gives them the first one's
    /// parameters.
    pub(super) fn set_out_together(&mut self) -> Result<(), TrainerError> {
        if self.peer.is_alone() {
            return Ok(());
        }
        let recipe = recipe_value(&self.plan.recipe, &self.plan.folder)?.to_string();
        let facts = [
            ("recipe", hash(&recipe)),
            ("data", hash(&format!("{:?}", self.data))),
            ("checkpoint", self.step),
            ("place in the data", hash(&format!("{:?}", self.position))),
            ("limit of steps", self.plan.max_steps.unwrap_or(u64::MAX)),
        ];
        self.peer.agree(&facts, &self.device)?;
        self.clover = same_parameters(self.peer, self.clover.clone())?;
        Ok(())
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// As [`pretrain`](super::pretrain), on all devices of a group. On the first node this ends with the
/// run's summary; the others know of its end, and of the items they read themselves.
///
/// # Errors
///
/// As [`pretrain`](super::pretrain); or the devices set out on different runs, are more than a batch
/// has pairs, or one of them is lost.
#[cfg(feature = "collective")]
pub fn pretrain_on<B: AutodiffBackend>(
    plan: &super::PretrainingPlan,
    group: &crate::devices::Group<B::InnerBackend>,
    observe: &mut super::Observe<'_>,
) -> Result<super::PretrainingSummary, TrainerError> {
    use std::ops::ControlFlow;

    group.run(
        |peer, device| super::pretrain_as::<B>(plan, peer, device, observe),
        |peer, device| {
            let silent = &mut |_: super::PretrainingEvent<'_>| ControlFlow::Continue(());
            super::pretrain_as::<B>(plan, peer, device, silent).map(drop)
        },
    )
}
