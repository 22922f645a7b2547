//! An affine map: flex's own matrix product of two dimensions, the bias added in place.

use super::simd::vectorized;
use super::{tensor, values};
use crate::kernel::Kernel;
use burn::tensor::ops::FloatTensorOps;
use burn::tensor::{Shape, TensorMetadata};
use burn_flex::{Flex, FlexTensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Rows in one task; fixed, so that the bias's gradient does not depend on the thread count.
const TASK_ROWS: usize = 128;

/// Inputs: x, the weight, and the bias if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Linear;

#[derive(Debug, Clone)]
pub(crate) struct Saved {
    x: FlexTensor,
    weight: FlexTensor,
}

impl<const N: usize> Kernel<Flex, N> for Linear {
    type Saved = Saved;

    fn forward(&self, inputs: [FlexTensor; N]) -> (FlexTensor, Saved) {
        let inputs = inputs.map(|input| input.to_contiguous());
        let (x, weight) = (inputs[0].clone(), inputs[1].clone());
        let [dim_in, dim_out] = weight.shape().dims();
        let mut output = Flex::float_matmul(folded(&x, dim_in), weight.clone());
        if let Some(bias) = inputs.get(2).map(values) {
            let rows = output
                .storage_mut::<f32>()
                .par_chunks_mut(TASK_ROWS * dim_out.max(1));
            rows.for_each(|rows| vectorized(AddToRows { rows, bias }));
        }
        let mut shape = x.shape();
        let last = shape.num_dims() - 1;
        shape[last] = dim_out;
        (output.reshape(shape), Saved { x, weight })
    }

    fn backward(
        &self,
        saved: Saved,
        gradient: FlexTensor,
        wanted: [bool; N],
    ) -> [Option<FlexTensor>; N] {
        let Saved { x, weight } = saved;
        let [dim_in, dim_out] = weight.shape().dims();
        let gradient = folded(&gradient.to_contiguous(), dim_out);
        std::array::from_fn(|input| {
            wanted[input].then(|| match input {
                0 => {
                    Flex::float_matmul(gradient.clone(), weight.transpose(0, 1)).reshape(x.shape())
                }
                1 => Flex::float_matmul(folded(&x, dim_in).transpose(0, 1), gradient.clone()),
                _ => tensor(
                    column_sums(values(&gradient), dim_out),
                    Shape::new([dim_out]),
                ),
            })
        })
    }
}

/// `[.., dim]` as `[rows, dim]`.
fn folded(tensor: &FlexTensor, dim: usize) -> FlexTensor {
    let rows = tensor.layout().num_elements() / dim.max(1);
    tensor.reshape(Shape::new([rows, dim]))
}

struct AddToRows<'a> {
    rows: &'a mut [f32],
    bias: &'a [f32],
}

impl WithSimd for AddToRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for row in self.rows.chunks_exact_mut(self.bias.len().max(1)) {
            row.iter_mut()
                .zip(self.bias)
                .for_each(|(value, bias)| *value += bias);
        }
    }
}

fn column_sums(values: &[f32], columns: usize) -> Vec<f32> {
    let partial: Vec<Vec<f32>> = values
        .par_chunks(TASK_ROWS * columns.max(1))
        .map(|rows| add_rows(rows, columns))
        .collect();
    add_rows(&partial.concat(), columns)
}

fn add_rows(rows: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for row in rows.chunks_exact(columns.max(1)) {
        sums.iter_mut()
            .zip(row)
            .for_each(|(sum, value)| *sum += value);
    }
    sums
}
