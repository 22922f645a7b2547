//! Work on several threads whose results come in a fixed order, never further ahead than a bound.
//!
//! Whoever is free takes the next item, so that a slow one holds up its own thread alone. The order is
//! the same whatever the number of threads.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::DataError;

/// Threads that work on items, and how far they may be ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Threads {
    /// What the system calls them.
    pub(crate) name: &'static str,
    pub(crate) count: usize,
    /// Results that may wait for one before them.
    pub(crate) ahead: usize,
}

/// Works on the items from 0 to `items`; `take` gets the results in their order, until it breaks off.
///
/// # Errors
///
/// When a thread cannot be started.
pub(crate) fn in_order<T: Send>(
    threads: Threads,
    items: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(T) -> ControlFlow<()>,
) -> Result<(), DataError> {
    let count = threads.count.clamp(1, items.max(1));
    let queue = OrderedQueue::new(items, threads.ahead.max(count));
    std::thread::scope(|scope| {
        // However this ends, the threads must, for the scope waits for them.
        let _stopped_at_the_end = Stop(&queue);
        for thread in 0..count {
            std::thread::Builder::new()
                .name(format!("{}-{thread}", threads.name))
                .spawn_scoped(scope, || {
                    queue.serve(|item| catch_unwind(AssertUnwindSafe(|| work(item))));
                })
                .map_err(|source| DataError::Worker { source })?;
        }
        while let Some(result) = queue.next() {
            let result = result.unwrap_or_else(|panic| resume_unwind(panic));
            if take(result).is_break() {
                break;
            }
        }
        Ok(())
    })
}

struct Stop<'q, T>(&'q OrderedQueue<T>);

impl<T> Drop for Stop<'_, T> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// What the threads share.
pub(super) struct OrderedQueue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Items in all.
    items: usize,
    /// Items that may be worked on or done before the first of them is handed out.
    ahead: usize,
}

struct State<T> {
    /// The item that is taken next.
    next: usize,
    /// How many were handed out.
    handed_out: usize,
    ready: HashMap<usize, T>,
    stopped: bool,
}

impl<T> OrderedQueue<T> {
    pub(super) fn new(items: usize, ahead: usize) -> Self {
        Self {
            state: Mutex::new(State {
                next: 0,
                handed_out: 0,
                ready: HashMap::new(),
                stopped: false,
            }),
            changed: Condvar::new(),
            items,
            ahead,
        }
    }

    /// Works on one item after the other until there are no more; `work` must not panic.
    pub(super) fn serve(&self, work: impl Fn(usize) -> T) {
        while let Some(item) = self.take() {
            let result = work(item);
            self.state().ready.insert(item, result);
            self.changed.notify_all();
        }
    }

    /// Lets no further item be taken.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }

    /// The next result, or nothing after the last.
    pub(super) fn next(&self) -> Option<T> {
        let mut state = self.state();
        let item = state.handed_out;
        if item == self.items {
            return None;
        }
        loop {
            if let Some(result) = state.ready.remove(&item) {
                state.handed_out += 1;
                self.changed.notify_all();
                return Some(result);
            }
            state = self.wait(state);
        }
    }

    /// An item to work on, once it is not too far ahead.
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

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State<T>>) -> MutexGuard<'s, State<T>> {
        let woken = self.changed.wait(state);
        woken.unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const THREADS: Threads = Threads {
        name: "test",
        count: 3,
        ahead: 4,
    };

    #[test]
    fn results_come_in_order_and_no_further_ahead_than_allowed() {
        let (taken, mut results) = (AtomicUsize::new(0), Vec::new());
        let work = |item| {
            let ahead = item - taken.load(Ordering::SeqCst).min(item);
            // One is handed out before the taker counts it.
            assert!(ahead <= THREADS.ahead, "{item} is {ahead} ahead");
            item * item
        };

        let done = in_order(THREADS, 50, work, |result| {
            results.push(result);
            taken.fetch_add(1, Ordering::SeqCst);
            ControlFlow::Continue(())
        });

        done.unwrap();
        assert_eq!(results, (0..50).map(|item| item * item).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_is_begun_after_the_end_of_interest() {
        let begun = AtomicUsize::new(0);

        let done = in_order(
            THREADS,
            1_000,
            |_| begun.fetch_add(1, Ordering::SeqCst),
            |_| ControlFlow::Break(()),
        );

        done.unwrap();
        assert!(begun.load(Ordering::SeqCst) <= 1 + THREADS.ahead);
    }

    #[test]
    #[should_panic(expected = "of item 7")]
    fn a_panic_in_a_thread_is_one_of_the_caller() {
        let work = |item| assert_ne!(item, 7, "a panic of item {item}");

        let _panics = in_order(THREADS, 20, work, ControlFlow::Continue);
    }
}
