//! Files of weights, read one tensor at a time.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, TensorData};
use safetensors::SafeTensors;

use super::WeightError;
use super::source::{BytesSource, TensorSource};

/// What a file says about one of its tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTensor {
    /// Its name in the file.
    pub name: String,
    /// Its shape in the file.
    pub shape: Vec<usize>,
    /// Its type in the file.
    pub dtype: DType,
}

/// An open file of weights.
#[derive(Debug)]
pub struct WeightFile {
    path: PathBuf,
    bytes: Vec<u8>,
    entries: Vec<StoredTensor>,
}

impl WeightFile {
    /// Reads what a file holds, without its values.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is damaged.
    pub fn open(path: &Path) -> Result<Self, WeightError> {
        let bytes = fs::read(path).map_err(|source| WeightError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let entries = BytesSource::new(&bytes)
            .map_err(|error| error.in_file(path))?
            .entries()
            .to_vec();
        Ok(Self {
            path: path.to_owned(),
            bytes,
            entries,
        })
    }

    /// What it holds.
    #[must_use]
    pub fn entries(&self) -> &[StoredTensor] {
        &self.entries
    }

    /// One tensor in 32-bit floats.
    ///
    /// # Errors
    ///
    /// The tensor cannot be read, is no float, or is not there.
    pub fn data(&self, name: &str) -> Result<TensorData, WeightError> {
        SafeTensors::deserialize(&self.bytes)
            .map_err(WeightError::malformed)
            .and_then(|file| {
                let view = file.tensor(name).map_err(WeightError::malformed)?;
                super::source::floats(name, &view)
            })
            .map_err(|error| error.in_file(&self.path))
    }
}
