//! The optimizer's state as a safetensors file.

use std::path::Path;

use burn::tensor::{DType, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use crate::error::TrainerError;

/// The element types of parameters and step counts.
const TYPES: [(DType, Dtype); 5] = [
    (DType::F64, Dtype::F64),
    (DType::F32, Dtype::F32),
    (DType::F16, Dtype::F16),
    (DType::BF16, Dtype::BF16),
    (DType::I64, Dtype::I64),
];

/// The bytes of a safetensors file; `path` names it in errors.
pub(super) fn encode(
    path: &Path,
    tensors: &[(String, TensorData)],
) -> Result<Vec<u8>, TrainerError> {
    let mut views = Vec::with_capacity(tensors.len());
    for (name, data) in tensors {
        let dtype = TYPES
            .iter()
            .find_map(|&(ours, theirs)| (ours == data.dtype).then_some(theirs))
            .ok_or_else(|| type_error(path, name, format!("{:?}", data.dtype)))?;
        let view = TensorView::new(dtype, data.shape.to_vec(), data.as_bytes())
            .map_err(file_error(path))?;
        views.push((name.as_str(), view));
    }
    safetensors::serialize(views, None).map_err(file_error(path))
}

/// The tensors of a safetensors file, in the order of their names.
pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Vec<(String, TensorData)>, TrainerError> {
    let file = SafeTensors::deserialize(bytes).map_err(file_error(path))?;
    let mut tensors = file
        .iter()
        .map(|(name, view)| {
            let dtype = TYPES
                .iter()
                .find_map(|&(ours, theirs)| (theirs == view.dtype()).then_some(ours))
                .ok_or_else(|| type_error(path, name, format!("{:?}", view.dtype())))?;
            let shape = view.shape().to_vec();
            let data = TensorData::from_bytes_vec(view.data().to_vec(), shape, dtype);
            Ok((name.to_owned(), data))
        })
        .collect::<Result<Vec<_>, TrainerError>>()?;
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(tensors)
}

fn file_error(path: &Path) -> impl FnOnce(SafeTensorError) -> TrainerError {
    let path = path.to_owned();
    |source| TrainerError::Tensors { path, source }
}

fn type_error(path: &Path, name: &str, dtype: String) -> TrainerError {
    TrainerError::TensorType {
        path: path.to_owned(),
        name: name.to_owned(),
        dtype,
    }
}
