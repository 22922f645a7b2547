//! A Video Swin block made of this crate's operations.

use crate::{HEADS, TOKENS, WIDTH, WINDOWS, Way, parameter, prepare_layer_norm};
use burn::prelude::*;
use clover_kernels::portable;

/// The parameters of a block, in the layouts of `burn::nn`.
pub(crate) struct Block<B: Backend> {
    qkv: Affine<B>,
    projection: Affine<B>,
    widen: Affine<B>,
    narrow: Affine<B>,
    bias: Tensor<B, 3>,
    mask: Tensor<B, 3>,
}

struct Affine<B: Backend> {
    weight: Tensor<B, 2>,
    bias: Tensor<B, 1>,
}

impl<B: Backend> Affine<B> {
    fn new(dim_in: usize, dim_out: usize) -> Self {
        Self {
            weight: parameter([dim_in, dim_out]),
            bias: parameter([dim_out]),
        }
    }

    fn forward(&self, x: Tensor<B, 3>, way: Way) -> Tensor<B, 3> {
        let (weight, bias) = (self.weight.clone(), Some(self.bias.clone()));
        match way {
            Way::Kernel => clover_kernels::linear(x, weight, bias),
            Way::Portable => portable::linear(x, weight, bias),
        }
    }
}

impl<B: Backend> Block<B> {
    pub(crate) fn new() -> Self {
        Self {
            qkv: Affine::new(WIDTH, 3 * WIDTH),
            projection: Affine::new(WIDTH, WIDTH),
            widen: Affine::new(WIDTH, 4 * WIDTH),
            narrow: Affine::new(4 * WIDTH, WIDTH),
            bias: parameter([HEADS, TOKENS, TOKENS]),
            mask: shift_mask(),
        }
    }

    pub(crate) fn forward(&self, x: Tensor<B, 3>, way: Way) -> Tensor<B, 3> {
        // New norms a call: their few hundred values cost nothing beside the rest.
        let qkv = self.qkv.forward(prepare_layer_norm(way)(x.clone()), way);
        let (bias, mask) = (self.bias.clone(), Some(self.mask.clone()));
        let attended = match way {
            Way::Kernel => clover_kernels::window_attention(qkv, HEADS, Some(bias), mask),
            Way::Portable => portable::window_attention(qkv, HEADS, Some(bias), mask),
        };
        let x = x + self.projection.forward(attended, way);
        let hidden = self.widen.forward(prepare_layer_norm(way)(x.clone()), way);
        let hidden = match way {
            Way::Kernel => clover_kernels::gelu(hidden),
            Way::Portable => portable::gelu(hidden),
        };
        x + self.narrow.forward(hidden, way)
    }
}

/// Only the last window of a shifted clip has tokens that must not see each other.
pub(crate) fn shift_mask<B: Backend>() -> Tensor<B, 3> {
    let half = TOKENS / 2;
    Tensor::<B, 3>::zeros([WINDOWS, TOKENS, TOKENS], &Default::default())
        .slice_fill([WINDOWS - 1..WINDOWS, 0..half, half..TOKENS], -100.0)
        .slice_fill([WINDOWS - 1..WINDOWS, half..TOKENS, 0..half], -100.0)
}
