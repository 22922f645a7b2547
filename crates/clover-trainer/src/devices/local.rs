//! The devices of one process, each on a thread of its own, by `burn-collective`.
//!
//! The engine waits for ever for a peer that does not come. So each peer calls it on a thread that
//! it can leave behind, and waits for that with a bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use burn::prelude::*;
use burn::tensor::TensorPrimitive;
use burn_collective::{
    AllReduceStrategy, CollectiveConfig, CollectiveError, PeerId, ReduceOperation, all_reduce,
    register,
};

use super::DevicesError;

type Reply<B> = Result<Tensor<B, 1>, CollectiveError>;

/// A peer among those of its process.
#[derive(Debug)]
pub(super) struct Local<B: Backend> {
    index: usize,
    /// Sums that each peer has begun.
    begun: Arc<[AtomicU64]>,
    /// Whether the engine adds in an order of its own, different from run to run.
    unordered: bool,
    requests: Sender<Tensor<B, 1>>,
    replies: Receiver<Reply<B>>,
}

impl<B: Backend> Local<B> {
    /// Waits for all peers of the process; `begun` has a count for each.
    pub(super) fn join(
        index: usize,
        devices: &[B::Device],
        begun: &Arc<[AtomicU64]>,
        timeout: Duration,
    ) -> Result<Self, DevicesError> {
        let (requests, asked) = channel::<Tensor<B, 1>>();
        let (answers, replies) = channel();
        let (id, count) = (PeerId::from(index), devices.len());
        let device = devices[index].clone();
        let config = CollectiveConfig::default()
            .with_num_devices(count)
            .with_local_all_reduce_strategy(AllReduceStrategy::Tree(2));
        let (registered, ready) = channel();
        let work = move || {
            let answer = register::<B>(id, device, config);
            if registered.send(answer).is_err() {
                return;
            }
            for values in asked {
                let values = values.into_primitive().tensor();
                let sum = all_reduce::<B>(id, values, ReduceOperation::Sum)
                    .map(|sum| Tensor::from_primitive(TensorPrimitive::Float(sum)));
                if answers.send(sum).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name(format!("clover-peer-{index}"))
            .spawn(work)
            .map_err(|source| DevicesError::Service { source })?;
        let others = || "another device of this process".to_owned();
        wait(&ready, timeout, others)?;
        // The tree is over the devices in their order, and for two peers the order is no matter.
        let shared = (1..count).any(|at| devices[..at].contains(&devices[at]));
        Ok(Self {
            index,
            begun: Arc::clone(begun),
            unordered: shared && count > 2,
            requests,
            replies,
        })
    }

    /// The sum over the peers of this process.
    pub(super) fn sum(
        &self,
        values: Tensor<B, 1>,
        timeout: Duration,
    ) -> Result<Tensor<B, 1>, DevicesError> {
        if !self.unordered {
            return self.all_reduce(values, timeout);
        }
        // Sums in which all but one are zeros are exact in any order.
        let [len] = values.dims();
        let count = self.begun.len();
        let place = |other| {
            if other == self.index {
                values.clone()
            } else {
                values.zeros_like()
            }
        };
        let rows = Tensor::cat((0..count).map(place).collect(), 0);
        let rows = self.all_reduce(rows, timeout)?;
        let rows = (0..count).map(|other| rows.clone().narrow(0, other * len, len));
        Ok(rows
            .reduce(|sum, row| sum + row)
            .unwrap_or_else(|| values.clone()))
    }

    fn all_reduce(
        &self,
        values: Tensor<B, 1>,
        timeout: Duration,
    ) -> Result<Tensor<B, 1>, DevicesError> {
        let turn = self.begun[self.index].fetch_add(1, Ordering::SeqCst) + 1;
        if self.requests.send(values).is_err() {
            return Err(DevicesError::Ended);
        }
        wait(&self.replies, timeout, || {
            let late: Vec<String> = (0..self.begun.len())
                .filter(|&other| self.begun[other].load(Ordering::SeqCst) < turn)
                .map(device_name)
                .collect();
            if late.is_empty() {
                "burn-collective".to_owned()
            } else {
                late.join(" and ")
            }
        })
    }
}

/// How a device is called in errors.
pub(super) fn device_name(index: usize) -> String {
    format!("device {index} of this process")
}

fn wait<T>(
    replies: &Receiver<Result<T, CollectiveError>>,
    timeout: Duration,
    late: impl FnOnce() -> String,
) -> Result<T, DevicesError> {
    match replies.recv_timeout(timeout) {
        Ok(Ok(value)) => Ok(value),
        // Both are what a peer sees once another has ended the session.
        Ok(Err(
            CollectiveError::LocalServerMissing | CollectiveError::RegisterNotFirstOperation,
        ))
        | Err(RecvTimeoutError::Disconnected) => Err(DevicesError::Ended),
        Ok(Err(error)) => Err(DevicesError::Engine {
            reason: format!("{error:?}"),
        }),
        Err(RecvTimeoutError::Timeout) => Err(DevicesError::Silent {
            peer: late(),
            seconds: timeout.as_secs(),
        }),
    }
}
