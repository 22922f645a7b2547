//! Embeddings of clips with several texts each: every clip and every text passes its encoder once.

use std::time::{Duration, Instant};

use burn::prelude::*;
use clover_data::batch::StackedClips;
use clover_data::dataset::{
    BatchLoader, Captioned, CaptionedDataset, ClipTable, LoaderConfig, Position, SampleReading,
    SkippedItem,
};
use clover_model::Noise;

use super::{BATCH, Embedder, Embeddings};
use crate::InferenceError;

/// A clip, read and embedded with its texts; rows have unit length.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddedClip {
    /// The number of the clip in its list.
    pub index: usize,
    /// One row.
    pub video: Vec<f32>,
    /// One row a text.
    pub texts: Vec<Vec<f32>>,
}

/// What embedding tells and gives, a batch at a time.
#[derive(Debug)]
pub enum EmbeddedBatch<'b> {
    /// Clips that could be read, in the order of their list.
    Clips(Vec<EmbeddedClip>),
    /// A clip that could not.
    Skipped(&'b SkippedItem),
    /// Items of the list that are done with.
    Done(usize),
}

/// How long it took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EmbeddingTime {
    /// All of it.
    pub total: Duration,
    /// Waiting for clips to be read.
    pub waiting: Duration,
}

impl<B: Backend> Embedder<B> {
    /// Embeds every clip of a table by itself, whatever is said or asked about it. `visit` receives a batch
    /// at a time, and may fail.
    ///
    /// # Errors
    ///
    /// More than a share of `max_failed_share` cannot be read, the preprocessing is out of range, or
    /// `visit` fails.
    pub fn embed_each_clip<E: From<InferenceError>>(
        &self,
        table: ClipTable,
        (workers, max_failed_share): (usize, f64),
        visit: &mut dyn FnMut(EmbeddedBatch<'_>) -> Result<(), E>,
    ) -> Result<EmbeddingTime, E> {
        let dataset = self.captioned(table, Captioned::Without)?;
        self.embed_captioned(dataset, (workers, max_failed_share), 0, visit)
    }

    /// The clips of a table with their texts, read as the model was trained to see them and without
    /// anything random.
    ///
    /// # Errors
    ///
    /// The preprocessing is out of range.
    pub fn captioned(
        &self,
        table: ClipTable,
        captioned: Captioned,
    ) -> Result<CaptionedDataset, InferenceError> {
        let reading = SampleReading {
            clip: self.clip_reading(),
            text_len: self.preprocessing.text_len,
            seed: 0,
        };
        let tokenizer = self.tokenizer.clone();
        Ok(CaptionedDataset::new(table, tokenizer, reading, captioned)?)
    }

    /// Embeds the clips of a list from number `start` on, as the list says they are read.
    /// `visit` receives a batch at a time, and may fail.
    ///
    /// # Errors
    ///
    /// Too many clips cannot be read, or `visit` fails.
    pub fn embed_captioned<E: From<InferenceError>>(
        &self,
        dataset: CaptionedDataset,
        (workers, max_failed_share): (usize, f64),
        start: usize,
        visit: &mut dyn FnMut(EmbeddedBatch<'_>) -> Result<(), E>,
    ) -> Result<EmbeddingTime, E> {
        let config = LoaderConfig {
            workers,
            max_failed_share,
            ..LoaderConfig::evaluation(BATCH)
        };
        let failed = |error: clover_data::DataError| InferenceError::from(error);
        let mut loader = BatchLoader::new(dataset, config).map_err(failed)?;
        let begun = Instant::now();
        let mut time = EmbeddingTime::default();
        let mut told = 0;
        let at = Position {
            epoch: 0,
            item: start,
        };
        let mut batches = loader.epoch(at).map_err(failed)?;
        loop {
            let since = Instant::now();
            let batch = batches.next();
            time.waiting += since.elapsed();
            for item in batches.skipped().get(told..).unwrap_or_default() {
                visit(EmbeddedBatch::Skipped(item))?;
            }
            told = batches.skipped().len();
            let Some(batch) = batch.transpose().map_err(failed)? else {
                break;
            };
            visit(EmbeddedBatch::Clips(self.embed_stacked(batch.samples)))?;
            visit(EmbeddedBatch::Done(batch.next.item))?;
        }
        time.total = begun.elapsed();
        Ok(time)
    }

    fn embed_stacked(&self, stacked: StackedClips) -> Vec<EmbeddedClip> {
        let items = stacked.items.clone();
        let (clips, texts) = match stacked.texts() {
            0 => (stacked.clips_to_device::<B>(&self.device), None),
            _ => {
                let batch = stacked.to_device::<B>(&self.device);
                (batch.clips, Some((batch.token_ids, batch.attention_mask)))
            }
        };
        let (mut videos, mut embedded) = (Embeddings::default(), Embeddings::default());
        videos.push(self.model.embed_video(clips, 1, &mut Noise::quiet()));
        if let Some((ids, masks)) = texts {
            for (ids, masks) in ids.split(BATCH, 0).into_iter().zip(masks.split(BATCH, 0)) {
                embedded.push(self.model.embed_text(ids, masks, &mut Noise::quiet()));
            }
        }
        let mut row = 0;
        items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let own = row..row + item.texts;
                row = own.end;
                EmbeddedClip {
                    index: item.index,
                    video: videos.row(at).to_vec(),
                    texts: own.map(|text| embedded.row(text).to_vec()).collect(),
                }
            })
            .collect()
    }
}
