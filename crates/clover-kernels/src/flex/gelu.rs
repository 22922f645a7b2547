//! GELU and its approximation: `x * share(x)`, with the derivative `share(x) + x * share'(x)`.

use super::simd::{logistic, normal, vectorized};
use super::values;
use crate::gelu::QUICK_SLOPE;
use crate::kernel::Kernel;
use burn_flex::{Flex, FlexTensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Elements in one parallel task.
const TASK: usize = 1 << 14;

/// The part of `x` that passes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gelu {
    /// `Phi(x)`.
    Exact,
    /// `sigmoid(1.702 x)`.
    Quick,
}

impl Gelu {
    fn apply(self, x: &mut [f32]) {
        match self {
            Self::Exact => vectorized(Map { x, shares: Exact }),
            Self::Quick => vectorized(Map { x, shares: Quick }),
        }
    }

    fn differentiate(self, x: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Exact => vectorized(Derivative {
                x,
                gradient,
                shares: Exact,
            }),
            Self::Quick => vectorized(Derivative {
                x,
                gradient,
                shares: Quick,
            }),
        }
    }
}

impl Kernel<Flex, 1> for Gelu {
    type Saved = FlexTensor;

    fn forward(&self, [x]: [FlexTensor; 1]) -> (FlexTensor, FlexTensor) {
        let x = x.to_contiguous();
        (self.infer([x.clone()]), x)
    }

    /// In place, where nobody else holds `x`.
    fn infer(&self, [x]: [FlexTensor; 1]) -> FlexTensor {
        let mut output = x.to_contiguous();
        drop(x);
        let tasks = output.storage_mut::<f32>().par_chunks_mut(TASK);
        tasks.for_each(|x| self.apply(x));
        output
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
            .for_each(|(gradient, x)| self.differentiate(x, gradient));
        [Some(gradient)]
    }
}

/// `share(x)` and `x * share'(x)`.
trait Shares: Copy {
    fn of<S: Simd>(self, simd: S, x: S::f32s) -> [S::f32s; 2];
}

#[derive(Clone, Copy)]
struct Exact;

impl Shares for Exact {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, x: S::f32s) -> [S::f32s; 2] {
        const DENSITY_AT_ZERO: f32 = 0.398_942_3;
        let (share, bell) = normal(simd, x);
        let slope = simd.mul_f32s(x, simd.splat_f32s(DENSITY_AT_ZERO));
        [share, simd.mul_f32s(slope, bell)]
    }
}

#[derive(Clone, Copy)]
struct Quick;

impl Shares for Quick {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, x: S::f32s) -> [S::f32s; 2] {
        let scaled = simd.mul_f32s(x, simd.splat_f32s(QUICK_SLOPE as f32));
        let share = logistic(simd, scaled);
        // The derivative of the logistic function is s (1 - s).
        let spread = simd.negate_mul_add_e_f32s(share, share, share);
        [share, simd.mul_f32s(scaled, spread)]
    }
}

struct Map<'a, F> {
    x: &'a mut [f32],
    shares: F,
}

impl<F: Shares> WithSimd for Map<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (vectors, tail) = S::as_mut_simd_f32s(self.x);
        for x in vectors {
            *x = simd.mul_f32s(*x, self.shares.of(simd, *x)[0]);
        }
        let x = simd.partial_load_f32s(tail);
        simd.partial_store_f32s(tail, simd.mul_f32s(x, self.shares.of(simd, x)[0]));
    }
}

/// Multiplies a gradient by the derivative.
struct Derivative<'a, F> {
    x: &'a [f32],
    gradient: &'a mut [f32],
    shares: F,
}

impl<F: Shares> WithSimd for Derivative<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let derivative = |x| {
            let [share, slope] = self.shares.of(simd, x);
            simd.add_f32s(share, slope)
        };
        let (x, x_tail) = S::as_simd_f32s(self.x);
        let (gradient, gradient_tail) = S::as_mut_simd_f32s(self.gradient);
        for (x, gradient) in x.iter().zip(gradient) {
            *gradient = simd.mul_f32s(*gradient, derivative(*x));
        }
        let x = simd.partial_load_f32s(x_tail);
        let tail = simd.mul_f32s(simd.partial_load_f32s(gradient_tail), derivative(x));
        simd.partial_store_f32s(gradient_tail, tail);
    }
}
