//! The loop over epochs and steps.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{LoadedBatch, Position, SampleSource};
use clover_model::Noise;

use super::learner::Learner;
use super::{
    FinetuningEvent, FinetuningMetrics, FinetuningSummary, FinetuningValidation, ObserveFinetuning,
    Run, TrainingItems,
};
use crate::TrainerError;
use crate::checkpoint::Validated;
use crate::finetune::TaskModel;
use crate::pretrain::StepSettings;
use crate::pretrain::metrics_file::{self, MetricsFile};
use crate::pretrain::validation_record::ValidationRecord;
use crate::schedule::Schedule;

/// The files that grow with a run.
struct Records {
    steps: MetricsFile<FinetuningMetrics>,
    validations: ValidationRecord<FinetuningValidation>,
    /// Broken items that were told of.
    reported: usize,
}

impl Records {
    /// What a checkpoint keeps of the records, all of whose lines are on the disk afterwards.
    fn state(&self) -> Result<Validated, TrainerError> {
        self.steps.sync()?;
        self.validations.state()
    }
}

/// What a step is told of its batch.
struct Waited {
    epoch: u64,
    seconds: f64,
}

impl<B: AutodiffBackend, L: Learner<B>> Run<'_, B, L> {
    /// Trains until all epochs are done or the observer or the step limit ends it.
    pub(super) fn train<S>(
        mut self,
        mut items: TrainingItems<S>,
        observe: &mut ObserveFinetuning<'_>,
    ) -> Result<FinetuningSummary, TrainerError>
    where
        S: SampleSource<Batch = Vec<<L::Model as TaskModel<B>>::Sample>>,
    {
        let schedule = self.recipe.schedule(items.loader.batches_per_epoch());
        self.announce(&items, &schedule, observe);
        let mut records = self.records(observe)?;
        let finished = loop {
            let epoch = self.position.epoch;
            if epoch >= self.recipe.epochs as u64 {
                break true;
            }
            if !self.train_epoch(&mut items, &schedule, &mut records, observe)? {
                break false;
            }
            self.position = Position {
                epoch: epoch + 1,
                item: 0,
            };
            let (done, every) = (epoch + 1, self.recipe.validate_every as u64);
            let last = done == self.recipe.epochs as u64;
            if last || every > 0 && done.is_multiple_of(every) {
                self.validate(epoch, &mut records, observe)?;
            }
            self.save(records.state()?, observe)?;
        };
        let best = records.validations.into_best();
        Ok(FinetuningSummary {
            bundle: self.write_last_bundle()?,
            best: best.map(|best| (self.checkpoints.best(), best)),
            metrics: metrics_file::read(&self.path("metrics.jsonl"))?,
            validations: metrics_file::read(&self.path("validation.jsonl"))?,
            skipped: items.skipped(),
            finished,
        })
    }

    fn announce<S: SampleSource>(
        &self,
        items: &TrainingItems<S>,
        schedule: &Schedule,
        observe: &mut ObserveFinetuning<'_>,
    ) {
        let _ = observe(FinetuningEvent::Started {
            parameters: self.model.num_params(),
            items: items.loader.source().len(),
            unanswerable: items.unanswerable,
            total_steps: schedule.total_iterations() as u64,
            done_steps: self.step,
        });
        for item in &items.unusable {
            let _ = observe(FinetuningEvent::Skipped(item));
        }
    }

    fn records(&mut self, observe: &mut ObserveFinetuning<'_>) -> Result<Records, TrainerError> {
        let mut notice = |reason| {
            let _ = observe(FinetuningEvent::CheckpointRefused { reason });
        };
        let before = std::mem::take(&mut self.validated);
        let path = self.path("validation.jsonl");
        let validations = ValidationRecord::open(&path, before, &mut notice)?;
        let path = self.path("metrics.jsonl");
        Ok(Records {
            steps: MetricsFile::open(&path, self.step, &mut notice)?,
            validations,
            reported: 0,
        })
    }

    /// The steps that are left of an epoch; whether it came to its end.
    fn train_epoch<S>(
        &mut self,
        items: &mut TrainingItems<S>,
        schedule: &Schedule,
        records: &mut Records,
        observe: &mut ObserveFinetuning<'_>,
    ) -> Result<bool, TrainerError>
    where
        S: SampleSource<Batch = Vec<<L::Model as TaskModel<B>>::Sample>>,
    {
        let epoch = self.position.epoch;
        let mut batches = items.loader.epoch(self.position)?;
        loop {
            let since = Instant::now();
            let batch = batches.next();
            let seconds = since.elapsed().as_secs_f64();
            for item in batches
                .skipped()
                .get(records.reported..)
                .unwrap_or_default()
            {
                let _ = observe(FinetuningEvent::Skipped(item));
            }
            records.reported = batches.skipped().len();
            // Only now: an error must not hide which items led to it.
            let Some(batch) = batch.transpose()? else {
                return Ok(true);
            };
            let waited = Waited { epoch, seconds };
            let mut done = self.train_batch(&batch, schedule, &waited)?;
            done.skipped = records.reported;
            records.steps.append(&done)?;
            let broken_off = observe(FinetuningEvent::Step(&done)).is_break();
            let ends = broken_off || self.plan.max_steps.is_some_and(|max| self.step >= max);
            if ends || self.step.is_multiple_of(self.recipe.checkpoint_every) {
                self.save(records.state()?, observe)?;
            }
            if ends {
                return Ok(false);
            }
        }
    }

    fn train_batch(
        &mut self,
        batch: &LoadedBatch<Vec<<L::Model as TaskModel<B>>::Sample>>,
        schedule: &Schedule,
        waited: &Waited,
    ) -> Result<FinetuningMetrics, TrainerError> {
        let started = Instant::now();
        let samples = &batch.samples;
        // Noise depends on the step and the place in the batch alone, whether the run was resumed
        // or not.
        let noise = Noise::of_batch(self.recipe.seed, self.step, samples.len());
        let iteration = usize::try_from(self.step).unwrap_or(usize::MAX);
        let settings = StepSettings {
            step: self.step + 1,
            learning_rate: schedule.learning_rate(iteration),
            noise: &noise,
        };
        let (model, training) = (self.model.clone(), &mut self.training);
        let (model, found) = training.train(model, samples, &settings, &self.device)?;
        self.model = model;
        self.step += 1;
        self.position = batch.next;
        Ok(FinetuningMetrics {
            step: self.step,
            epoch: waited.epoch,
            loss: found.loss,
            gradient_norm: found.gradient_norm,
            learning_rate: settings.learning_rate,
            items: samples.len(),
            skipped: 0,
            data_seconds: waited.seconds,
            step_seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// Measures on the validation items, if there are any, and keeps the best model.
    fn validate(
        &self,
        epoch: u64,
        records: &mut Records,
        observe: &mut ObserveFinetuning<'_>,
    ) -> Result<(), TrainerError> {
        if records.validations.last() == Some(self.step) {
            return Ok(());
        }
        let measured =
            self.learner
                .measure(self.quiet_model(), &self.device, &mut |done, total| {
                    let _ = observe(FinetuningEvent::Validating { done, total });
                })?;
        let (Some(measured), Some(list)) = (measured, &self.plan.validation) else {
            return Ok(());
        };
        let metrics = FinetuningValidation {
            step: self.step,
            epoch,
            split: list.split.clone(),
            score: measured.figures.score(),
            figures: measured.figures,
            skipped: measured.skipped.len(),
        };
        let best = records.validations.is_best(&metrics);
        if best {
            self.save_best(&metrics)?;
        }
        records.validations.add(metrics.clone(), None)?;
        let metrics = &metrics;
        let _ = observe(FinetuningEvent::Validated { metrics, best });
        Ok(())
    }
}
