//! What a run trains on: videos, or videos and still images in turn.
//!
//! Clover, section 4.1: one iteration takes one batch of WebVid and one of CC3M, and makes an
//! optimizer step on each, at the same learning rate.

use std::path::Path;

use clover_data::DataError;
use clover_data::batch::StackedPairs;
use clover_data::dataset::{
    BatchLoader, BatchPlaces, BatchShare, ClipTable, Collated, EpochBatches, EpochOrder,
    LoadedBatch, LoaderConfig, MixedBatch, MixedBatches, Mixture, MixturePosition, Position,
    PretrainingDataset, PretrainingSample, SampleReading, SkippedItem,
};
use clover_data::text::WordPieceTokenizer;
use clover_inference::NeutralTexts;
use clover_model::CloverConfig;
use serde::{Deserialize, Serialize};

use super::run::PretrainingPlan;
use crate::TrainerError;
use crate::checkpoint::{DataFingerprint, ListFingerprint};
use crate::recipe::CaptionChoice;
use crate::schedule::Schedule;

/// What a step was made on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// The pairs of `--data`.
    #[default]
    Video,
    /// The pairs of `--images`.
    Image,
}

/// The loaders of a run, and what was left out while its lists were read.
#[derive(Debug)]
pub(super) struct TrainingData {
    loaders: Loaders,
    pace: Pace,
    /// Rows and samples of the lists that cannot be used.
    pub(super) unusable: Vec<SkippedItem>,
    /// What a resumed run must find again.
    pub(super) fingerprint: DataFingerprint,
    /// Some of its captions.
    pub(super) neutral: NeutralTexts,
}

#[derive(Debug)]
enum Loaders {
    Videos(Box<BatchLoader<Pairs>>),
    InTurn(Box<Mixture<Pairs, Pairs>>),
}

/// Pairs whose batches are put together by the loader.
type Pairs = Collated<PretrainingDataset, fn(Vec<PretrainingSample>) -> BatchPairs>;

/// The pairs of a step.
#[derive(Debug)]
pub(super) enum BatchPairs {
    /// That pass the model together.
    Stacked(Box<StackedPairs>),
    /// That pass it in micro-batches. Their clips stay 8-bit until their turn comes: stacked at once, a
    /// large batch would take four times the memory.
    Apart(Vec<PretrainingSample>),
}

/// The learning rate of each step. The schedule counts iterations, of one step or two.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    schedule: Schedule,
    steps_per_iteration: u64,
}

/// The batches of one iteration, an optimizer step each.
#[derive(Debug)]
pub(super) struct Iteration {
    pub(super) batches: Vec<(StepKind, BatchPairs, BatchPlaces)>,
    /// Where to resume after this iteration.
    pub(super) next: MixturePosition,
}

/// The iterations of one epoch; ends after the first error.
#[derive(Debug)]
pub(super) enum Iterations<'d> {
    Videos(EpochBatches<'d, Pairs>),
    InTurn(MixedBatches<'d, Pairs, Pairs>),
}

impl Pace {
    /// The learning rate after `steps` steps.
    pub(super) fn learning_rate(&self, steps: u64) -> f64 {
        let iteration = steps / self.steps_per_iteration;
        let iteration = usize::try_from(iteration).unwrap_or(usize::MAX);
        self.schedule.learning_rate(iteration)
    }

    /// Steps of the whole run.
    pub(super) fn total_steps(&self) -> u64 {
        self.schedule.total_iterations() as u64 * self.steps_per_iteration
    }
}

impl TrainingData {
    /// Reads the lists; no clip is opened yet. Of each batch `share` will be read.
    pub(super) fn open(
        plan: &PretrainingPlan,
        config: &CloverConfig,
        tokenizer: &WordPieceTokenizer,
        share: BatchShare,
    ) -> Result<Self, TrainerError> {
        let recipe = &plan.recipe;
        let open = |path: &Path| {
            let table = plan.open(path)?;
            Ok::<_, DataError>(match recipe.captions {
                CaptionChoice::All => table.apart(),
                CaptionChoice::OneAnEpoch => table,
            })
        };
        let videos = open(&plan.data)?;
        let mut unusable = videos.skipped().to_vec();
        let neutral = NeutralTexts::of_captions(&videos);
        let mut fingerprint = DataFingerprint {
            videos: ListFingerprint::of_table(&videos, &plan.data),
            images: None,
            vocabulary: ListFingerprint::of(tokenizer.vocabulary().pieces()),
            validation: None,
        };
        let masked = recipe.masked()?;
        let in_parts = (1..recipe.batch_size).contains(&recipe.micro_batch);
        let collate: fn(Vec<_>) -> _ = match in_parts || !share.is_whole() {
            true => BatchPairs::Apart,
            false => |samples: Vec<_>| BatchPairs::Stacked(Box::new(StackedPairs::new(&samples))),
        };
        let loader = |table: ClipTable, reading: SampleReading| {
            let (seed, of_shards) = (reading.seed, table.is_of_shards());
            let tokenizer = tokenizer.clone();
            let pairs = Pairs {
                source: PretrainingDataset::new(table, tokenizer, reading, masked.clone())?,
                collate,
            };
            let training = LoaderConfig::training(recipe.batch_size, seed);
            let config = LoaderConfig {
                share,
                order: match of_shards {
                    // A shard is read from its start to its end, as its disk likes it.
                    true => EpochOrder::ShuffledByShard {
                        seed,
                        buffer: recipe.shuffle_buffer,
                    },
                    false => training.order,
                },
                workers: recipe.workers,
                max_failed_share: recipe.max_failed_share,
                ..training
            };
            BatchLoader::new(pairs, config)
        };
        let videos = loader(videos, recipe.reading(config))?;
        let loaders = match &plan.images {
            None => Loaders::Videos(Box::new(videos)),
            Some(path) => {
                let images = open(path)?;
                unusable.extend_from_slice(images.skipped());
                fingerprint.images = Some(ListFingerprint::of_table(&images, path));
                let images = loader(images, recipe.image_reading(config))?;
                Loaders::InTurn(Box::new(Mixture::new(videos, images)))
            }
        };
        let iterations = match &loaders {
            Loaders::Videos(videos) => videos.batches_per_epoch(),
            Loaders::InTurn(mixture) => mixture.iterations_per_epoch(),
        };
        Ok(Self {
            neutral,
            pace: Pace {
                schedule: recipe.schedule(iterations),
                steps_per_iteration: if plan.images.is_some() { 2 } else { 1 },
            },
            loaders,
            unusable,
            fingerprint,
        })
    }

    /// How fast the run goes.
    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The epoch, from zero, that a place is in.
    pub(super) fn epoch_of(&self, position: MixturePosition) -> u64 {
        match &self.loaders {
            Loaders::Videos(_) => position.videos.epoch,
            Loaders::InTurn(mixture) => mixture.epoch_of(position),
        }
    }

    /// Where the epoch after that of `position` begins.
    pub(super) fn next_epoch(&self, position: MixturePosition) -> MixturePosition {
        match &self.loaders {
            Loaders::Videos(_) => MixturePosition {
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
    pub(super) fn epoch(&mut self, position: MixturePosition) -> Result<Iterations<'_>, DataError> {
        Ok(match &mut self.loaders {
            Loaders::Videos(videos) => Iterations::Videos(videos.epoch(position.videos)?),
            Loaders::InTurn(mixture) => Iterations::InTurn(mixture.epoch(position)?),
        })
    }

    /// Every item found broken so far, in its list or when it was read.
    pub(super) fn skipped(&self) -> Vec<SkippedItem> {
        let mut skipped = self.unusable.clone();
        match &self.loaders {
            Loaders::Videos(videos) => skipped.extend_from_slice(videos.skipped()),
            Loaders::InTurn(mixture) => skipped.extend(mixture.skipped().cloned()),
        }
        skipped
    }
}

impl Iterations<'_> {
    /// Every video and every image found broken so far, also in earlier epochs.
    pub(super) fn skipped(&self) -> [&[SkippedItem]; 2] {
        match self {
            Self::Videos(batches) => [batches.skipped(), &[]],
            Self::InTurn(batches) => batches.skipped(),
        }
    }
}

impl Iterator for Iterations<'_> {
    type Item = Result<Iteration, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self {
            Self::Videos(batches) => batches.next()?.map(Iteration::from),
            Self::InTurn(batches) => batches.next()?.map(Iteration::from),
        })
    }
}

impl From<LoadedBatch<BatchPairs>> for Iteration {
    fn from(batch: LoadedBatch<BatchPairs>) -> Self {
        Self {
            batches: vec![(StepKind::Video, batch.samples, batch.places)],
            next: MixturePosition {
                videos: batch.next,
                images: Position::default(),
            },
        }
    }
}

impl From<MixedBatch<BatchPairs, BatchPairs>> for Iteration {
    fn from(batch: MixedBatch<BatchPairs, BatchPairs>) -> Self {
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
