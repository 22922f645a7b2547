//! A run that is given a time: it measures what a step takes, and plans as many as fit, so that warm-up and decay
//! fill the time.
//!
//! Until then all steps are made at the schedule's first rate, which is the same however many follow. The plan is
//! made once and lies in the run's folder: from then on rates depend on the step alone, so that an interrupted
//! run ends as an unbroken one.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use burn::tensor::backend::AutodiffBackend;
use clover_data::files::read_regular;
use serde::{Deserialize, Serialize};

use super::data::StepSchedule;
use super::{ObserveTask, Run, RunEvent, RunLength, Task, ValidateEvery};
use crate::TrainerError;
use crate::whole_file::write_whole;

/// The file of a run's folder.
const FILE: &str = "time.json";
/// Many times what a plan needs.
const MAX_BYTES: u64 = 1 << 16;
/// The first steps take longer than others, and their batches were read beforehand.
const UNMEASURED: u64 = 4;
/// Steps that are measured, at least.
const LEAST: u64 = 6;
/// The share of the time for which steps are measured, at least.
const MEASURED: f64 = 0.02;
/// Slow steps are not measured for longer than this share of it.
const MOST: f64 = 0.1;

/// The time that a run may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeBudget {
    total: Duration,
    since: Instant,
}

/// How many steps fit into the time of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TimePlan {
    /// Seconds of the run.
    seconds: f64,
    /// Seconds a step took.
    step_seconds: f64,
    /// Steps made before this was known, at the first rate.
    measured: u64,
    /// Steps of the whole run.
    steps: u64,
}

/// Counts the steps of a run that has no plan yet.
pub(super) struct Clock {
    budget: TimeBudget,
    steps: u64,
    /// Of those that are measured.
    seconds: f64,
}

impl TimeBudget {
    /// Of a run that begins now.
    pub(crate) fn from_now(total: Duration) -> Self {
        Self {
            total,
            since: Instant::now(),
        }
    }
}

impl Clock {
    /// Counts a step.
    pub(super) fn add(&mut self, seconds: f64) {
        self.steps += 1;
        if self.steps > UNMEASURED {
            self.seconds += seconds;
        }
    }

    fn is_enough(&self) -> bool {
        let total = self.budget.total.as_secs_f64();
        let long = self.budget.since.elapsed().as_secs_f64() >= MOST * total;
        let usual = self.steps >= UNMEASURED + LEAST && self.seconds >= MEASURED * total;
        self.steps > UNMEASURED && (usual || long)
    }

    fn step_seconds(&self) -> f64 {
        self.seconds / self.steps.saturating_sub(UNMEASURED).max(1) as f64
    }
}

impl TimePlan {
    /// That of a folder, if it has one.
    fn read(folder: &Path) -> Result<Option<Self>, TrainerError> {
        let path = folder.join(FILE);
        match read_regular(&path, MAX_BYTES) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|source| TrainerError::Json { path, source }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(TrainerError::Read { path, source }),
        }
    }

    fn write(&self, folder: &Path) -> Result<(), TrainerError> {
        let path = folder.join(FILE);
        match serde_json::to_vec_pretty(self) {
            Ok(text) => write_whole(&path, &text),
            Err(source) => Err(TrainerError::Json { path, source }),
        }
    }

    /// Removes that of another run.
    fn forget(folder: &Path) -> Result<(), TrainerError> {
        let path = folder.join(FILE);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                Err(TrainerError::Write { path, source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl<B: AutodiffBackend, T: Task<B>> Run<'_, B, T> {
    /// The rates of the run: as planned, or the first one until there is a plan.
    pub(super) fn rates(&mut self, schedule: &StepSchedule) -> Result<StepSchedule, TrainerError> {
        let folder = self.plan.folder.as_ref();
        let planned = match folder {
            Some(folder) if folder.resume => TimePlan::read(&folder.path)?,
            Some(folder) if self.peer.is_first() => {
                TimePlan::forget(&folder.path)?;
                None
            }
            _ => None,
        };
        if let Some(planned) = planned {
            return Ok(self.follow(planned, schedule));
        }
        let Some(budget) = self.plan.time else {
            return Ok(schedule.clone());
        };
        self.plan.length = RunLength::Steps(u64::MAX);
        self.clock = Some(Clock {
            budget,
            steps: 0,
            seconds: 0.0,
        });
        Ok(schedule.held())
    }

    fn follow(&mut self, planned: TimePlan, schedule: &StepSchedule) -> StepSchedule {
        self.plan.length = RunLength::Steps(planned.steps);
        schedule.over(planned.steps, planned.measured)
    }

    /// Plans the steps of the run once some are measured, and gives their rates.
    pub(super) fn plan_steps(
        &mut self,
        epoch: u64,
        schedule: &StepSchedule,
        observe: &mut ObserveTask<'_, B, T>,
    ) -> Result<Option<StepSchedule>, TrainerError> {
        let Some(clock) = self.clock.take_if(|clock| clock.is_enough()) else {
            return Ok(None);
        };
        // What is done beside steps takes its time, too.
        let started = Instant::now();
        self.validate(epoch, observe)?;
        let measurement = started.elapsed().as_secs_f64();
        self.save(observe)?;
        let saving = started.elapsed().as_secs_f64() - measurement;
        let (step_seconds, per_epoch) = (clock.step_seconds(), schedule.steps_per_epoch());
        let share = |every: u64| if every == 0 { 0.0 } else { 1.0 / every as f64 };
        let measurements = match self.plan.validate {
            Some(ValidateEvery::Steps(every)) => share(every),
            Some(ValidateEvery::Epochs(every)) => share(every * per_epoch),
            None => 0.0,
        };
        let folder = self.plan.folder.as_ref();
        let savings = folder.map_or(0.0, |run| share(run.checkpoint_every) + share(per_epoch));
        let per_step = step_seconds + measurements * measurement + savings * saving;
        // The end measures, saves, and writes a bundle.
        let seconds = clock.budget.total.as_secs_f64();
        let used = clock.budget.since.elapsed().as_secs_f64() + measurement + 2.0 * saving;
        let more = schedule.whole_iterations((seconds - used) / per_step);
        let planned = TimePlan {
            seconds,
            step_seconds,
            measured: self.step,
            steps: self.step + more,
        };
        if let Some(folder) = self.own_folder() {
            planned.write(&folder.path)?;
        }
        let _ = observe(RunEvent::Planned {
            steps: planned.steps,
            step_seconds,
        });
        Ok(Some(self.follow(planned, schedule)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_takes_what_the_measured_ones_took_and_a_few_are_enough() {
        let mut clock = Clock {
            budget: TimeBudget::from_now(Duration::from_secs(1_000)),
            steps: 0,
            seconds: 0.0,
        };

        // The first ones are slow.
        (0..UNMEASURED).for_each(|_| clock.add(60.0));
        for seconds in [3.0, 5.0, 3.0, 5.0, 3.0] {
            clock.add(seconds);
            assert!(!clock.is_enough());
        }
        clock.add(5.0);

        assert!(clock.is_enough());
        assert!((clock.step_seconds() - 4.0).abs() < 1e-12);
    }
}
