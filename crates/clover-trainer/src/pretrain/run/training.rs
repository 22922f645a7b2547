//! The loop over epochs and iterations.

use std::time::Instant;

use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_data::dataset::BatchPlaces;
use clover_model::Noise;

use super::{Observe, PretrainingEvent, Records, Run};
use crate::TrainerError;
use crate::pretrain::shared_batch::SharedBatch;
use crate::pretrain::step::{StepMetrics, StepSettings};
use crate::pretrain::training_data::{BatchPairs, Iteration, TrainingData};

/// What the steps of an iteration have in common.
struct Shared {
    epoch: u64,
    learning_rate: f64,
    /// When waiting for the batches began.
    since: Instant,
    data_seconds: f64,
}

impl<B: AutodiffBackend> Run<'_, B> {
    /// Trains until all epochs are done (true) or the observer or the step limit ends it (false).
    pub(super) fn train(
        &mut self,
        data: &mut TrainingData,
        records: &mut Records,
        observe: &mut Observe<'_>,
    ) -> Result<bool, TrainerError> {
        let epochs = self.plan.recipe.epochs as u64;
        while data.epoch_of(self.position) < epochs {
            let epoch = data.epoch_of(self.position);
            if !self.train_epoch(epoch, data, records, observe)? {
                return Ok(false);
            }
            self.position = data.next_epoch(self.position);
            if data.epoch_of(self.position) >= epochs {
                self.validate(epoch, records, observe)?;
            }
            self.save(records, observe)?;
        }
        Ok(true)
    }

    /// The iterations that are left of an epoch; whether it came to its end.
    fn train_epoch(
        &mut self,
        epoch: u64,
        data: &mut TrainingData,
        records: &mut Records,
        observe: &mut Observe<'_>,
    ) -> Result<bool, TrainerError> {
        let pace = data.pace().clone();
        let mut iterations = data.epoch(self.position)?;
        let mut since = Instant::now();
        loop {
            let iteration = iterations.next();
            let data_seconds = since.elapsed().as_secs_f64();
            records.report_skipped(iterations.skipped(), observe);
            // Only now: an error must not hide which items led to it.
            let Some(iteration) = iteration.transpose()? else {
                return Ok(true);
            };
            let before = self.step;
            let shared = Shared {
                epoch,
                learning_rate: pace.learning_rate(before),
                since,
                data_seconds,
            };
            let broken_off = self.train_iteration(iteration, shared, records, observe)?;
            let ends = broken_off || self.plan.max_steps.is_some_and(|max| self.step >= max);
            // Steps come in twos where images take turns with videos.
            let passed = |every: u64| every > 0 && self.step / every > before / every;
            if passed(self.plan.recipe.validate_every) {
                self.validate(epoch, records, observe)?;
            }
            if ends || passed(self.plan.recipe.checkpoint_every) {
                self.save(records, observe)?;
            }
            if ends {
                return Ok(false);
            }
            since = Instant::now();
        }
    }

    /// A step on each batch, all at the same learning rate; whether the observer ends the run.
    fn train_iteration(
        &mut self,
        iteration: Iteration,
        mut shared: Shared,
        records: &mut Records,
        observe: &mut Observe<'_>,
    ) -> Result<bool, TrainerError> {
        let mut broken_off = false;
        for (kind, pairs, places) in iteration.batches {
            let trained = self.train_batch(pairs, &places, shared.learning_rate);
            let mut done = trained.inspect_err(|error| self.note_divergence(error, kind))?;
            done.kind = kind;
            done.epoch = shared.epoch;
            done.skipped = records.skipped();
            done.data_seconds = shared.data_seconds;
            done.clips_per_second = done.pairs as f64 / shared.since.elapsed().as_secs_f64();
            records.append(&done)?;
            broken_off |= observe(PretrainingEvent::Step(&done)).is_break();
            // Both batches were waited for before the first step.
            (shared.since, shared.data_seconds) = (Instant::now(), 0.0);
        }
        self.position = iteration.next;
        // Whoever observes, all end at the same step.
        Ok(self.peer.any(broken_off, &self.device)?)
    }

    fn train_batch(
        &mut self,
        pairs: BatchPairs,
        places: &BatchPlaces,
        learning_rate: f64,
    ) -> Result<StepMetrics, TrainerError> {
        let recipe = &self.plan.recipe;
        // Noise depends on the step and the place in the batch alone, whether the run was resumed
        // or not.
        let noise = Noise::of_batch(recipe.seed, self.step, places.slots);
        let (clover, step) = (self.clover.clone(), self.step + 1);
        let settings = StepSettings {
            step,
            learning_rate,
            noise: &noise,
        };
        let (training, device) = (&mut self.training, &self.device);
        let (clover, metrics) = match pairs {
            BatchPairs::Stacked(pairs) => {
                training.train(clover, pairs.to_device(device), &settings)?
            }
            BatchPairs::Apart(samples) if !self.peer.is_alone() => {
                let size = match recipe.micro_batch {
                    0 => samples.len().max(1),
                    size => size,
                };
                let shared = SharedBatch {
                    peer: self.peer,
                    places: &places.taken,
                    slots: places.slots,
                    scaling: recipe.gradient_scaling,
                };
                training.train_shared(clover, &samples, size, &shared, device, &settings)?
            }
            BatchPairs::Apart(samples) if recipe.micro_batch < samples.len() => {
                let size = recipe.micro_batch;
                training.train_in_parts(clover, &samples, size, device, &settings)?
            }
            // An epoch of less than a batch.
            BatchPairs::Apart(samples) => {
                let batch = PretrainingBatch::collate(&samples, device);
                training.train(clover, batch, &settings)?
            }
        };
        self.clover = clover;
        self.step = step;
        Ok(metrics)
    }
}
