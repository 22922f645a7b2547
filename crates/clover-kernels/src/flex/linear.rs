//! An affine map: the bias is added while the product is in registers.

use super::product::{Matrix, product};
use super::{tensor, values};
use crate::dispatch::Kernel;
use burn::tensor::{Shape, TensorMetadata};
use burn_flex::FlexTensor;
use rayon::prelude::*;

/// Rows in one partial sum of the bias's gradient; fixed, so that it does not depend on the threads.
const TASK_ROWS: usize = 128;

/// Inputs: x, the weight, and the bias if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Linear;

#[derive(Debug, Clone)]
pub(crate) struct Saved {
    x: FlexTensor,
    weight: FlexTensor,
}

impl<const N: usize> Kernel<N> for Linear {
    type Saved = Saved;

    fn forward(&self, inputs: [FlexTensor; N]) -> (FlexTensor, Saved) {
        let inputs = inputs.map(|input| input.to_contiguous());
        let bias = inputs.get(2).map(values);
        let (x, weight) = (inputs[0].clone(), inputs[1].clone());
        let [dim_in, dim_out] = weight.shape().dims();
        let rows = values(&x).len() / dim_in.max(1);

        let left = Matrix::new(values(&x), rows, dim_in);
        let output = product(left, Matrix::new(values(&weight), dim_in, dim_out), bias);
        let mut shape = x.shape();
        let last = shape.num_dims() - 1;
        shape[last] = dim_out;
        (tensor(output, shape), Saved { x, weight })
    }

    fn backward(
        &self,
        saved: Saved,
        gradient: FlexTensor,
        wanted: [bool; N],
    ) -> [Option<FlexTensor>; N] {
        let gradient = gradient.to_contiguous();
        let [dim_in, dim_out] = saved.weight.shape().dims();
        let rows = values(&saved.x).len() / dim_in.max(1);
        let x = Matrix::new(values(&saved.x), rows, dim_in);
        let weight = Matrix::new(values(&saved.weight), dim_in, dim_out);
        let of_output = Matrix::new(values(&gradient), rows, dim_out);

        std::array::from_fn(|input| {
            wanted[input].then(|| match input {
                0 => tensor(product(of_output, weight.transposed(), None), saved.x.shape()),
                1 => tensor(product(x.transposed(), of_output, None), saved.weight.shape()),
                _ => tensor(column_sums(values(&gradient), dim_out), Shape::new([dim_out])),
            })
        })
    }
}

fn column_sums(values: &[f32], columns: usize) -> Vec<f32> {
    let partial: Vec<Vec<f32>> =
        values.par_chunks(TASK_ROWS * columns).map(|rows| add_rows(rows, columns)).collect();
    add_rows(&partial.concat(), columns)
}

fn add_rows(rows: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for row in rows.chunks_exact(columns) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sums
}
