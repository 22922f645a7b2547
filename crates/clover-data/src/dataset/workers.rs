//! Threads that read ahead.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::in_order::OrderedQueue;
use super::source::SampleSource;
use crate::DataError;
use crate::catch_panic;

/// Reads items in the given order on several threads and hands them out in that order.
pub(super) struct Workers<T> {
    queue: Arc<OrderedQueue<Result<T, DataError>>>,
    threads: Vec<JoinHandle<()>>,
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
        let queue = OrderedQueue::new(order.len(), ahead.max(workers));
        let order: Arc<[usize]> = order.into();
        let mut started = Self {
            queue: Arc::new(queue),
            threads: Vec::with_capacity(workers),
        };
        for worker in 0..workers {
            let (queue, order) = (Arc::clone(&started.queue), Arc::clone(&order));
            let source = Arc::clone(source);
            let thread = std::thread::Builder::new()
                .name(format!("clover-data-{worker}"))
                .spawn(move || queue.serve(|place| read(source.as_ref(), epoch, order[place])))
                .map_err(|source| DataError::Worker { source })?;
            started.threads.push(thread);
        }
        Ok(started)
    }

    /// What they read, in the order.
    pub(super) fn queue(&self) -> &Arc<OrderedQueue<Result<T, DataError>>> {
        &self.queue
    }
}

impl<T> Drop for Workers<T> {
    fn drop(&mut self) {
        self.queue.stop();
        for thread in self.threads.drain(..) {
            // Panics were caught inside the thread; there is nobody to tell while dropping.
            let _ended = thread.join();
        }
    }
}

fn read<S: SampleSource>(source: &S, epoch: u64, index: usize) -> Result<S::Sample, DataError> {
    // A decoder that panics on a hostile file costs that file, not the run.
    catch_panic(|| source.read(epoch, index)).unwrap_or_else(|_| {
        Err(DataError::ReaderPanicked {
            name: source.name(index),
        })
    })
}
