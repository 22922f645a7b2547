//! Kernels for the flex CPU backend: `f32`, vectorised through `pulp`, parallel through `rayon`.

pub(crate) mod adamw;
pub(crate) mod attention;
pub(crate) mod cross_entropy;
pub(crate) mod dropout;
pub(crate) mod gelu;
pub(crate) mod layer_norm;
pub(crate) mod linear;
mod micro;
pub(crate) mod rows;
mod simd;
pub(crate) mod sum_of_squares;

use burn::tensor::{DType, Shape, TensorData};
use burn_flex::FlexTensor;

/// The values in row-major order; the tensor must be contiguous.
fn values(tensor: &FlexTensor) -> &[f32] {
    debug_assert!(tensor.is_contiguous() && tensor.layout().start_offset() == 0);
    tensor.storage::<f32>()
}

fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// The indices of an integer tensor, or nothing if they are of an unusual width.
pub(crate) fn indices(tensor: &FlexTensor) -> Option<Vec<usize>> {
    let tensor = tensor.to_contiguous();
    match tensor.dtype() {
        DType::I32 => Some(
            tensor
                .storage::<i32>()
                .iter()
                .map(|&i| i as usize)
                .collect(),
        ),
        DType::I64 => Some(
            tensor
                .storage::<i64>()
                .iter()
                .map(|&i| i as usize)
                .collect(),
        ),
        _ => None,
    }
}
