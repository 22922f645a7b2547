//! Threads that read ahead, in a fixed order, never further than a bound.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::source::SampleSource;
use crate::DataError;

/// Reads items in the given order on several threads and hands them out in that order.
///
/// Whoever is free reads the next item, so that a slow one holds up its own thread alone; no more
/// than a bound are read ahead of the one that is waited for. The order is the same whatever the
/// number of threads.
pub(super) struct Workers<T> {
    desk: Arc<Desk<T>>,
    threads: Vec<JoinHandle<()>>,
}

/// What the threads share.
struct Desk<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Items in all.
    items: usize,
    /// Items that may be read, or being read, before the first of them is handed out.
    ahead: usize,
}

struct State<T> {
    /// The place in the order that is read next.
    next: usize,
    /// How many were handed out.
    handed_out: usize,
    ready: HashMap<usize, Result<T, DataError>>,
    stopped: bool,
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
        let desk = Arc::new(Desk {
            state: Mutex::new(State {
                next: 0,
                handed_out: 0,
                ready: HashMap::new(),
                stopped: false,
            }),
            changed: Condvar::new(),
            items: order.len(),
            ahead: ahead.max(workers),
        });
        let order: Arc<[usize]> = order.into();
        let mut started = Self {
            desk,
            threads: Vec::with_capacity(workers),
        };
        for worker in 0..workers {
            let (desk, order) = (Arc::clone(&started.desk), Arc::clone(&order));
            let source = Arc::clone(source);
            let thread = std::thread::Builder::new()
                .name(format!("clover-data-{worker}"))
                .spawn(move || {
                    while let Some(place) = desk.take() {
                        desk.put(place, read(source.as_ref(), epoch, order[place]));
                    }
                })
                .map_err(|source| DataError::Worker { source })?;
            started.threads.push(thread);
        }
        Ok(started)
    }

    /// The next item of the order, or nothing after the last.
    pub(super) fn next(&mut self) -> Option<Result<T, DataError>> {
        self.desk.next()
    }
}

impl<T> Desk<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State<T>>) -> MutexGuard<'s, State<T>> {
        let woken = self.changed.wait(state);
        woken.unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of an item to read, once it is not too far ahead.
    fn take(&self) -> Option<usize> {
        let mut state = self.state();
        loop {
            if state.stopped || state.next == self.items {
                return None;
            }
            if state.next < state.handed_out + self.ahead {
                state.next += 1;
                return Some(state.next - 1);
            }
            state = self.wait(state);
        }
    }

    fn put(&self, place: usize, item: Result<T, DataError>) {
        self.state().ready.insert(place, item);
        self.changed.notify_all();
    }

    fn next(&self) -> Option<Result<T, DataError>> {
        let mut state = self.state();
        let place = state.handed_out;
        if place == self.items {
            return None;
        }
        loop {
            if let Some(item) = state.ready.remove(&place) {
                state.handed_out += 1;
                self.changed.notify_all();
                return Some(item);
            }
            state = self.wait(state);
        }
    }
}

impl<T> Drop for Workers<T> {
    fn drop(&mut self) {
        self.desk.state().stopped = true;
        self.desk.changed.notify_all();
        for thread in self.threads.drain(..) {
            // Panics were caught inside the thread; there is nobody to tell while dropping.
            let _ended = thread.join();
        }
    }
}

fn read<S: SampleSource>(source: &S, epoch: u64, index: usize) -> Result<S::Sample, DataError> {
    // A decoder that panics on a hostile file costs that file, not the run.
    catch_unwind(AssertUnwindSafe(|| source.read(epoch, index))).unwrap_or_else(|_| {
        Err(DataError::ReaderPanicked {
            name: source.name(index),
        })
    })
}
