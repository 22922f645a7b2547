//! The exact GELU: `x * Phi(x)`, with the derivative `Phi(x) + x * phi(x)`.

use super::simd::{normal, vectorized};
use super::{tensor, values};
use crate::kernel::Kernel;
use burn::tensor::TensorMetadata;
use burn_flex::{Flex, FlexTensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Elements in one parallel task.
const TASK: usize = 1 << 14;

#[derive(Debug, Clone)]
pub(crate) struct Gelu;

impl Kernel<Flex, 1> for Gelu {
    type Saved = FlexTensor;

    fn forward(&self, [x]: [FlexTensor; 1]) -> (FlexTensor, FlexTensor) {
        let x = x.to_contiguous();
        let mut output = vec![0.0; x.layout().num_elements()];
        let tasks = output.par_chunks_mut(TASK).zip(values(&x).par_chunks(TASK));
        tasks.for_each(|(output, x)| vectorized(Forward { x, output }));
        (tensor(output, x.shape()), x)
    }

    fn backward(
        &self,
        x: FlexTensor,
        gradient: FlexTensor,
        _: [bool; 1],
    ) -> [Option<FlexTensor>; 1] {
        let mut gradient = gradient.to_contiguous();
        let tasks = gradient.storage_mut::<f32>().par_chunks_mut(TASK);
        tasks
            .zip(values(&x).par_chunks(TASK))
            .for_each(|(gradient, x)| vectorized(Derivative { x, gradient }));
        [Some(gradient)]
    }
}

struct Forward<'a> {
    x: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (x, x_tail) = S::as_simd_f32s(self.x);
        let (output, output_tail) = S::as_mut_simd_f32s(self.output);
        for (x, output) in x.iter().zip(output) {
            *output = simd.mul_f32s(*x, normal(simd, *x).0);
        }
        let x = simd.partial_load_f32s(x_tail);
        simd.partial_store_f32s(output_tail, simd.mul_f32s(x, normal(simd, x).0));
    }
}

/// Multiplies a gradient by GELU's derivative.
struct Derivative<'a> {
    x: &'a [f32],
    gradient: &'a mut [f32],
}

impl WithSimd for Derivative<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (x, x_tail) = S::as_simd_f32s(self.x);
        let (gradient, gradient_tail) = S::as_mut_simd_f32s(self.gradient);
        for (x, gradient) in x.iter().zip(gradient) {
            *gradient = simd.mul_f32s(*gradient, derivative(simd, *x));
        }
        let x = simd.partial_load_f32s(x_tail);
        let tail = simd.mul_f32s(simd.partial_load_f32s(gradient_tail), derivative(simd, x));
        simd.partial_store_f32s(gradient_tail, tail);
    }
}

#[inline(always)]
fn derivative<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const DENSITY_AT_ZERO: f32 = 0.398_942_3;
    let (share, bell) = normal(simd, x);
    let slope = simd.mul_f32s(x, simd.splat_f32s(DENSITY_AT_ZERO));
    simd.mul_add_e_f32s(slope, bell, share)
}
