//! The loop over epochs, iterations and steps.

use std::time::Instant;

use burn::tensor::backend::AutodiffBackend;
use clover_model::Noise;

use super::data::StepKind;
use super::{
    Ended, Ending, ObserveTask, On, Run, RunEvent, RunLength, StepDone, Task, TrainingData,
    ValidateEvery,
};
use crate::TrainerError;
use crate::optimizer_step::{BatchGradients, StepValues};

/// How a run goes on after an iteration.
enum Next {
    Iteration,
    Ended(Ending),
}

impl<'p, B: AutodiffBackend, T: Task<B>> Run<'p, B, T> {
    /// Trains until all is done, or the observer or the step limit ends it.
    pub(crate) fn train(
        mut self,
        mut data: TrainingData<T::Source>,
        observe: &mut ObserveTask<'_, B, T>,
    ) -> Result<Ended<'p, B, T>, TrainerError> {
        let planned_for = data.schedule().clone();
        let mut schedule = self.rates(&planned_for)?;
        let total_steps = match self.plan.length {
            RunLength::Epochs(_) => schedule.total_steps(),
            RunLength::Steps(_) if self.clock.is_some() => 0,
            RunLength::Steps(steps) => steps,
        };
        self.announce(&data, total_steps, observe);
        let ending = 'run: loop {
            let epoch = data.epoch_of(self.position);
            if self.is_done(epoch) {
                break Ending::Done;
            }
            if self.stops_early()? {
                break Ending::StoppedEarly;
            }
            if self.has_enough_steps(epoch, observe)? {
                break Ending::BrokenOff;
            }
            let mut iterations = data.epoch(self.position)?;
            loop {
                let mut since = Instant::now();
                let iteration = iterations.next();
                let mut data_seconds = since.elapsed().as_secs_f64();
                self.records.report_skipped(iterations.skipped(), observe);
                // Only now: an error must not hide which items led to it.
                let Some(iteration) = iteration.transpose()? else {
                    break;
                };
                let (before, mut broken_off) = (self.step, false);
                for (kind, batch, places) in iteration.batches {
                    let started = Instant::now();
                    // Noise depends on the step and the place in the batch alone, whether the run
                    // was resumed or not.
                    let noise = Noise::of_batch(self.plan.seed, self.step, places.slots);
                    let learning_rate = match self.plan.rates {
                        Some(range) => range.rate(self.step),
                        None => schedule.learning_rate(self.step),
                    };
                    let working = self.update.precision.working_copy(&self.changed_model());
                    let on = On {
                        peer: self.peer,
                        device: &self.device,
                    };
                    let found = self.task.gradients(&working, batch, &places, &noise, on)?;
                    drop(working);
                    let values = self.apply(found, learning_rate, kind)?;
                    let done = StepDone {
                        step: self.step,
                        kind,
                        epoch,
                        learning_rate,
                        skipped: self.records.skipped(),
                        data_seconds,
                        step_seconds: started.elapsed().as_secs_f64(),
                        items_per_second: values.items as f64 / since.elapsed().as_secs_f64(),
                        values,
                    };
                    broken_off |= self.write_down(done, observe)?;
                    // Both batches were waited for before the first step.
                    (since, data_seconds) = (Instant::now(), 0.0);
                }
                self.position = iteration.next;
                if let Some(planned) = self.plan_steps(epoch, &planned_for, observe)? {
                    schedule = planned;
                }
                match self.after_iteration(before, epoch, broken_off, observe)? {
                    Next::Iteration => {}
                    Next::Ended(ending) => break 'run ending,
                }
            }
            self.position = data.next_epoch(self.position);
            self.after_epoch(epoch, observe)?;
        };
        Ok(Ended {
            run: self,
            data,
            ending,
        })
    }

    /// Makes the step that a batch's gradient asks for.
    fn apply(
        &mut self,
        mut found: BatchGradients<B>,
        learning_rate: f64,
        kind: StepKind,
    ) -> Result<StepValues, TrainerError> {
        let (model, step) = (self.model.clone(), self.step + 1);
        let low_rank = self.low_rank.clone();
        if let Some(low_rank) = &low_rank {
            found.gradients = low_rank.gradients(&model, found.gradients);
        }
        let made = self
            .update
            .apply_with(model, low_rank, found, step, learning_rate);
        let made = made.inspect_err(|error| self.note_divergence(error, kind))?;
        let (model, low_rank, values) = made;
        (self.model, self.low_rank) = (model, low_rank);
        self.step = step;
        Ok(values)
    }

    /// Writes a step down and tells of it; whether the observer ends the run.
    fn write_down(
        &mut self,
        done: StepDone,
        observe: &mut ObserveTask<'_, B, T>,
    ) -> Result<bool, TrainerError> {
        if let Some(clock) = &mut self.clock {
            clock.add(done.data_seconds + done.step_seconds);
        }
        let metrics = self.task.metrics(done);
        self.records.append(&metrics)?;
        Ok(observe(RunEvent::Step(&metrics)).is_break())
    }

    /// Measures and saves where it is time to, after the steps that followed `before`.
    fn after_iteration(
        &mut self,
        before: u64,
        epoch: u64,
        broken_off: bool,
        observe: &mut ObserveTask<'_, B, T>,
    ) -> Result<Next, TrainerError> {
        // Whoever observes, all end at the same step.
        let broken_off = self.peer.any(broken_off, &self.device)?;
        let done = self.is_done(epoch);
        let enough = self.plan.max_steps.is_some_and(|max| self.step >= max);
        // Steps come in twos where images take turns with videos.
        let passed = |every: u64| every > 0 && self.step / every > before / every;
        let measures = match self.plan.validate {
            Some(ValidateEvery::Steps(every)) => passed(every),
            Some(ValidateEvery::Epochs(_)) | None => false,
        };
        let folder = self.plan.folder.as_ref();
        let saves = folder.is_some_and(|folder| passed(folder.checkpoint_every));
        if measures || enough || done {
            self.validate(epoch, observe)?;
        }
        let ending = if done {
            Some(Ending::Done)
        } else if measures && self.stops_early()? {
            Some(Ending::StoppedEarly)
        } else {
            (broken_off || enough).then_some(Ending::BrokenOff)
        };
        if ending.is_some() || saves {
            self.save(observe)?;
        }
        Ok(ending.map_or(Next::Iteration, Next::Ended))
    }

    /// Measures where it is time to, and saves what has no checkpoint yet.
    fn after_epoch(
        &mut self,
        epoch: u64,
        observe: &mut ObserveTask<'_, B, T>,
    ) -> Result<(), TrainerError> {
        let every = match self.plan.validate {
            Some(ValidateEvery::Epochs(every)) => every,
            Some(ValidateEvery::Steps(_)) | None => 0,
        };
        let measures = self.is_done(epoch + 1) || every > 0 && (epoch + 1).is_multiple_of(every);
        let measures = measures && self.plan.validate.is_some();
        if measures {
            self.validate(epoch, observe)?;
        }
        // Whether a step has two checkpoints must not depend on where a run was interrupted.
        if measures || self.saved != Some(self.step) {
            self.save(observe)?;
        }
        Ok(())
    }

    /// Whether nothing is left to do in an epoch.
    fn is_done(&self, epoch: u64) -> bool {
        match self.plan.length {
            RunLength::Epochs(epochs) => epoch >= epochs,
            RunLength::Steps(steps) => self.step >= steps,
        }
    }

    /// Whether the score has not got better for long enough. One device measures, and all hear of it.
    fn stops_early(&self) -> Result<bool, TrainerError> {
        let most = self.plan.early_stopping;
        if most == 0 {
            return Ok(false);
        }
        let waited = self.records.since_best() >= most;
        Ok(self.peer.any(waited, &self.device)?)
    }

    /// Whether a run that is resumed may make no step.
    fn has_enough_steps(
        &mut self,
        epoch: u64,
        observe: &mut ObserveTask<'_, B, T>,
    ) -> Result<bool, TrainerError> {
        let (done, max) = match self.plan.max_steps {
            Some(max) if self.step >= max => (self.step, max),
            _ => return Ok(false),
        };
        let _ = observe(RunEvent::EnoughSteps { done, max });
        if done == max && self.records.measures() && self.records.last_measured() != Some(done) {
            // It may have been killed before it could.
            self.validate(epoch, observe)?;
            self.save(observe)?;
        }
        Ok(true)
    }

    /// Measures on the validation items, if there are any and this step has not been measured.
    pub(super) fn validate(
        &mut self,
        epoch: u64,
        observe: &mut ObserveTask<'_, B, T>,
    ) -> Result<(), TrainerError> {
        if !self.records.measures() || self.records.last_measured() == Some(self.step) {
            return Ok(());
        }
        let (model, at) = (self.model_without_graph(), (self.step, epoch));
        let measured = self
            .task
            .measure(model, at, &self.device, &mut |done, total| {
                let _ = observe(RunEvent::Validating { done, total });
            })?;
        let Some((metrics, neutral)) = measured else {
            return Ok(());
        };
        let best = self.records.is_best(&metrics);
        if best {
            self.save_best(&metrics, neutral.as_ref())?;
        }
        self.records.add(metrics.clone(), neutral)?;
        let metrics = &metrics;
        let _ = observe(RunEvent::Validated { metrics, best });
        Ok(())
    }
}
