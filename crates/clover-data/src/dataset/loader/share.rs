//! Batches that several readers read together, each its share.
//!
//! The readers do not hear of each other, so a batch of theirs is so many items of the epoch's
//! order, whether they can be read or not: a broken item leaves its place empty. A single reader
//! fills such a place with the next item. Where nothing is broken the batches are the same.

use std::ops::Range;

/// Which part of every batch is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchShare {
    /// This reader, from zero.
    pub reader: usize,
    /// How many readers share a batch.
    pub readers: usize,
}

/// The places of a reader's samples in the batch of all readers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchPlaces {
    /// The place of each sample, ascending.
    pub taken: Vec<usize>,
    /// Places the batch has.
    pub slots: usize,
}

impl Default for BatchShare {
    /// All of it.
    fn default() -> Self {
        Self {
            reader: 0,
            readers: 1,
        }
    }
}

impl BatchShare {
    /// The places of a batch of `slots` that this reader fills; sizes differ by one at most.
    #[must_use]
    pub fn places(self, slots: usize) -> Range<usize> {
        let Self { reader, readers } = self;
        slots * reader / readers..slots * (reader + 1) / readers
    }

    /// Whether there is no other reader.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.readers == 1
    }

    /// What this reader reads of an epoch.
    pub(super) fn items(self, order: &[usize], batch_size: usize) -> Vec<usize> {
        let batches = order.chunks(batch_size);
        batches
            .flat_map(|batch| &batch[self.places(batch.len())])
            .copied()
            .collect()
    }
}
