//! Whole rows copied by index.

use super::{indices, tensor, values};
use crate::kernel::Kernel;
use burn::tensor::ops::FloatTensorOps;
use burn::tensor::{Shape, TensorMetadata};
use burn_flex::{Flex, FlexTensor};
use rayon::prelude::*;

/// Fewest rows in one parallel task.
const TASK_ROWS: usize = 32;

/// Which row goes where, also as the tensor that flex's own selection wants.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    tensor: FlexTensor,
    entries: Vec<usize>,
}

impl Index {
    pub(crate) fn new(tensor: FlexTensor) -> Option<Self> {
        let entries = indices(&tensor)?;
        Some(Self { tensor, entries })
    }

    fn take(&self, x: &FlexTensor) -> FlexTensor {
        let [rows, dim] = x.shape().dims();
        if self.entries.iter().all(|&row| row < rows) {
            // Without padding the backend's selection is faster: it does not clear its output first.
            return Flex::float_select(x.clone(), 0, self.tensor.clone());
        }
        let x = x.to_contiguous();
        let mut output = vec![0.0; self.entries.len() * dim];
        let slots = output.par_chunks_mut(dim.max(1)).with_min_len(TASK_ROWS);
        slots.zip(&self.entries).for_each(|(output, &row)| {
            if row != rows {
                output.copy_from_slice(&values(&x)[row * dim..][..dim]);
            }
        });
        tensor(output, Shape::new([self.entries.len(), dim]))
    }
}

/// Rows taken any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Gather {
    pub(crate) index: Index,
}

/// Rows taken at most once, where an index one past the last row asks for zeros.
#[derive(Debug, Clone)]
pub(crate) struct Permutation {
    pub(crate) index: Index,
    pub(crate) inverse: Index,
}

impl Kernel<Flex, 1> for Gather {
    /// Rows of the input.
    type Saved = usize;

    fn forward(&self, [x]: [FlexTensor; 1]) -> (FlexTensor, usize) {
        let [rows, _] = x.shape().dims();
        (self.index.take(&x), rows)
    }

    fn backward(&self, rows: usize, gradient: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let gradient = gradient.to_contiguous();
        let [_, dim] = gradient.shape().dims();
        let copies = copies_of(&self.index.entries, rows);
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

impl Kernel<Flex, 1> for Permutation {
    type Saved = ();

    fn forward(&self, [x]: [FlexTensor; 1]) -> (FlexTensor, ()) {
        (self.index.take(&x), ())
    }

    fn backward(&self, (): (), gradient: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        [Some(self.inverse.take(&gradient))]
    }
}
