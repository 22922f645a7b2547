//! Each operation on flex: its kernel against the composition of plain operations, at the size of a
//! Video Swin block (8 windows of 392 tokens, 512 wide, 16 heads), and the whole block.
//!
//! `cargo bench -p clover-kernels --features flex [-- name]`; README.md has the figures.

mod block;

use burn::backend::Autodiff;
use burn::prelude::*;
use burn::tensor::Distribution;
use burn_flex::Flex;
use clover_kernels::{RowPermutation, portable};
use divan::Bencher;

/// Fresh blocks from the system cost page faults; programs are expected to choose a cache too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Trained = Autodiff<Flex>;

const WINDOWS: usize = 8;
const TOKENS: usize = 392;
const WIDTH: usize = 512;
const HEADS: usize = 16;

/// How an operation is computed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Kernel,
    Portable,
}

const WAYS: [Way; 2] = [Way::Kernel, Way::Portable];

fn main() {
    divan::main();
}

fn random<B: Backend, const D: usize>(shape: [usize; D]) -> Tensor<B, D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Default::default())
}

/// A parameter; on a backend without autodiff the mark does nothing.
fn parameter<B: Backend, const D: usize>(shape: [usize; D]) -> Tensor<B, D> {
    let values = random::<B, D>(shape).mul_scalar(0.02);
    if B::ad_enabled(&values.device()) {
        values.require_grad()
    } else {
        values
    }
}

fn measure_forward<const D: usize, const E: usize>(
    bencher: Bencher<'_, '_>,
    shape: [usize; D],
    operation: impl Fn(Tensor<Flex, D>) -> Tensor<Flex, E>,
) {
    let x = random(shape);
    bencher.bench_local(|| operation(x.clone()));
}

/// Forward and backward, for the gradient of `x` and of what the operation holds.
fn measure_training<const D: usize, const E: usize>(
    bencher: Bencher<'_, '_>,
    shape: [usize; D],
    operation: impl Fn(Tensor<Trained, D>) -> Tensor<Trained, E>,
) {
    let x = random::<Trained, D>(shape);
    bencher.bench_local(|| {
        let x = x.clone().detach().require_grad();
        let gradients = operation(x.clone()).sum().backward();
        x.grad(&gradients)
    });
}

/// Declares the forward and the training bench of one operation of one tensor.
macro_rules! operation {
    ($name:ident, $shape:expr, $prepare:ident) => {
        mod $name {
            use super::*;

            #[divan::bench(args = WAYS)]
            fn forward(bencher: Bencher<'_, '_>, way: Way) {
                measure_forward(bencher, $shape, $prepare::<Flex>(way));
            }

            #[divan::bench(args = WAYS)]
            fn training(bencher: Bencher<'_, '_>, way: Way) {
                measure_training(bencher, $shape, $prepare::<Trained>(way));
            }
        }
    };
}

operation!(gelu, [WINDOWS, TOKENS, 4 * WIDTH], prepare_gelu);
operation!(layer_norm, [WINDOWS, TOKENS, WIDTH], prepare_layer_norm);
operation!(linear, [WINDOWS, TOKENS, WIDTH], prepare_linear);
operation!(
    window_attention,
    [WINDOWS, TOKENS, 3 * WIDTH],
    prepare_window_attention
);
operation!(masked_attention, [32, 64, 768], prepare_masked_attention);
operation!(softmax_cross_entropy, [256, 30522], prepare_cross_entropy);
operation!(permute_rows, [2 * 8 * 56 * 56, 128], prepare_permutation);

fn prepare_gelu<B: Backend>(way: Way) -> impl Fn(Tensor<B, 3>) -> Tensor<B, 3> {
    move |x| match way {
        Way::Kernel => clover_kernels::gelu(x),
        Way::Portable => portable::gelu(x),
    }
}

fn prepare_layer_norm<B: Backend>(way: Way) -> impl Fn(Tensor<B, 3>) -> Tensor<B, 3> {
    let (gamma, beta) = (parameter::<B, 1>([WIDTH]), parameter::<B, 1>([WIDTH]));
    move |x| match way {
        Way::Kernel => clover_kernels::layer_norm(x, gamma.clone(), beta.clone(), 1e-5),
        Way::Portable => portable::layer_norm(x, gamma.clone(), beta.clone(), 1e-5),
    }
}

fn prepare_linear<B: Backend>(way: Way) -> impl Fn(Tensor<B, 3>) -> Tensor<B, 3> {
    let weight = parameter::<B, 2>([WIDTH, 4 * WIDTH]);
    let bias = parameter::<B, 1>([4 * WIDTH]);
    move |x| match way {
        Way::Kernel => clover_kernels::linear(x, weight.clone(), Some(bias.clone())),
        Way::Portable => portable::linear(x, weight.clone(), Some(bias.clone())),
    }
}

fn prepare_window_attention<B: Backend>(way: Way) -> impl Fn(Tensor<B, 3>) -> Tensor<B, 3> {
    let bias = parameter::<B, 3>([HEADS, TOKENS, TOKENS]);
    let mask = block::shift_mask::<B>();
    move |qkv| {
        let (bias, mask) = (bias.clone(), Some(mask.clone()));
        match way {
            Way::Kernel => clover_kernels::window_attention(qkv, HEADS, Some(bias), mask),
            Way::Portable => portable::window_attention(qkv, HEADS, Some(bias), mask),
        }
    }
}

fn prepare_masked_attention<B: Backend>(way: Way) -> impl Fn(Tensor<B, 3>) -> Tensor<B, 3> {
    let mask = Tensor::<B, 2>::zeros([32, 64], &Default::default());
    move |x| {
        let (q, k, v, mask) = (x.clone(), x.clone(), x, mask.clone());
        match way {
            Way::Kernel => clover_kernels::masked_attention(q, k, v, 12, mask, None),
            Way::Portable => portable::masked_attention(q, k, v, 12, mask, None),
        }
    }
}

fn prepare_cross_entropy<B: Backend>(way: Way) -> impl Fn(Tensor<B, 2>) -> Tensor<B, 1> {
    let labels = Tensor::<B, 1, Int>::arange(0..256, &Default::default());
    move |x| match way {
        Way::Kernel => clover_kernels::softmax_cross_entropy(x, labels.clone()),
        Way::Portable => portable::softmax_cross_entropy(x, labels.clone()),
    }
}

fn prepare_permutation<B: Backend>(way: Way) -> impl Fn(Tensor<B, 2>) -> Tensor<B, 2> {
    let rows = 2 * 8 * 56 * 56;
    let reversed: Vec<_> = (0..rows).rev().map(Some).collect();
    let places = RowPermutation::new(&reversed, rows, &Default::default());
    move |x| match way {
        Way::Kernel => places.forward(x),
        Way::Portable => places.portable_forward(x),
    }
}

#[divan::bench(args = WAYS)]
fn block_forward(bencher: Bencher<'_, '_>, way: Way) {
    let block = block::Block::<Flex>::new();
    measure_forward(bencher, [WINDOWS, TOKENS, WIDTH], |x| block.forward(x, way));
}

#[divan::bench(args = WAYS)]
fn block_training(bencher: Bencher<'_, '_>, way: Way) {
    let block = block::Block::<Trained>::new();
    measure_training(bencher, [WINDOWS, TOKENS, WIDTH], |x| block.forward(x, way));
}
