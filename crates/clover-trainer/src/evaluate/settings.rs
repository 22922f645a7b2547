//! How a task is measured.

use std::path::Path;

use crate::metric::Storage;

/// How a task is measured, beside its recipe.
#[derive(Clone, Copy, Debug)]
pub struct MeasureSettings<'s> {
    /// Threads that read clips.
    pub workers: usize,
    /// Measuring stops when a larger share of the items is broken.
    pub max_failed_share: f64,
    /// Seed of the bootstrap's draws.
    pub seed: u64,
    /// Whether retrieval is also re-ranked by dual softmax.
    pub dual_softmax: bool,
    /// How embeddings are held.
    pub storage: Storage,
    /// The file that an interrupted evaluation goes on from, and what says that it is the same one.
    pub record: Option<(&'s Path, &'s str)>,
}

impl MeasureSettings<'_> {
    /// So many threads and broken items, everything else at its usual value.
    #[must_use]
    pub fn new(workers: usize, max_failed_share: f64) -> Self {
        Self {
            workers,
            max_failed_share,
            seed: 0,
            dual_softmax: false,
            storage: Storage::F32,
            record: None,
        }
    }

    /// The record's path, and what it is of.
    pub(super) fn recorded(&self) -> (Option<&Path>, &str) {
        match self.record {
            Some((path, of)) => (Some(path), of),
            None => (None, ""),
        }
    }
}
