//! Gathers by fixed indices whose backward pass gathers too.
//!
//! Burn derives the selection of rows as a scatter. Its GPU backends run a scatter one index after
//! the other: 100,000 dependent steps for one window partition. Who knows the indices beforehand can
//! turn them round once, and back-propagate by gathering.

use burn::prelude::*;
use burn::tensor::ops::{FloatTensor, IntTensor};
use burn::tensor::{IndexingUpdateOp, TensorPrimitive};

use crate::kernel::Kernel;

/// Up to so many indices, a scatter is cheaper than a product with their one-hot rows.
const LONGEST_SCATTER: usize = 4096;
/// Elements of the largest block of one-hot rows.
const ONE_HOT_BLOCK: usize = 1 << 26;

/// Entry `i` of the output is the sum of the `group` entries of the input at
/// `index[i * group..][..group]`.
#[derive(Debug, Clone)]
pub(crate) struct SummedGather<I> {
    pub(crate) index: I,
    pub(crate) group: usize,
    /// Whether an index may be one past the last entry, for a zero.
    pub(crate) padded: bool,
}

/// A gather along one dimension of a matrix, and those that undo it: what the backward pass applies
/// one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Moves<I> {
    pub(crate) dim: usize,
    pub(crate) forward: SummedGather<I>,
    pub(crate) backward: Vec<SummedGather<I>>,
}

/// Rows taken any number of times, by indices that only the device knows.
#[derive(Debug, Clone)]
pub(crate) struct Lookup<I> {
    pub(crate) index: I,
}

/// The integers `values`, as a tensor that no gradient concerns.
fn index_tensor<B: Backend>(values: IntTensor<B>) -> Tensor<B, 1, Int> {
    Tensor::from_primitive(values)
}

fn matrix<B: Backend>(values: FloatTensor<B>) -> Tensor<B, 2> {
    Tensor::from_primitive(TensorPrimitive::Float(values))
}

fn float<B: Backend>(tensor: Tensor<B, 2>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

fn summed_gather<B: Backend>(
    x: Tensor<B, 2>,
    dim: usize,
    step: &SummedGather<IntTensor<B>>,
) -> Tensor<B, 2> {
    let index = index_tensor::<B>(step.index.clone());
    let [entries] = index.dims();
    let mut dims = x.dims();
    let x = if step.padded {
        dims[dim] = 1;
        let zeros = Tensor::zeros(dims, (&x.device(), x.dtype()));
        Tensor::cat(vec![x, zeros], dim)
    } else {
        x
    };
    let taken = x.select(dim, index);
    if step.group == 1 {
        return taken;
    }
    dims[dim] = entries / step.group;
    let grouped = match dim {
        0 => taken.reshape([dims[0], step.group, dims[1]]),
        _ => taken.reshape([dims[0], dims[1], step.group]),
    };
    grouped.sum_dim(dim + 1).reshape(dims)
}

impl<I> Moves<I> {
    /// By plain operations; where `B` tracks gradients, Burn derives them.
    pub(crate) fn compose<B: Backend<IntTensorPrimitive = I>>(
        &self,
        x: Tensor<B, 2>,
    ) -> Tensor<B, 2> {
        summed_gather(x, self.dim, &self.forward)
    }
}

impl<B: Backend> Kernel<B, 1> for Moves<IntTensor<B>> {
    type Saved = ();

    fn forward(&self, [x]: [FloatTensor<B>; 1]) -> (FloatTensor<B>, ()) {
        (float(self.compose::<B>(matrix(x))), ())
    }

    fn backward(
        &self,
        (): (),
        gradient: FloatTensor<B>,
        _: [bool; 1],
    ) -> [Option<FloatTensor<B>>; 1] {
        let gradient = self
            .backward
            .iter()
            .fold(matrix(gradient), |gradient, step| {
                summed_gather::<B>(gradient, self.dim, step)
            });
        [Some(float(gradient))]
    }
}

impl<B: Backend> Kernel<B, 1> for Lookup<IntTensor<B>> {
    /// Rows of the table.
    type Saved = usize;

    fn forward(&self, [table]: [FloatTensor<B>; 1]) -> (FloatTensor<B>, usize) {
        let table = matrix::<B>(table);
        let [rows, _] = table.dims();
        let taken = table.select(0, index_tensor(self.index.clone()));
        (float(taken), rows)
    }

    fn backward(
        &self,
        rows: usize,
        gradient: FloatTensor<B>,
        _: [bool; 1],
    ) -> [Option<FloatTensor<B>>; 1] {
        let index = index_tensor::<B>(self.index.clone());
        let gradient = matrix::<B>(gradient);
        let sums = if index.dims()[0] <= LONGEST_SCATTER {
            scattered(rows, index, gradient)
        } else {
            multiplied(rows, index, gradient)
        };
        [Some(float(sums))]
    }
}

/// The sum of the gradients of all copies of each row.
fn scattered<B: Backend>(
    rows: usize,
    index: Tensor<B, 1, Int>,
    gradient: Tensor<B, 2>,
) -> Tensor<B, 2> {
    let [_, dim] = gradient.dims();
    Tensor::zeros([rows, dim], (&gradient.device(), gradient.dtype())).select_assign(
        0,
        index,
        gradient,
        IndexingUpdateOp::Add,
    )
}

/// The same as a product with one-hot rows, a block of them at a time.
fn multiplied<B: Backend>(
    rows: usize,
    index: Tensor<B, 1, Int>,
    gradient: Tensor<B, 2>,
) -> Tensor<B, 2> {
    let [copies, _] = gradient.dims();
    let block = (ONE_HOT_BLOCK / copies).clamp(1, rows.max(1));
    let index = index.reshape([1, copies]);
    let sums = (0..rows).step_by(block).map(|start| {
        let end = rows.min(start + block);
        let of_block = Tensor::arange(start as i64..end as i64, &gradient.device());
        let of_block: Tensor<B, 2, Int> = of_block.reshape([end - start, 1]);
        let one_hot = index
            .clone()
            .expand([end - start, copies])
            .equal(of_block.expand([end - start, copies]));
        let one_hot = one_hot.float().cast(gradient.dtype());
        one_hot.matmul(gradient.clone())
    });
    Tensor::cat(sums.collect(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{assert_close, scattered as values};

    #[test]
    fn a_product_with_one_hot_rows_sums_the_same_copies_as_a_scatter() {
        let device = Default::default();
        let index: Vec<i32> = (0..40).map(|copy| copy * copy % 7).collect();
        let index = Tensor::<crate::TestBackend, 1, Int>::from_data(index.as_slice(), &device);
        let gradient = values([40, 3], 1).inner();

        let expected = scattered(9, index.clone(), gradient.clone());
        let found = multiplied(9, index, gradient);

        assert_close("sums", found, expected, 1e-6);
    }
}
