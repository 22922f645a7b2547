//! What the blocks of a stage need besides weights and tokens: indices and masks that follow from
//! the size of the clips alone.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use burn::prelude::*;
use burn::tensor::backend::{DeviceId, DeviceOps};
use clover_kernels::ColumnLookup;

use super::patch_merging::NeighbourRows;
use super::relative_position_bias::relative_position_lookup;
use super::window::{WindowGeometry, WindowPartition};

/// Plans that a stage keeps: videos and images, with gradients and without.
const KEPT: usize = 4;

/// Indices and masks for clips of one size.
#[derive(Clone, Debug)]
pub(super) struct StagePlan<B: Backend> {
    /// For even blocks, and for odd ones where they differ.
    pub(super) partitions: Vec<WindowPartition<B>>,
    pub(super) bias: ColumnLookup<B>,
    /// For the patch merging.
    pub(super) neighbours: Option<NeighbourRows<B>>,
}

impl<B: Backend> StagePlan<B> {
    fn new(plan: &StageOutline, batch: usize, grid: [usize; 3], device: &B::Device) -> Self {
        let half = plan.window.map(|extent| extent / 2);
        let plain = WindowGeometry::new(grid, plan.window, [0; 3]);
        let shifted = WindowGeometry::new(grid, plan.window, half);
        let partition = |geometry| WindowPartition::new(batch, geometry, device);
        Self {
            partitions: if shifted == plain || !plan.shifts {
                vec![partition(plain)]
            } else {
                vec![partition(plain), partition(shifted)]
            },
            bias: relative_position_lookup(plan.window, plain.window_tokens(), device),
            neighbours: plan
                .merges
                .then(|| NeighbourRows::new(batch * grid[0], [grid[1], grid[2]], device)),
        }
    }
}

/// What of a stage decides its plans.
pub(super) struct StageOutline {
    pub(super) window: [usize; 3],
    /// Whether there are blocks on shifted windows.
    pub(super) shifts: bool,
    /// Whether patches are merged at the end.
    pub(super) merges: bool,
}

/// The plans that a stage has made lately, so that each is computed and uploaded once.
///
/// Clones of a model share them.
#[derive(Clone, Default)]
pub(super) struct StagePlans(Arc<Mutex<Vec<Kept>>>);

#[derive(PartialEq)]
struct Key {
    backend: TypeId,
    device: DeviceId,
    batch: usize,
    grid: [usize; 3],
}

/// A `StagePlan<B>`, where the key says which backend `B` is.
type Kept = (Key, Box<dyn Any + Send>);

impl StagePlans {
    /// The plan for clips of this size, made where it is not there yet.
    pub(super) fn get<B: Backend>(
        &self,
        stage: &StageOutline,
        batch: usize,
        grid: [usize; 3],
        device: &B::Device,
    ) -> StagePlan<B> {
        let key = Key {
            backend: TypeId::of::<B>(),
            device: device.id(),
            batch,
            grid,
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(other, _)| *other == key);
        if let Some(plan) = found.and_then(|(_, plan)| plan.downcast_ref::<StagePlan<B>>()) {
            return plan.clone();
        }
        let plan = StagePlan::<B>::new(stage, batch, grid, device);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((key, Box::new(plan.clone())));
        plan
    }
}

impl fmt::Debug for StagePlans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StagePlans")
    }
}
