//! The batches of one epoch.

use super::read_ahead::{ReadAhead, ReadBatch};
use super::{BatchLoader, LoadedBatch, Position};
use crate::DataError;
use crate::dataset::skipped::SkippedItem;
use crate::dataset::source::SampleSource;

/// The batches of one epoch; ends after the first error.
pub struct EpochBatches<'a, S: SampleSource> {
    pub(super) loader: &'a mut BatchLoader<S>,
    /// Gone once the epoch has ended.
    pub(super) ahead: Option<ReadAhead<S>>,
    pub(super) start: Position,
    pub(super) batches_before: bool,
}

impl<S: SampleSource> std::fmt::Debug for EpochBatches<'_, S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EpochBatches")
            .field("start", &self.start)
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
        let Self { loader, ahead, .. } = self;
        // The old threads end before there are new ones.
        drop(ahead);
        loader.epoch(start)
    }

    /// Makes of a batch's items what the loader is to know, and hands on the batch.
    fn take_batch(
        &mut self,
        read: ReadBatch<S::Batch>,
    ) -> Result<Option<LoadedBatch<S::Batch>>, DataError> {
        for (index, error) in read.items {
            self.loader.note_read(index, error)?;
        }
        if read.last && self.loader.config.share.is_whole() {
            if self.start.item == 0 {
                self.loader.check_failures()?;
            }
            if read.batch.is_none() && !self.batches_before {
                // An epoch that gave nothing must not be followed by another, and another.
                return Err(self.loader.too_many_failures());
            }
        }
        self.batches_before |= read.batch.is_some();
        Ok(read.batch)
    }
}

impl<S: SampleSource> Iterator for EpochBatches<'_, S> {
    type Item = Result<LoadedBatch<S::Batch>, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Without it after the last batch and after an error.
        let mut ahead = self.ahead.take()?;
        let read = ahead.next()?;
        let last = read.last;
        let batch = self.take_batch(read);
        if batch.is_ok() && !last {
            self.ahead = Some(ahead);
        }
        batch.transpose()
    }
}
