//! Where tensors come from.

use burn::tensor::TensorData;

use super::WeightError;
use super::file::{StoredTensor, WeightFile};

/// Named tensors that are read one at a time, when they are needed: a file, or a file whose tensors are
/// brought to our layout on the way.
pub trait TensorSource {
    /// What there is.
    fn entries(&self) -> &[StoredTensor];

    /// One tensor in 32-bit floats.
    ///
    /// # Errors
    ///
    /// The tensor cannot be read, is no float, or is not there.
    fn data(&self, name: &str) -> Result<TensorData, WeightError>;
}

impl TensorSource for WeightFile {
    fn entries(&self) -> &[StoredTensor] {
        Self::entries(self)
    }

    fn data(&self, name: &str) -> Result<TensorData, WeightError> {
        Self::data(self, name)
    }
}
