//! Features in a file, for another program to compare its own with.

use std::error::Error;
use std::path::Path;

use burn::tensor::TensorData;
use safetensors::{Dtype, tensor::TensorView};

/// Writes features of `f32` by name, as safetensors.
pub(crate) fn write(path: &Path, features: &[(&str, TensorData)]) -> Result<(), Box<dyn Error>> {
    let mut views = Vec::new();
    for (name, data) in features {
        let view = TensorView::new(Dtype::F32, data.shape.to_vec(), data.as_bytes())?;
        views.push((*name, view));
    }
    safetensors::serialize_to_file(views, None, path)?;
    Ok(())
}
