//! All devices of this process, and the other nodes.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use burn::prelude::*;
use burn_collective::reset_collective;

use super::local::{Local, device_name};
use super::nodes::Connected;
use super::{DevicesError, Peer};
use crate::TrainerError;

/// The engine holds one session a process.
static SESSION: Mutex<()> = Mutex::new(());

/// Which devices train together.
#[derive(Clone, Debug)]
pub struct Group<B: Backend> {
    /// The devices of this process; one may be named several times, for a peer each.
    pub devices: Vec<B::Device>,
    /// The other processes, if there are any.
    pub nodes: Option<Nodes>,
    /// How long a peer waits for another before it gives up.
    pub timeout: Duration,
}

/// The processes that train together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// How many.
    pub count: usize,
    /// Which of them this process is, from zero.
    pub node: usize,
    /// Where the first is reached, `ws://host:port`; it listens there itself.
    pub orchestrator: String,
}

impl<B: Backend> Group<B> {
    /// Runs `first` on the first device, in this thread, and `others` on each other one.
    ///
    /// # Errors
    ///
    /// The nodes cannot be reached; or the error of the device that failed first, which ends the
    /// work of all others.
    pub fn run<T>(
        &self,
        first: impl FnOnce(&Peer<B>, &B::Device) -> Result<T, TrainerError>,
        others: impl Fn(&Peer<B>, &B::Device) -> Result<(), TrainerError> + Sync,
    ) -> Result<T, TrainerError> {
        let Some(device) = self.devices.first() else {
            return Err(DevicesError::Engine {
                reason: "there is no device".to_owned(),
            }
            .into());
        };
        if self.devices.len() == 1 && self.nodes.is_none() {
            return first(&Peer::alone(), device);
        }
        let session = SESSION.lock().unwrap_or_else(PoisonError::into_inner);
        reset_collective::<B>();
        let connected = match &self.nodes {
            Some(nodes) => Some(Connected::join(nodes, self.devices.len(), self.timeout)?),
            None => None,
        };
        let done = self.run_threads(connected, first, others);
        reset_collective::<B>();
        drop(session);
        done
    }

    fn run_threads<T>(
        &self,
        connected: Option<Connected>,
        first: impl FnOnce(&Peer<B>, &B::Device) -> Result<T, TrainerError>,
        others: impl Fn(&Peer<B>, &B::Device) -> Result<(), TrainerError> + Sync,
    ) -> Result<T, TrainerError> {
        let begun: Arc<[AtomicU64]> = self.devices.iter().map(|_| AtomicU64::new(0)).collect();
        let (start, world) = match &connected {
            Some(nodes) => (nodes.first_rank(), nodes.world()),
            None => (0, self.devices.len()),
        };
        let peer = |index, nodes| {
            let links = Links::join(self, index, &begun, nodes)?;
            Ok::<_, DevicesError>(Peer {
                rank: start + index,
                world,
                links: Some(links),
            })
        };
        let (peer, others) = (&peer, &others);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (1..self.devices.len())
                .map(|index| {
                    scope.spawn(move || {
                        let wake = WakeOthers::<B>::new();
                        let done = others(&peer(index, None)?, &self.devices[index]);
                        wake.unless(done)
                    })
                })
                .collect();
            let wake = WakeOthers::<B>::new();
            let own = peer(0, connected)
                .map_err(TrainerError::from)
                .and_then(|peer| first(&peer, &self.devices[0]));
            let own = wake.unless(own);
            let mut ends = Vec::new();
            for (index, thread) in threads.into_iter().enumerate() {
                ends.push(thread.join().unwrap_or_else(|_| {
                    Err(TrainerError::from(DevicesError::Lost {
                        peer: device_name(index + 1),
                        reason: "it panicked".to_owned(),
                    }))
                }));
            }
            first_cause(own, ends)
        })
    }
}

/// What went wrong first: not that a device was ended by another.
fn first_cause<T>(
    own: Result<T, TrainerError>,
    others: Vec<Result<(), TrainerError>>,
) -> Result<T, TrainerError> {
    let secondary =
        |error: &TrainerError| matches!(error, TrainerError::Devices(DevicesError::Ended));
    let mut errors: Vec<_> = others.into_iter().filter_map(Result::err).collect();
    let cause = errors.iter().position(|error| !secondary(error));
    match own {
        Err(error) if !secondary(&error) || errors.is_empty() => Err(error),
        _ if !errors.is_empty() => Err(errors.swap_remove(cause.unwrap_or(0))),
        own => own,
    }
}

/// Ends the session when its device fails, so that the others need not wait for it.
struct WakeOthers<B: Backend> {
    armed: bool,
    backend: std::marker::PhantomData<B>,
}

impl<B: Backend> WakeOthers<B> {
    fn new() -> Self {
        Self {
            armed: true,
            backend: std::marker::PhantomData,
        }
    }

    fn unless<T>(mut self, done: Result<T, TrainerError>) -> Result<T, TrainerError> {
        self.armed = done.is_err();
        done
    }
}

impl<B: Backend> Drop for WakeOthers<B> {
    fn drop(&mut self) {
        if self.armed {
            reset_collective::<B>();
        }
    }
}

/// How a peer reaches the others.
#[derive(Debug)]
pub(super) struct Links<B: Backend> {
    /// The other devices of this process.
    local: Option<Local<B>>,
    /// The other nodes, by the first device of each.
    nodes: Option<Mutex<Connected>>,
    /// Whether there are other nodes at all.
    beyond: bool,
    timeout: Duration,
}

impl<B: Backend> Links<B> {
    fn join(
        group: &Group<B>,
        index: usize,
        begun: &Arc<[AtomicU64]>,
        nodes: Option<Connected>,
    ) -> Result<Self, DevicesError> {
        let local = match group.devices.len() {
            1 => None,
            _ => Some(Local::join(index, &group.devices, begun, group.timeout)?),
        };
        Ok(Self {
            local,
            nodes: nodes.map(Mutex::new),
            beyond: group.nodes.is_some(),
            timeout: group.timeout,
        })
    }

    pub(super) fn sum(&self, values: Tensor<B, 1>) -> Result<Tensor<B, 1>, DevicesError> {
        let here = match &self.local {
            Some(local) => local.sum(values, self.timeout)?,
            None => values,
        };
        let everywhere = match &self.nodes {
            Some(nodes) => nodes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .sum(here)?,
            None if self.beyond => here.zeros_like(),
            None => return Ok(here),
        };
        match &self.local {
            // The first device may wait so long for other nodes, and says for which.
            Some(local) => local.sum(everywhere, 3 * self.timeout),
            None => Ok(everywhere),
        }
    }
}
