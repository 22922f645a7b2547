//! The batches of one epoch.

use super::{BatchLoader, BatchPlaces, EpochOrder, LoadedBatch, Position};
use crate::DataError;
use crate::dataset::skipped::SkippedItem;
use crate::dataset::source::SampleSource;
use crate::dataset::workers::Workers;

/// The batches of one epoch; ends after the first error.
pub struct EpochBatches<'a, S: SampleSource> {
    pub(super) loader: &'a mut BatchLoader<S>,
    /// Gone once the epoch has ended.
    pub(super) workers: Option<Workers<S::Sample>>,
    pub(super) order: std::vec::IntoIter<usize>,
    pub(super) at: Position,
    pub(super) from_the_start: bool,
    pub(super) batches_before: bool,
}

impl<S: SampleSource> std::fmt::Debug for EpochBatches<'_, S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EpochBatches")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl<S: SampleSource> EpochBatches<'_, S> {
    /// Every item the loader found broken so far, once each, also in earlier epochs.
    pub fn skipped(&self) -> &[SkippedItem] {
        &self.loader.skipped
    }

    /// Goes to another place, and perhaps another epoch, of the same loader.
    ///
    /// # Errors
    ///
    /// When the worker threads cannot be started.
    pub fn restart(self, start: Position) -> Result<Self, DataError> {
        let Self {
            loader, workers, ..
        } = self;
        // The old threads end before there are new ones.
        drop(workers);
        loader.epoch(start)
    }

    /// The next item of the order, which is to stand at `place`; false at the end of the epoch.
    pub(super) fn read_item(
        &mut self,
        place: usize,
        batch: &mut LoadedBatch<S::Sample>,
    ) -> Result<bool, DataError> {
        let next = self
            .workers
            .as_mut()
            .and_then(|workers| self.order.next().zip(workers.next()));
        let Some((index, read)) = next else {
            self.workers = None;
            return Ok(false);
        };
        self.at.item += 1;
        self.loader.reads += 1;
        match read {
            Ok(sample) => {
                batch.samples.push(sample);
                batch.places.taken.push(place);
            }
            // The clock is no reason to leave an item out: see there.
            Err(error @ DataError::TooSlow { .. }) => return Err(error),
            Err(error) => self.loader.note_failure(index, &error),
        }
        if self.loader.reads >= self.loader.config.min_reads {
            self.loader.check_failures()?;
        }
        batch.next = self.at;
        Ok(true)
    }

    fn read_batch(&mut self) -> Result<Option<LoadedBatch<S::Sample>>, DataError> {
        let mut batch = LoadedBatch {
            samples: Vec::new(),
            places: BatchPlaces::default(),
            next: self.at,
        };
        if !self.loader.config.share.is_whole() {
            return self.read_share(batch);
        }
        while self.read_item(batch.places.slots, &mut batch)? {
            batch.places.slots = batch.samples.len();
            if batch.places.slots == self.loader.config.batch_size {
                self.batches_before = true;
                return Ok(Some(batch));
            }
        }
        self.last_batch(batch)
    }

    /// What becomes of the samples left over at the end of the epoch.
    fn last_batch(
        &self,
        batch: LoadedBatch<S::Sample>,
    ) -> Result<Option<LoadedBatch<S::Sample>>, DataError> {
        if self.from_the_start {
            self.loader.check_failures()?;
        }
        if batch.samples.is_empty() && !self.batches_before {
            // An epoch that gave nothing must not be followed by another, and another.
            return Err(self.loader.too_many_failures());
        }
        let in_order = self.loader.config.order == EpochOrder::InOrder;
        let wanted = in_order || !self.batches_before;
        Ok((wanted && !batch.samples.is_empty()).then_some(batch))
    }
}

impl<S: SampleSource> Iterator for EpochBatches<'_, S> {
    type Item = Result<LoadedBatch<S::Sample>, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        // After the last batch the order is used up and the workers are gone.
        self.workers.as_ref()?;
        let batch = self.read_batch();
        if batch.is_err() {
            self.workers = None;
        }
        batch.transpose()
    }
}
