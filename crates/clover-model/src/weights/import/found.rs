//! Where the values of a parameter lie.

use crate::weights::file::StoredTensor;

/// A tensor of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Which source.
    pub(super) source: usize,
    /// Its name there.
    pub(super) name: String,
    /// Its shape there.
    pub(super) shape: Vec<usize>,
}

impl Found {
    pub(super) fn new(source: usize, entry: &StoredTensor) -> Self {
        Self {
            source,
            name: entry.name.clone(),
            shape: entry.shape.clone(),
        }
    }
}
