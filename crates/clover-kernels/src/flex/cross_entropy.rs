//! Cross entropy of a softmax, without ever writing the softmax down in the forward pass.

use super::simd::{exp, vectorized};
use super::{tensor, values};
use crate::kernel::Kernel;
use burn::tensor::{Shape, TensorMetadata};
use burn_flex::{Flex, FlexTensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

#[derive(Debug, Clone)]
pub(crate) struct CrossEntropy {
    pub(crate) labels: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct Saved {
    logits: FlexTensor,
    losses: FlexTensor,
}

impl Kernel<Flex, 1> for CrossEntropy {
    type Saved = Saved;

    fn forward(&self, [logits]: [FlexTensor; 1]) -> (FlexTensor, Saved) {
        let logits = logits.to_contiguous();
        let [_, vocabulary] = logits.shape().dims();
        let losses: Vec<f32> = values(&logits)
            .par_chunks(vocabulary.max(1))
            .zip(&self.labels)
            .map(|(row, &label)| vectorized(Loss { row, label }))
            .collect();
        let shape = Shape::new([losses.len()]);
        let losses = tensor(losses, shape);
        let saved = Saved {
            logits,
            losses: losses.clone(),
        };
        (losses, saved)
    }

    fn backward(
        &self,
        saved: Saved,
        gradient: FlexTensor,
        _: [bool; 1],
    ) -> [Option<FlexTensor>; 1] {
        // In place where nobody else holds the logits any more.
        let Saved { mut logits, losses } = saved;
        let [_, vocabulary] = logits.shape().dims();
        let gradient = gradient.to_contiguous();
        logits
            .storage_mut::<f32>()
            .par_chunks_mut(vocabulary.max(1))
            .zip(values(&gradient))
            .zip(values(&losses))
            .zip(&self.labels)
            .for_each(|(((row, &scale), &loss), &label)| {
                // The label gains what the others lose: one minus its share would be rounded.
                let own = std::mem::replace(&mut row[label], f32::NEG_INFINITY);
                let others = vectorized(Softmax {
                    row: &mut *row,
                    own,
                    loss,
                    scale,
                });
                row[label] = -others;
            });
        [Some(logits)]
    }
}

/// The loss of a row: `log(1 + sum over the others of exp(x - own))`.
struct Loss<'a> {
    row: &'a [f32],
    label: usize,
}

impl WithSimd for Loss<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let own = self.row[self.label];
        let others = [&self.row[..self.label], &self.row[self.label + 1..]];
        let mut largest = own;
        for part in others {
            let (vectors, tail) = S::as_simd_f32s(part);
            let mut maxima = simd.splat_f32s(largest);
            for x in vectors {
                maxima = simd.max_f32s(maxima, *x);
            }
            largest = tail
                .iter()
                .copied()
                .fold(simd.reduce_max_f32s(maxima), f32::max);
        }

        let shift = simd.splat_f32s(largest);
        let mut sum = 0.0;
        for part in others {
            let (vectors, tail) = S::as_simd_f32s(part);
            let mut sums = simd.splat_f32s(0.0);
            for x in vectors {
                sums = simd.add_f32s(sums, exp(simd, simd.sub_f32s(*x, shift)));
            }
            let tail: f32 = tail.iter().map(|x| (x - largest).exp()).sum();
            sum += simd.reduce_sum_f32s(sums) + tail;
        }
        // One is added last, by a logarithm that knows of it: a small loss keeps its digits.
        let below = own - largest;
        (sum + below.exp_m1()).ln_1p() - below
    }
}

/// Turns a row of logits into its softmax times `scale`, and adds it up.
struct Softmax<'a> {
    row: &'a mut [f32],
    own: f32,
    loss: f32,
    scale: f32,
}

impl WithSimd for Softmax<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let [own, loss, scale] = [self.own, self.loss, self.scale].map(|x| simd.splat_f32s(x));
        let mut sums = simd.splat_f32s(0.0);
        let (vectors, tail) = S::as_mut_simd_f32s(self.row);
        for x in vectors {
            let gap = simd.sub_f32s(simd.sub_f32s(*x, own), loss);
            *x = simd.mul_f32s(scale, exp(simd, gap));
            sums = simd.add_f32s(sums, *x);
        }
        let mut sum = simd.reduce_sum_f32s(sums);
        for x in tail {
            *x = self.scale * (*x - self.own - self.loss).exp();
            sum += *x;
        }
        sum
    }
}
