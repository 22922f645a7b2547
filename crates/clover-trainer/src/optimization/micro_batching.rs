//! How a batch is cut into micro-batches, and how many of them pass the model at the same time.
//!
//! One pass of a small model keeps one processor busy: its matrices are too small to be shared out. Two
//! micro-batches on a thread each keep two busy.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::TrainerError;

/// Micro-batches of a size. The default is one of all samples.
#[derive(Debug)]
pub struct MicroBatching {
    size: usize,
    /// A thread pool each, where several pass the model at the same time.
    ///
    /// A pool of its own, because a thread that waits for others in a shared one takes over work of
    /// another micro-batch meanwhile, whose graph may wait for the one it holds.
    lanes: Vec<ThreadPool>,
}

impl Default for MicroBatching {
    fn default() -> Self {
        Self {
            size: usize::MAX,
            lanes: Vec::new(),
        }
    }
}

impl MicroBatching {
    /// Micro-batches of `size` samples, of which `at_once` pass the model at the same time, on as many
    /// threads; processors beyond that are shared out among them. Each that is under way takes memory of
    /// its own.
    ///
    /// # Errors
    ///
    /// Threads cannot be started.
    ///
    /// # Panics
    ///
    /// Panics if `size` is 0.
    pub fn new(size: usize, at_once: usize) -> Result<Self, TrainerError> {
        assert!(size > 0, "micro-batches: a size of 0");
        let lanes = if at_once > 1 { at_once } else { 0 };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let lanes = (0..lanes).map(|_| {
            let pool = ThreadPoolBuilder::new().num_threads((threads / lanes).max(1));
            pool.build()
        });
        Ok(Self {
            size,
            lanes: lanes
                .collect::<Result<_, _>>()
                .map_err(TrainerError::Threads)?,
        })
    }

    /// Samples of a micro-batch.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// How many pass the model at the same time.
    pub(crate) fn at_once(&self) -> usize {
        self.lanes.len().max(1)
    }

    /// The results of `work`, in the order of the items.
    pub(crate) fn map<T: Send, R: Send>(
        &self,
        items: Vec<T>,
        work: impl Fn(T) -> R + Sync,
    ) -> Vec<R> {
        if self.lanes.is_empty() || items.len() < 2 {
            return items.into_iter().map(work).collect();
        }
        let queue = Mutex::new(items.into_iter().enumerate());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let in_a_lane = || {
            let items = std::iter::from_fn(next);
            items.map(|(at, item)| (at, work(item))).collect::<Vec<_>>()
        };
        let mut done: Vec<(usize, R)> = thread::scope(|scope| {
            let lanes = self.lanes.iter();
            let lanes = lanes.map(|lane| scope.spawn(|| lane.install(in_a_lane)));
            let lanes: Vec<_> = lanes.collect();
            let done = lanes.into_iter().map(|lane| lane.join());
            done.flat_map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        done.sort_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let micro_batches = MicroBatching::new(1, 3).unwrap();

        let squares = micro_batches.map((0..100_u64).collect(), |item| {
            // The first ones take longest.
            thread::sleep(std::time::Duration::from_micros(100 - item));
            item * item
        });

        assert_eq!(
            squares,
            (0..100).map(|item| item * item).collect::<Vec<_>>()
        );
    }

    #[test]
    #[should_panic(expected = "the seventh")]
    fn a_panic_is_passed_on() {
        let micro_batches = MicroBatching::new(1, 2).unwrap();

        micro_batches.map((0..10).collect(), |item| assert!(item != 7, "the seventh"));
    }
}
