//! The lists of a pre-training run, opened: what it trains on.

use std::path::Path;

use clover_data::DataError;
use clover_data::dataset::{
    BatchLoader, BatchShare, Batched, ClipTable, EpochOrder, LoaderConfig, Mixture,
    PretrainingDataset, SampleReading, batched,
};
use clover_data::text::{QuestionForm, Tokenizer};
use clover_inference::NeutralTexts;
use clover_model::CloverConfig;

use super::{PretrainingPlan, starting};
use crate::checkpoint::{DataFingerprint, ListFingerprint};
use crate::recipe::{CaptionChoice, as_seen_by};
use crate::run::{Loaders, TrainingData, left_over};
use crate::{CutTexts, TrainerError, UnusedPieces};

/// Pairs whose batches are put together by the loader.
pub(super) type Pairs = Batched<PretrainingDataset>;

/// The lists to train on, of which no clip was opened yet.
pub(super) struct Tables {
    videos: ClipTable,
    images: Option<ClipTable>,
}

impl Tables {
    pub(super) fn open(plan: &PretrainingPlan) -> Result<Self, TrainerError> {
        let open = |path: &Path| {
            let table = plan.open(path)?;
            Ok::<_, DataError>(match plan.recipe.captions {
                CaptionChoice::All => table.apart(),
                CaptionChoice::OneAnEpoch => table,
            })
        };
        Ok(Self {
            videos: open(&plan.data)?,
            images: plan.images.as_deref().map(open).transpose()?,
        })
    }

    /// One or both.
    pub(super) fn all(&self) -> Vec<&ClipTable> {
        [&self.videos].into_iter().chain(&self.images).collect()
    }
}

/// What the lists hold.
pub(super) struct OpenedLists {
    pub(super) data: TrainingData<Pairs>,
    /// What a resumed run must find again, but for what it is measured on.
    pub(super) fingerprint: DataFingerprint,
    /// Some of the captions.
    pub(super) neutral: NeutralTexts,
}

impl OpenedLists {
    /// Of each batch `share` will be read.
    pub(super) fn of(
        tables: Tables,
        plan: &PretrainingPlan,
        config: &CloverConfig,
        tokenizer: &Tokenizer,
        share: BatchShare,
    ) -> Result<Self, TrainerError> {
        let recipe = &plan.recipe;
        let longest = tables.all().into_iter().map(ClipTable::len).max();
        let unused = match plan.start_from {
            // What was learned before counts, too.
            Some(_) => None,
            None => UnusedPieces::of(&tables.all(), tokenizer, recipe.text_len)?,
        };
        let Tables { videos, images } = tables;
        let mut unusable = videos.skipped().to_vec();
        let neutral = NeutralTexts::of_captions(&videos);
        let cut = CutTexts::of(&videos, QuestionForm::Alone, tokenizer, recipe.text_len)?;
        let mut fingerprint = DataFingerprint {
            videos: ListFingerprint::of_table(&videos, &plan.data),
            images: None,
            vocabulary: ListFingerprint::of(tokenizer.vocabulary().pieces()),
            validation: None,
            pair_tests: None,
        };
        let masked = recipe.masked()?;
        let in_micro_batches = (1..recipe.batch_size).contains(&recipe.micro_batch);
        let apart = in_micro_batches || !share.is_whole();
        let pixels = starting::pixels(plan, config)?;
        let loader = |table: ClipTable, mut reading: SampleReading| {
            if let Some(own) = &pixels {
                reading.clip.pixels = as_seen_by(own, reading.clip.pixels);
            }
            let (seed, of_shards) = (reading.seed, table.is_of_shards());
            let tokenizer = tokenizer.clone();
            let pairs = PretrainingDataset::new(table, tokenizer, reading, masked.clone())?;
            let training = LoaderConfig::training(recipe.batch_size, seed);
            let config = LoaderConfig {
                share,
                order: match of_shards {
                    // A shard is read from its start to its end, as its disk likes it.
                    true => EpochOrder::ShuffledByShard {
                        seed,
                        buffer: recipe.shuffle_buffer,
                    },
                    false => EpochOrder::ShuffledByGroup {
                        seed,
                        size: recipe.group_size,
                    },
                },
                workers: recipe.workers,
                max_failed_share: recipe.max_failed_share,
                ..training
            };
            BatchLoader::new(batched(pairs, apart), config)
        };
        let videos = loader(videos, recipe.reading(config))?;
        let loaders = match images.zip(plan.images.as_ref()) {
            None => Loaders::One(Box::new(videos)),
            Some((images, path)) => {
                unusable.extend_from_slice(images.skipped());
                fingerprint.images = Some(ListFingerprint::of_table(&images, path));
                let images = loader(images, recipe.image_reading(config))?;
                Loaders::InTurn(Box::new(Mixture::new(videos, images)))
            }
        };
        let schedule = recipe.schedule(loaders.iterations_per_epoch());
        let mut data = TrainingData::new(loaders, schedule, unusable);
        // An epoch is as long as the longer list.
        data.left_over = left_over(longest.unwrap_or(0), recipe.batch_size);
        data.cut = cut;
        data.unused = unused;
        Ok(Self {
            data,
            fingerprint,
            neutral,
        })
    }
}
