//! Whole rows copied by index.

use super::{tensor, values};
use crate::dispatch::Kernel;
use burn::tensor::{Shape, TensorMetadata};
use burn_flex::FlexTensor;
use rayon::prelude::*;

/// Fewest rows in one parallel task.
const TASK_ROWS: usize = 32;

/// Rows taken any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Gather {
    pub(crate) index: Vec<usize>,
}

/// Rows taken at most once, where an index one past the last row asks for zeros.
#[derive(Debug, Clone)]
pub(crate) struct Permutation {
    pub(crate) index: Vec<usize>,
    pub(crate) inverse: Vec<usize>,
}

impl Kernel<1> for Gather {
    /// Rows of the input.
    type Saved = usize;

    fn forward(&self, [x]: [FlexTensor; 1]) -> (FlexTensor, usize) {
        let [rows, _] = x.shape().dims();
        (take(&x, &self.index), rows)
    }

    fn backward(&self, rows: usize, gradient: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let gradient = gradient.to_contiguous();
        let [_, dim] = gradient.shape().dims();
        let copies = copies_of(&self.index, rows);
        let mut sums = vec![0.0; rows * dim];
        let tasks = sums
            .par_chunks_mut(dim.max(1))
            .with_min_len(TASK_ROWS)
            .zip(copies);
        tasks.for_each(|(sum, copies)| {
            for copy in copies {
                let row = &values(&gradient)[copy * dim..][..dim];
                sum.iter_mut()
                    .zip(row)
                    .for_each(|(sum, value)| *sum += value);
            }
        });
        [Some(tensor(sums, Shape::new([rows, dim])))]
    }
}

/// The output rows that each input row went to, so that a sum needs no lock and has one order.
fn copies_of(index: &[usize], rows: usize) -> Vec<Vec<usize>> {
    let mut copies = vec![Vec::new(); rows];
    for (output, &input) in index.iter().enumerate() {
        copies[input].push(output);
    }
    copies
}

impl Kernel<1> for Permutation {
    type Saved = ();

    fn forward(&self, [x]: [FlexTensor; 1]) -> (FlexTensor, ()) {
        (take(&x, &self.index), ())
    }

    fn backward(&self, (): (), gradient: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        [Some(take(&gradient, &self.inverse))]
    }
}

fn take(x: &FlexTensor, index: &[usize]) -> FlexTensor {
    let x = x.to_contiguous();
    let [rows, dim] = x.shape().dims();
    let mut output = vec![0.0; index.len() * dim];
    output
        .par_chunks_mut(dim.max(1))
        .with_min_len(TASK_ROWS)
        .zip(index)
        .for_each(|(output, &row)| {
            if row != rows {
                output.copy_from_slice(&values(&x)[row * dim..][..dim]);
            }
        });
    tensor(output, Shape::new([index.len(), dim]))
}
