//! Batches of samples, read ahead by worker threads.
//!
//! A broken item is skipped by name and counted, never replaced; when too large a share of what
//! was read is broken, the loader stops with an error.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::epoch_order::EpochOrder;
use super::skipped::SkippedItem;
use super::source::SampleSource;
use super::workers::Workers;
use crate::DataError;

/// How batches are put together.
#[derive(Debug, Clone, PartialEq)]
pub struct LoaderConfig {
    /// Samples a batch.
    pub batch_size: usize,
    /// The order of an epoch, and what becomes of samples left over at its end.
    pub order: EpochOrder,
    /// Threads that read.
    pub workers: usize,
    /// Batches kept ready while one is used; each costs its clips' memory.
    pub prefetch_batches: usize,
    /// Loading stops when a larger share of the items read is broken.
    pub max_failed_share: f64,
    /// The share is not judged before this many reads, or the end of an epoch.
    pub min_reads: usize,
}

/// A place between two batches, at which a run can be resumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The epoch, from zero.
    pub epoch: u64,
    /// How many items of the epoch's order are used up, broken ones included.
    pub item: usize,
}

/// A batch and where the next one starts.
#[derive(Debug)]
pub struct LoadedBatch<T> {
    /// The samples.
    pub samples: Vec<T>,
    /// Where to resume after this batch.
    pub next: Position,
}

/// Reads batches from a [`SampleSource`].
#[derive(Debug)]
pub struct BatchLoader<S> {
    source: Arc<S>,
    config: LoaderConfig,
    reads: usize,
    failures: usize,
    broken: BTreeSet<usize>,
    skipped: Vec<SkippedItem>,
}

impl LoaderConfig {
    /// Shuffled full batches, as training wants them.
    pub fn training(batch_size: usize, seed: u64) -> Self {
        Self {
            order: EpochOrder::Shuffled { seed },
            ..Self::evaluation(batch_size)
        }
    }

    /// All items in their order.
    pub fn evaluation(batch_size: usize) -> Self {
        Self {
            batch_size,
            order: EpochOrder::InOrder,
            workers: 2,
            prefetch_batches: 2,
            max_failed_share: 0.5,
            min_reads: 20,
        }
    }
}

impl<S: SampleSource> BatchLoader<S> {
    /// A loader that has read nothing yet.
    ///
    /// # Errors
    ///
    /// When the source is empty, the batch size is zero, or the failed share is outside `[0, 1]`.
    pub fn new(source: S, config: LoaderConfig) -> Result<Self, DataError> {
        if source.is_empty() {
            return Err(DataError::EmptyDataset);
        }
        if config.batch_size == 0 {
            return Err(DataError::OutOfRange {
                key: "batch_size",
                value: 0,
                smallest: 1,
                largest: usize::MAX,
            });
        }
        if !(0.0..=1.0).contains(&config.max_failed_share) {
            return Err(DataError::NotAShare {
                key: "max_failed_share",
                value: config.max_failed_share,
            });
        }
        Ok(Self {
            source: Arc::new(source),
            config,
            reads: 0,
            failures: 0,
            broken: BTreeSet::new(),
            skipped: Vec::new(),
        })
    }

    /// What is read from.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Batches an epoch has when nothing is broken.
    pub fn batches_per_epoch(&self) -> usize {
        let (items, batch) = (self.source.len(), self.config.batch_size);
        match self.config.order {
            EpochOrder::Shuffled { .. } | EpochOrder::ShuffledByShard { .. } => {
                (items / batch).max(1)
            }
            EpochOrder::InOrder => items.div_ceil(batch),
        }
    }

    /// Every item found broken so far, once each.
    pub fn skipped(&self) -> &[SkippedItem] {
        &self.skipped
    }

    /// The batches of the epoch at `start`, from there on; reading begins at once.
    ///
    /// # Errors
    ///
    /// When the worker threads cannot be started.
    pub fn epoch(&mut self, start: Position) -> Result<EpochBatches<'_, S>, DataError> {
        let (order, source) = (self.config.order, &self.source);
        let mut order = order.items(start.epoch, source.len(), || source.stretches());
        order.drain(..start.item.min(order.len()));
        let workers = Workers::start(
            &self.source,
            start.epoch,
            &order,
            self.config.workers,
            self.config.prefetch_batches.max(1) * self.config.batch_size,
        )?;
        Ok(EpochBatches {
            from_the_start: start.item == 0,
            batches_before: start.item > 0,
            loader: self,
            workers: Some(workers),
            order: order.into_iter(),
            at: start,
        })
    }

    /// Counts a broken item, and lists it if it was not known to be broken.
    fn note_failure(&mut self, index: usize, error: &DataError) {
        self.failures += 1;
        if self.broken.insert(index) {
            let name = self.source.name(index);
            self.skipped.push(SkippedItem::new(name, error));
        }
    }

    fn check_failures(&self) -> Result<(), DataError> {
        let allowed = self.config.max_failed_share * self.reads as f64;
        if self.failures as f64 <= allowed {
            return Ok(());
        }
        Err(self.too_many_failures())
    }

    fn too_many_failures(&self) -> DataError {
        let last = self.skipped.last();
        DataError::TooManyFailures {
            failed: self.failures,
            read: self.reads,
            last: last.map_or_else(String::new, ToString::to_string),
        }
    }
}

/// The batches of one epoch; ends after the first error.
pub struct EpochBatches<'a, S: SampleSource> {
    loader: &'a mut BatchLoader<S>,
    /// Gone once the epoch has ended.
    workers: Option<Workers<S::Sample>>,
    order: std::vec::IntoIter<usize>,
    at: Position,
    from_the_start: bool,
    batches_before: bool,
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

    fn read_batch(&mut self) -> Result<Option<LoadedBatch<S::Sample>>, DataError> {
        let mut batch = LoadedBatch {
            samples: Vec::with_capacity(self.loader.config.batch_size),
            next: self.at,
        };
        while let Some(workers) = &mut self.workers {
            let Some((index, read)) = self.order.next().zip(workers.next()) else {
                self.workers = None;
                break;
            };
            self.at.item += 1;
            self.loader.reads += 1;
            match read {
                Ok(sample) => batch.samples.push(sample),
                Err(error) => self.loader.note_failure(index, &error),
            }
            if self.loader.reads >= self.loader.config.min_reads {
                self.loader.check_failures()?;
            }
            batch.next = self.at;
            if batch.samples.len() == self.loader.config.batch_size {
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

#[cfg(test)]
mod tests;
