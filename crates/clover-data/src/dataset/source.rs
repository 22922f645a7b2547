//! What a loader reads from.

use std::ops::Range;

use crate::DataError;

/// A numbered list of items that can each be read into a sample, from any thread.
///
/// Everything that can fail happens in [`read`](Self::read); batching what it returned cannot.
pub trait SampleSource: Send + Sync + 'static {
    /// What an item becomes.
    type Sample: Send + 'static;

    /// The number of items.
    fn len(&self) -> usize;

    /// Tells whether there is no item.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What reports call the item.
    fn name(&self, index: usize) -> String;

    /// Stretches of items that lie together on disk, in order and without gaps; reading one item of
    /// a stretch makes the next cheaper.
    fn stretches(&self) -> Vec<Range<usize>> {
        std::iter::once(0..self.len()).collect()
    }

    /// Reads the item as it is shown in `epoch`; the result depends on nothing else.
    ///
    /// # Errors
    ///
    /// When the item's file is unreadable or its text unusable.
    fn read(&self, epoch: u64, index: usize) -> Result<Self::Sample, DataError>;
}
