//! The loop over epochs and batches.

use std::time::Instant;

use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_data::dataset::{BatchLoader, Position, PretrainingDataset, PretrainingSample};
use clover_model::Noise;

use super::{Observe, PretrainingEvent, Run};
use crate::TrainerError;
use crate::pretrain::metrics_file::MetricsFile;
use crate::pretrain::step::{StepMetrics, StepSettings};
use crate::schedule::Schedule;

impl<B: AutodiffBackend> Run<'_, B> {
    /// Trains until all epochs are done (true) or the observer or the step limit ends it (false).
    pub(super) fn train(
        &mut self,
        loader: &mut BatchLoader<PretrainingDataset>,
        schedule: &Schedule,
        metrics: &mut MetricsFile,
        observe: &mut Observe<'_>,
    ) -> Result<bool, TrainerError> {
        let mut reported = 0;
        while self.position.epoch < self.plan.recipe.epochs as u64 {
            let epoch = self.position.epoch;
            let mut batches = loader.epoch(self.position)?;
            let mut waiting = Instant::now();
            loop {
                let batch = batches.next();
                let data_seconds = waiting.elapsed().as_secs_f64();
                for item in &batches.skipped()[reported..] {
                    let _ = observe(PretrainingEvent::Skipped(item));
                }
                reported = batches.skipped().len();
                // Only now: an error must not hide which items led to it.
                let Some(batch) = batch.transpose()? else {
                    break;
                };
                let mut done = self.train_batch(batch.samples, schedule)?;
                self.position = batch.next;
                done.epoch = epoch;
                done.skipped = reported;
                done.data_seconds = data_seconds;
                done.clips_per_second = done.pairs as f64 / waiting.elapsed().as_secs_f64();
                metrics.append(&done)?;
                let broken_off = observe(PretrainingEvent::Step(&done)).is_break();
                let ends = broken_off || self.plan.max_steps.is_some_and(|max| self.step >= max);
                if ends || self.step.is_multiple_of(self.plan.recipe.checkpoint_every) {
                    self.save(observe)?;
                }
                if ends {
                    return Ok(false);
                }
                waiting = Instant::now();
            }
            self.position = Position {
                epoch: epoch + 1,
                item: 0,
            };
            self.save(observe)?;
        }
        Ok(true)
    }

    fn train_batch(
        &mut self,
        samples: Vec<PretrainingSample>,
        schedule: &Schedule,
    ) -> Result<StepMetrics, TrainerError> {
        let learning_rate =
            schedule.learning_rate(usize::try_from(self.step).unwrap_or(usize::MAX));
        let recipe = &self.plan.recipe;
        // Noise depends on the step and the place in the batch alone, whether the run was resumed
        // or not.
        let noise = Noise::of_batch(recipe.seed, self.step, samples.len());
        let (clover, step) = (self.clover.clone(), self.step + 1);
        let settings = StepSettings {
            step,
            learning_rate,
            noise: &noise,
        };
        let (clover, metrics) = match recipe.micro_batch {
            size if (1..samples.len()).contains(&size) => {
                self.training
                    .train_in_parts(clover, &samples, size, &self.device, &settings)?
            }
            _ => {
                let batch = PretrainingBatch::collate(&samples, &self.device);
                self.training.train(clover, batch, &settings)?
            }
        };
        self.clover = clover;
        self.step = step;
        Ok(metrics)
    }
}
