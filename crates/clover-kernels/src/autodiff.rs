//! Where a tensor's gradients are tracked, our own backward passes take the place of Burn's.
//!
//! Code that is generic over `Backend` cannot see that a tensor is one of `Autodiff<I>`, nor name
//! `I`. Code that is generic over `AutodiffBackend` can: it says so here once, and operations find
//! the entry by their backend's type.

use std::any::{Any, TypeId};
use std::marker::PhantomData;
use std::sync::{PoisonError, RwLock};

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::{
    BalancedCheckpointing, CheckpointStrategy, NoCheckpointing,
};
use burn::prelude::*;
use burn::tensor::TensorPrimitive;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::{FloatTensor, IntTensor};

use crate::gathered::{Lookup, Moves};
use crate::kernel::{Kernel, TrackedTensor, track};

/// Gives the operations of this crate their own backward passes on `B`, for the whole process.
///
/// [`RowPermutation`](crate::RowPermutation), [`ColumnLookup`](crate::ColumnLookup) and
/// [`gather_rows`](crate::gather_rows) then back-propagate by gathering. Without this call their
/// gradients are the same, but Burn's GPU backends take thousands of times as long for them. The
/// trainer of this project makes the call; a training loop of your own makes it before its first
/// step. Further calls do nothing.
pub fn register_autodiff<B: AutodiffBackend>() {
    // Burn has one autodiff backend, with two strategies of checkpointing.
    register::<B, B::InnerBackend, NoCheckpointing>();
    register::<B, B::InnerBackend, BalancedCheckpointing>();
}

fn register<B: Backend, I: Backend, C: CheckpointStrategy>() {
    let backend = TypeId::of::<B>();
    if backend != TypeId::of::<Autodiff<I, C>>() || tracker::<B>().is_some() {
        return;
    }
    let mut trackers = TRACKERS.write().unwrap_or_else(PoisonError::into_inner);
    trackers.push((backend, &Tracked::<I, C>(PhantomData)));
}

static TRACKERS: RwLock<Vec<(TypeId, &'static dyn Tracker)>> = RwLock::new(Vec::new());

fn tracker<B: Backend>() -> Option<&'static dyn Tracker> {
    let backend = TypeId::of::<B>();
    let trackers = TRACKERS.read().unwrap_or_else(PoisonError::into_inner);
    let found = trackers.iter().find(|(other, _)| *other == backend);
    found.map(|(_, tracker)| *tracker)
}

/// Runs kernels on one backend under autodiff. Each answers `None` for values of another backend.
trait Tracker: Send + Sync {
    /// `moves` is a `Moves<IntTensor<I>>`; `x` and the output are tracked tensors.
    fn moves(&self, moves: &dyn Any, x: &dyn Any) -> Option<Box<dyn Any>>;

    /// `lookup` is a `Lookup<IntTensor<I>>`.
    fn lookup(&self, lookup: &dyn Any, x: &dyn Any) -> Option<Box<dyn Any>>;
}

struct Tracked<I, C>(PhantomData<fn() -> (I, C)>);

impl<I: Backend, C: CheckpointStrategy> Tracked<I, C> {
    fn run<K: Kernel<I, 1>>(kernel: &dyn Any, x: &dyn Any) -> Option<Box<dyn Any>> {
        let kernel: K = kernel.downcast_ref::<K>()?.clone();
        let x = x.downcast_ref::<TrackedTensor<I>>()?.clone();
        Some(Box::new(track::<I, C, K, 1>(kernel, [x])))
    }
}

impl<I: Backend, C: CheckpointStrategy> Tracker for Tracked<I, C> {
    fn moves(&self, moves: &dyn Any, x: &dyn Any) -> Option<Box<dyn Any>> {
        Self::run::<Moves<IntTensor<I>>>(moves, x)
    }

    fn lookup(&self, lookup: &dyn Any, x: &dyn Any) -> Option<Box<dyn Any>> {
        Self::run::<Lookup<IntTensor<I>>>(lookup, x)
    }
}

pub(crate) fn moves<B: Backend>(
    moves: &Moves<IntTensor<B>>,
    x: &Tensor<B, 2>,
) -> Option<Tensor<B, 2>> {
    let tracker = tracker::<B>()?;
    from_any(tracker.moves(moves, &float(x)?)?)
}

pub(crate) fn lookup<B: Backend>(
    index: &Tensor<B, 1, Int>,
    x: &Tensor<B, 2>,
) -> Option<Tensor<B, 2>> {
    let tracker = tracker::<B>()?;
    let lookup = Lookup {
        index: index.clone().into_primitive(),
    };
    from_any(tracker.lookup(&lookup, &float(x)?)?)
}

fn float<B: Backend>(x: &Tensor<B, 2>) -> Option<FloatTensor<B>> {
    match x.clone().into_primitive() {
        TensorPrimitive::Float(primitive) => Some(primitive),
        TensorPrimitive::QFloat(_) => None,
    }
}

fn from_any<B: Backend>(output: Box<dyn Any>) -> Option<Tensor<B, 2>> {
    let primitive = output.downcast::<FloatTensor<B>>().ok()?;
    Some(Tensor::from_primitive(TensorPrimitive::Float(*primitive)))
}
