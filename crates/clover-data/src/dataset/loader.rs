//! Batches of samples, read ahead and put together by threads of the loader.
//!
//! A broken item is skipped by name and counted, never replaced; when too large a share of what
//! was read is broken, the loader stops with an error.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::read_ahead::{Collator, ReadAhead};
use super::epoch_order::EpochOrder;
use super::skipped::SkippedItem;
use super::source::SampleSource;
use super::workers::Workers;
use crate::DataError;

mod epoch;
mod read_ahead;
mod share;

pub use epoch::EpochBatches;
pub use share::{BatchPlaces, BatchShare};

/// How batches are put together.
#[derive(Debug, Clone, PartialEq)]
pub struct LoaderConfig {
    /// Samples a batch, of all readers together.
    pub batch_size: usize,
    /// What this loader reads of each batch.
    pub share: BatchShare,
    /// The order of an epoch, and what becomes of samples left over at its end.
    pub order: EpochOrder,
    /// Threads that read.
    pub workers: usize,
    /// Batches whose samples are kept ready while one is used and the next is put together; each costs its
    /// clips' memory.
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
    /// The samples that this loader read, put together.
    pub samples: T,
    /// Where they stand.
    pub places: BatchPlaces,
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
    /// Those of the failures whose file is not there.
    missing: usize,
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
            share: BatchShare::default(),
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
            missing: 0,
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
            EpochOrder::Shuffled { .. }
            | EpochOrder::ShuffledByShard { .. }
            | EpochOrder::ShuffledByGroup { .. } => (items / batch).max(1),
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
        let (share, batch) = (self.config.share, self.config.batch_size);
        let workers = Workers::start(
            &self.source,
            start.epoch,
            &share.items(&order, batch),
            self.config.workers,
            self.config.prefetch_batches.max(1) * share.places(batch).len(),
        )?;
        let batches_before = start.item > 0;
        let collator = Collator {
            source: Arc::clone(&self.source),
            config: self.config.clone(),
            order: order.into_iter(),
            at: start,
            batches_before,
        };
        Ok(EpochBatches {
            ahead: Some(ReadAhead::start(workers, collator)?),
            loader: self,
            start,
            batches_before,
        })
    }

    /// Counts an item that was read, and lists it if it is broken and was not known to be.
    fn note_read(&mut self, index: usize, error: Option<DataError>) -> Result<(), DataError> {
        self.reads += 1;
        if let Some(error) = error {
            if matches!(error, DataError::TooSlow { .. }) {
                // The clock is no reason to leave an item out: see there.
                return Err(error);
            }
            self.failures += 1;
            self.missing += usize::from(error.is_missing());
            if self.broken.insert(index) {
                let name = self.source.name(index);
                self.skipped.push(SkippedItem::new(name, &error));
            }
        }
        if self.reads >= self.config.min_reads {
            self.check_failures()?;
        }
        Ok(())
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
            hint: match self.missing == self.reads {
                true => "; `--videos` names the folder that relative paths start at",
                false => "",
            },
        }
    }
}

#[cfg(test)]
mod share_tests;
#[cfg(test)]
mod tests;
