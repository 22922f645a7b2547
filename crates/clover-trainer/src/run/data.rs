//! What a run trains on: one loader's batches, or those of videos and still images in turn.
//!
//! Clover, section 4.1: one iteration of pre-training takes one batch of WebVid and one of CC3M, and
//! makes an optimizer step on each, at the same learning rate.

use clover_data::DataError;
use clover_data::dataset::{
    BatchLoader, BatchPlaces, EpochBatches, LoadedBatch, MixedBatch, MixedBatches, Mixture,
    MixturePosition, Position, SampleSource, SkippedItem,
};
use serde::{Deserialize, Serialize};

use crate::schedule::Schedule;
use crate::{CutTexts, UnusedPieces};

/// What a step was made on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// The items of `--data`.
    #[default]
    Video,
    /// The pairs of `--images`.
    Image,
}

/// The loaders of a run, and what was left out while its lists were read.
pub(crate) struct TrainingData<S> {
    loaders: Loaders<S>,
    schedule: StepSchedule,
    /// Rows and samples of the lists that cannot be used.
    pub(crate) unusable: Vec<SkippedItem>,
    /// Questions that nothing can be learned from.
    pub(crate) unanswerable: usize,
    /// Items at the end of an epoch that make no whole batch.
    pub(crate) left_over: usize,
    /// Texts that are longer than the model reads.
    pub(crate) cut: Option<CutTexts>,
    /// Pieces of the vocabulary that no caption uses.
    pub(crate) unused: Option<UnusedPieces>,
}

/// Where batches come from.
pub(crate) enum Loaders<S> {
    /// One list.
    One(Box<BatchLoader<S>>),
    /// Videos and images.
    InTurn(Box<Mixture<S, S>>),
}

/// The learning rate of each step. The schedule counts iterations, of one step or two.
#[derive(Clone, Debug)]
pub(crate) struct StepSchedule {
    schedule: Schedule,
    steps_per_iteration: u64,
    /// Steps before this one have the first rate.
    held: u64,
}

/// The batches of one iteration, an optimizer step each.
pub(crate) struct Iteration<T> {
    pub(crate) batches: Vec<(StepKind, T, BatchPlaces)>,
    /// Where to resume after this iteration.
    pub(crate) next: MixturePosition,
}

/// The iterations of one epoch; ends after the first error.
pub(crate) enum Iterations<'d, S: SampleSource> {
    One(EpochBatches<'d, S>),
    InTurn(MixedBatches<'d, S, S>),
}

/// Items of an epoch that make no whole batch; fewer than a batch are one.
pub(crate) fn left_over(items: usize, batch_size: usize) -> usize {
    if items < batch_size {
        0
    } else {
        items % batch_size
    }
}

impl StepSchedule {
    /// The learning rate after `steps` steps.
    pub(crate) fn learning_rate(&self, steps: u64) -> f64 {
        let steps = if steps < self.held { 0 } else { steps };
        let iteration = steps / self.steps_per_iteration;
        let iteration = usize::try_from(iteration).unwrap_or(usize::MAX);
        self.schedule.learning_rate(iteration)
    }

    /// Steps of the whole run.
    pub(crate) fn total_steps(&self) -> u64 {
        self.schedule.total_iterations() as u64 * self.steps_per_iteration
    }

    /// Steps of an epoch when nothing is broken.
    pub(crate) fn steps_per_epoch(&self) -> u64 {
        self.schedule.iterations_per_epoch as u64 * self.steps_per_iteration
    }

    /// As many steps of these as make whole iterations.
    pub(crate) fn whole_iterations(&self, steps: f64) -> u64 {
        // Of what is no number or below zero this makes 0.
        let iterations = (steps / self.steps_per_iteration as f64) as u64;
        iterations * self.steps_per_iteration
    }

    /// The first rate for all steps.
    pub(crate) fn held(&self) -> Self {
        Self {
            held: u64::MAX,
            ..self.clone()
        }
    }

    /// The same rates over so many steps, with the same share of warm-up, of which those before `held` have
    /// the first rate. The cosine falls with every iteration.
    pub(crate) fn over(&self, steps: u64, held: u64) -> Self {
        let iterations = (steps / self.steps_per_iteration) as usize;
        let warmup = self.schedule.warmup_epochs / self.schedule.epochs as f64;
        Self {
            schedule: Schedule {
                epochs: iterations,
                iterations_per_epoch: 1,
                warmup_epochs: warmup * iterations as f64,
                ..self.schedule.clone()
            },
            held,
            ..self.clone()
        }
    }
}

impl<S: SampleSource> Loaders<S> {
    /// Iterations an epoch has when nothing is broken.
    pub(crate) fn iterations_per_epoch(&self) -> usize {
        match self {
            Self::One(loader) => loader.batches_per_epoch(),
            Self::InTurn(mixture) => mixture.iterations_per_epoch(),
        }
    }
}

impl<S: SampleSource> TrainingData<S> {
    /// What these loaders give, learned from at the rates of a schedule that counts their iterations.
    pub(crate) fn new(loaders: Loaders<S>, schedule: Schedule, unusable: Vec<SkippedItem>) -> Self {
        let steps_per_iteration = match loaders {
            Loaders::One(_) => 1,
            Loaders::InTurn(_) => 2,
        };
        Self {
            loaders,
            schedule: StepSchedule {
                schedule,
                steps_per_iteration,
                held: 0,
            },
            unusable,
            unanswerable: 0,
            left_over: 0,
            cut: None,
            unused: None,
        }
    }

    /// The learning rates.
    pub(crate) fn schedule(&self) -> &StepSchedule {
        &self.schedule
    }

    /// Usable items, and images that take turns with them.
    pub(crate) fn items(&self) -> [usize; 2] {
        match &self.loaders {
            Loaders::One(loader) => [loader.source().len(), 0],
            Loaders::InTurn(mixture) => [
                mixture.videos().source().len(),
                mixture.images().source().len(),
            ],
        }
    }

    /// The epoch, from zero, that a place is in.
    pub(crate) fn epoch_of(&self, position: MixturePosition) -> u64 {
        match &self.loaders {
            Loaders::One(_) => position.videos.epoch,
            Loaders::InTurn(mixture) => mixture.epoch_of(position),
        }
    }

    /// Where the epoch after that of `position` begins.
    pub(crate) fn next_epoch(&self, position: MixturePosition) -> MixturePosition {
        match &self.loaders {
            Loaders::One(_) => MixturePosition {
                videos: Position {
                    epoch: position.videos.epoch + 1,
                    item: 0,
                },
                ..position
            },
            Loaders::InTurn(mixture) => mixture.next_epoch(position),
        }
    }

    /// The iterations of the epoch at `position`, from there on; reading begins at once.
    pub(crate) fn epoch(
        &mut self,
        position: MixturePosition,
    ) -> Result<Iterations<'_, S>, DataError> {
        Ok(match &mut self.loaders {
            Loaders::One(videos) => Iterations::One(videos.epoch(position.videos)?),
            Loaders::InTurn(mixture) => Iterations::InTurn(mixture.epoch(position)?),
        })
    }

    /// Every item found broken so far, in its list or when it was read.
    pub(crate) fn skipped(&self) -> Vec<SkippedItem> {
        let mut skipped = self.unusable.clone();
        match &self.loaders {
            Loaders::One(videos) => skipped.extend_from_slice(videos.skipped()),
            Loaders::InTurn(mixture) => skipped.extend(mixture.skipped().cloned()),
        }
        skipped
    }
}

impl<S: SampleSource> Iterations<'_, S> {
    /// Every video and every image found broken so far, also in earlier epochs.
    pub(crate) fn skipped(&self) -> [&[SkippedItem]; 2] {
        match self {
            Self::One(batches) => [batches.skipped(), &[]],
            Self::InTurn(batches) => batches.skipped(),
        }
    }
}

impl<S: SampleSource> Iterator for Iterations<'_, S> {
    type Item = Result<Iteration<S::Batch>, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self {
            Self::One(batches) => batches.next()?.map(Iteration::from),
            Self::InTurn(batches) => batches.next()?.map(Iteration::from),
        })
    }
}

impl<T> From<LoadedBatch<T>> for Iteration<T> {
    fn from(batch: LoadedBatch<T>) -> Self {
        Self {
            batches: vec![(StepKind::Video, batch.samples, batch.places)],
            next: MixturePosition {
                videos: batch.next,
                images: Position::default(),
            },
        }
    }
}

impl<T> From<MixedBatch<T, T>> for Iteration<T> {
    fn from(batch: MixedBatch<T, T>) -> Self {
        let [videos, images] = batch.places;
        Self {
            batches: vec![
                (StepKind::Video, batch.videos, videos),
                (StepKind::Image, batch.images, images),
            ],
            next: batch.next,
        }
    }
}
