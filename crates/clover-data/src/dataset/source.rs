//! What a loader reads from.

use std::ops::Range;

use crate::DataError;

/// A numbered list of items that can each be read into a sample, from any thread.
///
/// Everything that can fail happens in [`read`](Self::read); batching what it returned cannot.
pub trait SampleSource: Send + Sync + 'static {
    /// What an item becomes.
    type Sample: Send + 'static;
    /// What the samples of a batch become.
    type Batch: Send + 'static;

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

    /// Puts samples together, on a thread of the loader while earlier batches are used.
    fn collate(&self, samples: Vec<Self::Sample>) -> Self::Batch;
}

/// A source whose batches a function puts together.
#[derive(Debug, Clone)]
pub struct Collated<S, F> {
    /// What is read from.
    pub source: S,
    /// What becomes of the samples of a batch.
    pub collate: F,
}

impl<S, F, B> SampleSource for Collated<S, F>
where
    S: SampleSource,
    F: Fn(Vec<S::Sample>) -> B + Send + Sync + 'static,
    B: Send + 'static,
{
    type Sample = S::Sample;
    type Batch = B;

    fn len(&self) -> usize {
        self.source.len()
    }

    fn name(&self, index: usize) -> String {
        self.source.name(index)
    }

    fn stretches(&self) -> Vec<Range<usize>> {
        self.source.stretches()
    }

    fn read(&self, epoch: u64, index: usize) -> Result<S::Sample, DataError> {
        self.source.read(epoch, index)
    }

    fn collate(&self, samples: Vec<S::Sample>) -> B {
        (self.collate)(samples)
    }
}
