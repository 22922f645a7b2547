//! Layer normalization, one row at a time while it is in the cache.

use super::simd::vectorized;
use super::{tensor, values};
use crate::kernel::Kernel;
use burn::tensor::{Shape, TensorMetadata};
use burn_flex::{Flex, FlexTensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::sync::Arc;

/// Rows in one parallel task; fixed, so that sums over rows do not depend on the thread count.
const TASK_ROWS: usize = 64;

#[derive(Debug, Clone)]
pub(crate) struct LayerNorm {
    pub(crate) epsilon: f64,
}

/// A row's mean and the inverse of its standard deviation.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    mean: f32,
    inverse_deviation: f32,
}

#[derive(Debug, Clone)]
pub(crate) struct Saved {
    x: FlexTensor,
    gamma: FlexTensor,
    moments: Arc<Vec<Moments>>,
}

impl Kernel<Flex, 3> for LayerNorm {
    type Saved = Saved;

    fn forward(&self, inputs: [FlexTensor; 3]) -> (FlexTensor, Saved) {
        let [x, gamma, beta] = inputs.map(|input| input.to_contiguous());
        let dim = values(&gamma).len().max(1);
        let mut output = vec![0.0; x.layout().num_elements()];
        let mut moments = vec![Moments::default(); output.len() / dim];
        output
            .par_chunks_mut(dim * TASK_ROWS)
            .zip(values(&x).par_chunks(dim * TASK_ROWS))
            .zip(moments.par_chunks_mut(TASK_ROWS))
            .for_each(|((output, x), moments)| {
                let (gamma, beta) = (values(&gamma), values(&beta));
                let epsilon = self.epsilon as f32;
                vectorized(Forward {
                    x,
                    gamma,
                    beta,
                    epsilon,
                    output,
                    moments,
                });
            });
        let output = tensor(output, x.shape());
        (
            output,
            Saved {
                x,
                gamma,
                moments: Arc::new(moments),
            },
        )
    }

    fn backward(
        &self,
        saved: Saved,
        gradient: FlexTensor,
        _: [bool; 3],
    ) -> [Option<FlexTensor>; 3] {
        let Saved { x, gamma, moments } = saved;
        let mut gradient = gradient.to_contiguous();
        let dim = values(&gamma).len().max(1);
        let tasks = moments.len().div_ceil(TASK_ROWS);
        let mut sums = vec![0.0; tasks * 2 * dim];
        gradient
            .storage_mut::<f32>()
            .par_chunks_mut(dim * TASK_ROWS)
            .zip(values(&x).par_chunks(dim * TASK_ROWS))
            .zip(moments.par_chunks(TASK_ROWS))
            .zip(sums.par_chunks_mut(2 * dim))
            .for_each(|(((gradient, x), moments), sums)| {
                let (for_gamma, for_beta) = sums.split_at_mut(dim);
                let gamma = values(&gamma);
                vectorized(Backward {
                    x,
                    gamma,
                    moments,
                    gradient,
                    for_gamma,
                    for_beta,
                });
            });
        let (for_gamma, for_beta) = add_up(&sums, dim);
        let of_dim = |sums| tensor(sums, Shape::new([dim]));
        [
            Some(gradient),
            Some(of_dim(for_gamma)),
            Some(of_dim(for_beta)),
        ]
    }
}

/// The sums of all tasks.
fn add_up(sums: &[f32], dim: usize) -> (Vec<f32>, Vec<f32>) {
    let mut total = vec![0.0; 2 * dim];
    for task in sums.chunks_exact(2 * dim) {
        total
            .iter_mut()
            .zip(task)
            .for_each(|(total, sum)| *total += sum);
    }
    let for_beta = total.split_off(dim);
    (total, for_beta)
}

struct Forward<'a> {
    x: &'a [f32],
    gamma: &'a [f32],
    beta: &'a [f32],
    epsilon: f32,
    output: &'a mut [f32],
    moments: &'a mut [Moments],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let dim = self.gamma.len();
        let rows = self
            .x
            .chunks_exact(dim)
            .zip(self.output.chunks_exact_mut(dim));
        for ((x, output), moments) in rows.zip(self.moments) {
            *moments = row_moments(simd, x, self.epsilon);
            let (mean, scale) = (moments.mean, moments.inverse_deviation);
            let (means, scales) = (simd.splat_f32s(mean), simd.splat_f32s(scale));
            let (x, x_tail) = S::as_simd_f32s(x);
            let (gamma, gamma_tail) = S::as_simd_f32s(self.gamma);
            let (beta, beta_tail) = S::as_simd_f32s(self.beta);
            let (output, output_tail) = S::as_mut_simd_f32s(output);
            for (((x, gamma), beta), output) in x.iter().zip(gamma).zip(beta).zip(output) {
                let normal = simd.mul_f32s(simd.sub_f32s(*x, means), scales);
                *output = simd.mul_add_e_f32s(normal, *gamma, *beta);
            }
            let tail = x_tail
                .iter()
                .zip(gamma_tail)
                .zip(beta_tail)
                .zip(output_tail);
            for (((x, gamma), beta), output) in tail {
                *output = (x - mean) * scale * gamma + beta;
            }
        }
    }
}

#[inline(always)]
fn row_moments<S: Simd>(simd: S, x: &[f32], epsilon: f32) -> Moments {
    let count = x.len() as f32;
    let (vectors, tail) = S::as_simd_f32s(x);
    let mut sums = simd.splat_f32s(0.0);
    for x in vectors {
        sums = simd.add_f32s(sums, *x);
    }
    let mean = (simd.reduce_sum_f32s(sums) + tail.iter().sum::<f32>()) / count;

    let means = simd.splat_f32s(mean);
    let mut squares = simd.splat_f32s(0.0);
    for x in vectors {
        let centred = simd.sub_f32s(*x, means);
        squares = simd.mul_add_e_f32s(centred, centred, squares);
    }
    let tail: f32 = tail.iter().map(|x| (x - mean) * (x - mean)).sum();
    let variance = (simd.reduce_sum_f32s(squares) + tail) / count;
    Moments {
        mean,
        inverse_deviation: (variance + epsilon).sqrt().recip(),
    }
}

/// Turns the output's gradient into the input's, and adds up those of gamma and beta.
struct Backward<'a> {
    x: &'a [f32],
    gamma: &'a [f32],
    moments: &'a [Moments],
    gradient: &'a mut [f32],
    for_gamma: &'a mut [f32],
    for_beta: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let dim = self.gamma.len();
        let rows = self
            .x
            .chunks_exact(dim)
            .zip(self.gradient.chunks_exact_mut(dim));
        for ((x, gradient), moments) in rows.zip(self.moments) {
            let (for_gamma, for_beta) = (&mut *self.for_gamma, &mut *self.for_beta);
            let means = row_sums(simd, x, gradient, self.gamma, *moments, for_gamma, for_beta);
            row_gradient(simd, x, gradient, self.gamma, *moments, means);
        }
    }
}

/// The means over the row of `gradient * gamma`, and of the same times the normalized row.
#[inline(always)]
fn row_sums<S: Simd>(
    simd: S,
    x: &[f32],
    gradient: &[f32],
    gamma: &[f32],
    moments: Moments,
    for_gamma: &mut [f32],
    for_beta: &mut [f32],
) -> [f32; 2] {
    let count = x.len() as f32;
    let Moments {
        mean,
        inverse_deviation: scale,
    } = moments;
    let (means, scales) = (simd.splat_f32s(mean), simd.splat_f32s(scale));
    let mut sums = [simd.splat_f32s(0.0); 2];
    let (x, x_tail) = S::as_simd_f32s(x);
    let (gradient, gradient_tail) = S::as_simd_f32s(gradient);
    let (gamma, gamma_tail) = S::as_simd_f32s(gamma);
    let (for_gamma, for_gamma_tail) = S::as_mut_simd_f32s(for_gamma);
    let (for_beta, for_beta_tail) = S::as_mut_simd_f32s(for_beta);
    let vectors = x
        .iter()
        .zip(gradient)
        .zip(gamma)
        .zip(for_gamma)
        .zip(for_beta);
    for ((((x, gradient), gamma), for_gamma), for_beta) in vectors {
        let normal = simd.mul_f32s(simd.sub_f32s(*x, means), scales);
        *for_gamma = simd.mul_add_e_f32s(*gradient, normal, *for_gamma);
        *for_beta = simd.add_f32s(*for_beta, *gradient);
        let scaled = simd.mul_f32s(*gradient, *gamma);
        sums[0] = simd.add_f32s(sums[0], scaled);
        sums[1] = simd.mul_add_e_f32s(scaled, normal, sums[1]);
    }
    let mut sums = sums.map(|sums| simd.reduce_sum_f32s(sums));
    let tail = x_tail.iter().zip(gradient_tail).zip(gamma_tail);
    for (((x, gradient), gamma), (for_gamma, for_beta)) in
        tail.zip(for_gamma_tail.iter_mut().zip(for_beta_tail))
    {
        let normal = (x - mean) * scale;
        *for_gamma += gradient * normal;
        *for_beta += gradient;
        sums[0] += gradient * gamma;
        sums[1] += gradient * gamma * normal;
    }
    sums.map(|sum| sum / count)
}

#[inline(always)]
fn row_gradient<S: Simd>(
    simd: S,
    x: &[f32],
    gradient: &mut [f32],
    gamma: &[f32],
    moments: Moments,
    row_means: [f32; 2],
) {
    let Moments {
        mean,
        inverse_deviation: scale,
    } = moments;
    let (means, scales) = (simd.splat_f32s(mean), simd.splat_f32s(scale));
    let [first, second] = row_means.map(|mean| simd.splat_f32s(mean));
    let (x, x_tail) = S::as_simd_f32s(x);
    let (gradient, gradient_tail) = S::as_mut_simd_f32s(gradient);
    let (gamma, gamma_tail) = S::as_simd_f32s(gamma);
    for ((x, gradient), gamma) in x.iter().zip(gradient).zip(gamma) {
        let normal = simd.mul_f32s(simd.sub_f32s(*x, means), scales);
        let centred = simd.sub_f32s(simd.mul_f32s(*gradient, *gamma), first);
        *gradient = simd.mul_f32s(scales, simd.negate_mul_add_e_f32s(normal, second, centred));
    }
    for ((x, gradient), gamma) in x_tail.iter().zip(gradient_tail).zip(gamma_tail) {
        let normal = (x - mean) * scale;
        *gradient = scale * (*gradient * gamma - row_means[0] - normal * row_means[1]);
    }
}
