//! Threads that read ahead, in a fixed order, never further than a bound.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::source::SampleSource;
use crate::DataError;

/// Reads items in the given order on several threads and hands them out in that order.
///
/// Worker `w` of `n` reads items `w, w + n, w + 2n, ..`, each into its own bounded channel: the
/// order is the same whatever the number of workers, and a slow item stalls the others instead of
/// letting finished ones pile up.
pub(super) struct Workers<T> {
    channels: Vec<Receiver<Result<T, DataError>>>,
    threads: Vec<JoinHandle<()>>,
    next: usize,
}

impl<T: Send + 'static> Workers<T> {
    /// Starts reading `order`; about `ahead` items are kept ready.
    pub(super) fn start<S: SampleSource<Sample = T>>(
        source: &Arc<S>,
        epoch: u64,
        order: &[usize],
        workers: usize,
        ahead: usize,
    ) -> Result<Self, DataError> {
        let workers = workers.clamp(1, order.len().max(1));
        let mut started = Self {
            channels: Vec::with_capacity(workers),
            threads: Vec::with_capacity(workers),
            next: 0,
        };
        for worker in 0..workers {
            let (sender, receiver) = sync_channel(ahead.div_ceil(workers).max(1));
            let items: Vec<usize> = order
                .iter()
                .copied()
                .skip(worker)
                .step_by(workers)
                .collect();
            let source = Arc::clone(source);
            let thread = std::thread::Builder::new()
                .name(format!("clover-data-{worker}"))
                .spawn(move || read_all(source.as_ref(), epoch, &items, &sender))
                .map_err(|source| DataError::Worker { source })?;
            started.channels.push(receiver);
            started.threads.push(thread);
        }
        Ok(started)
    }

    /// The next item of the order, or nothing after the last.
    pub(super) fn next(&mut self) -> Option<Result<T, DataError>> {
        let channel = &self.channels[self.next % self.channels.len()];
        self.next += 1;
        channel.recv().ok()
    }
}

impl<T> Drop for Workers<T> {
    fn drop(&mut self) {
        // A worker waiting for room in its channel ends when the other side is gone.
        self.channels.clear();
        for thread in self.threads.drain(..) {
            // Panics were caught inside the thread; there is nobody to tell while dropping.
            let _ended = thread.join();
        }
    }
}

fn read_all<S: SampleSource>(
    source: &S,
    epoch: u64,
    items: &[usize],
    sender: &SyncSender<Result<S::Sample, DataError>>,
) {
    for &index in items {
        // A decoder that panics on a hostile file costs that file, not the run.
        let sample =
            catch_unwind(AssertUnwindSafe(|| source.read(epoch, index))).unwrap_or_else(|_| {
                Err(DataError::ReaderPanicked {
                    name: source.name(index),
                })
            });
        if sender.send(sample).is_err() {
            return;
        }
    }
}
