//! Where tensors come from: a file, or the bytes of one.

use burn::tensor::{DType, TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::WeightError;
use super::file::{StoredTensor, WeightFile};

/// Named tensors that are read one at a time, when they are needed.
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

/// The bytes of a safetensors file.
#[derive(Debug)]
pub struct BytesSource<'b> {
    file: SafeTensors<'b>,
    entries: Vec<StoredTensor>,
}

impl<'b> BytesSource<'b> {
    /// Reads what the bytes hold.
    ///
    /// # Errors
    ///
    /// The bytes are not valid safetensors.
    pub fn new(bytes: &'b [u8]) -> Result<Self, WeightError> {
        let file = SafeTensors::deserialize(bytes).map_err(WeightError::malformed)?;
        let mut entries: Vec<_> = file
            .iter()
            .map(|(name, view)| StoredTensor {
                name: name.to_owned(),
                shape: view.shape().to_vec(),
                dtype: known(view.dtype()),
            })
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { file, entries })
    }
}

impl TensorSource for BytesSource<'_> {
    fn entries(&self) -> &[StoredTensor] {
        &self.entries
    }

    fn data(&self, name: &str) -> Result<TensorData, WeightError> {
        let view = self.file.tensor(name).map_err(WeightError::malformed)?;
        floats(name, &view)
    }
}

/// What is no float is an integer here: nothing asks which.
fn known(dtype: Dtype) -> DType {
    match dtype {
        Dtype::F64 => DType::F64,
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        _ => DType::I64,
    }
}

/// Parameters are trained in 32-bit floats, whatever is stored.
fn floats(name: &str, view: &TensorView<'_>) -> Result<TensorData, WeightError> {
    let shape = view.shape().to_vec();
    let bytes = view.data();
    if view.dtype() == Dtype::F32 {
        let (values, _) = bytes.as_chunks::<4>();
        let values: Vec<f32> = values
            .iter()
            .map(|value| f32::from_le_bytes(*value))
            .collect();
        return Ok(TensorData::new(values, shape));
    }
    let dtype = known(view.dtype());
    if dtype == DType::I64 {
        return Err(WeightError::NotAFloat {
            name: name.to_owned(),
            found: format!("{:?}", view.dtype()),
        });
    }
    Ok(TensorData::from_bytes_vec(bytes.to_vec(), shape, dtype).convert::<f32>())
}
