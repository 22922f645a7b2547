//! Several runs at once, each on threads of its own.
//!
//! A model as small as those of the demonstration hardly keeps a second processor busy; two such models
//! do. The RNG of Burn's CPU backends is a static of the process, but only starting values come from it,
//! and those are drawn from the run's seed while no other run draws (`clover-trainer`, `starting_values`).
//! All else that is random in a run (order, masks, dropout) comes from RNGs of its own, so runs side by
//! side end as they would one after another.

use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::ThreadPoolBuilder;

use crate::device::processors;
use crate::interrupt::Interrupt;
use crate::output::{Verbosity, print_progress, says};

/// Without a terminal, what a run tells is printed this often.
const LINE_EVERY: Duration = Duration::from_secs(20);
/// What a thread has for its calls: as much as the main one.
const STACK_BYTES: usize = 8 << 20;

/// Where one of several runs tells how it goes.
#[derive(Debug)]
pub(crate) struct Lane {
    name: String,
    /// Turns, and has a message.
    bar: ProgressBar,
    last_line: Instant,
}

impl Lane {
    fn new(name: String, all: &MultiProgress) -> Self {
        let style = ProgressStyle::with_template("{spinner} {prefix}: {wide_msg}");
        let bar = ProgressBar::new_spinner();
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(name.clone());
        Self {
            name,
            bar: all.add(bar),
            last_line: Instant::now(),
        }
    }

    /// Shows a line, or, without a terminal, prints one now and then.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if !self.bar.is_hidden() {
            self.bar.tick();
            self.bar.set_message(line());
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            print_progress(&format!("{}: {}", self.name, line()));
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// How one of several runs ended.
pub(crate) struct Ended<'j, J, T> {
    pub(crate) job: &'j J,
    pub(crate) result: Result<T>,
    /// Wall seconds.
    pub(crate) seconds: f64,
}

/// Does all jobs, `at_a_time` of them side by side, or, once interrupted, those that have begun; `ended`
/// is told of each on this thread.
///
/// # Errors
///
/// The first of `ended`, after which no other job begins; or a thread cannot be started.
pub(crate) fn side_by_side<J: Display + Sync, T: Send>(
    jobs: &[J],
    at_a_time: usize,
    interrupt: &Interrupt,
    work: impl Fn(&J, &mut Lane) -> Result<T> + Sync,
    mut ended: impl FnMut(Ended<'_, J, T>) -> Result<()>,
) -> Result<()> {
    let all = MultiProgress::with_draw_target(match says(Verbosity::Normal) {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    });
    let (next, (send, receive)) = (AtomicUsize::new(0), mpsc::channel());
    let lanes = at_a_time.clamp(1, jobs.len().max(1));
    thread::scope(|scope| {
        for _ in 0..lanes {
            // Of its own: in a shared pool, a run that waits for its threads takes over work of another run.
            let pool = ThreadPoolBuilder::new()
                .num_threads((processors() / lanes).max(1))
                .stack_size(STACK_BYTES)
                .build()?;
            let (send, next, all, work) = (send.clone(), &next, &all, &work);
            let turns = move || {
                while !interrupt.asked()
                    && let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let started = Instant::now();
                    let result = work(job, &mut Lane::new(job.to_string(), all));
                    let seconds = started.elapsed().as_secs_f64();
                    // Nobody is told of it where `ended` failed.
                    let one = Ended {
                        job,
                        result,
                        seconds,
                    };
                    if send.send(one).is_err() {
                        break;
                    }
                }
            };
            scope.spawn(move || pool.install(turns));
        }
        drop(send);
        let receive = receive;
        receive
            .iter()
            .try_for_each(|one| all.suspend(|| ended(one)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn two_at_a_time_run_at_the_same_time_and_all_are_heard_of() {
        let together = Barrier::new(2);
        let mut heard = Vec::new();

        side_by_side(
            &[1, 2, 3, 4],
            2,
            &Interrupt::default(),
            |job, lane| {
                lane.tell(|| "goes on".to_owned());
                // Alone, none would pass.
                together.wait();
                anyhow::ensure!(*job != 3, "three");
                Ok(10 * job)
            },
            |one| {
                heard.push((*one.job, one.result.ok()));
                Ok(())
            },
        )
        .unwrap();

        heard.sort_unstable();
        let expected = [(1, Some(10)), (2, Some(20)), (3, None), (4, Some(40))];
        assert_eq!(heard, expected);
    }

    #[test]
    fn nothing_begins_after_an_interruption_or_a_failure() {
        let interrupt = Interrupt::default();
        let (mut begun, mut failed) = (0, 0);

        side_by_side(
            &[1, 2, 3],
            1,
            &interrupt,
            |_, _| {
                interrupt.ask();
                Ok(())
            },
            |_| {
                begun += 1;
                Ok(())
            },
        )
        .unwrap();
        let error = side_by_side(
            &[1, 2, 3],
            1,
            &Interrupt::default(),
            |_, _| Ok(()),
            |_| {
                failed += 1;
                anyhow::bail!("a full disk")
            },
        );

        assert_eq!((begun, failed), (1, 1));
        assert!(error.is_err());
    }
}
