//! Cross entropy of a softmax, without ever writing the softmax down in the forward pass.

use super::simd::{exp, vectorized};
use super::{tensor, values};
use crate::kernel::Kernel;
use burn::tensor::{Shape, TensorMetadata};
use burn_flex::{Flex, FlexTensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub(crate) struct CrossEntropy {
    pub(crate) labels: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct Saved {
    logits: FlexTensor,
    log_sums: Arc<Vec<f32>>,
}

impl Kernel<Flex, 1> for CrossEntropy {
    type Saved = Saved;

    fn forward(&self, [logits]: [FlexTensor; 1]) -> (FlexTensor, Saved) {
        let logits = logits.to_contiguous();
        let [_, vocabulary] = logits.shape().dims();
        let rows = values(&logits).par_chunks(vocabulary.max(1));
        let log_sums: Vec<f32> = rows.map(|row| vectorized(LogSumExp(row))).collect();
        let rows = values(&logits).chunks_exact(vocabulary.max(1));
        let losses: Vec<f32> = rows
            .zip(&log_sums)
            .zip(&self.labels)
            .map(|((row, log_sum), &label)| log_sum - row[label])
            .collect();
        let shape = Shape::new([losses.len()]);
        (
            tensor(losses, shape),
            Saved {
                logits,
                log_sums: Arc::new(log_sums),
            },
        )
    }

    fn backward(
        &self,
        saved: Saved,
        gradient: FlexTensor,
        _: [bool; 1],
    ) -> [Option<FlexTensor>; 1] {
        // In place where nobody else holds the logits any more.
        let Saved {
            mut logits,
            log_sums,
        } = saved;
        let [_, vocabulary] = logits.shape().dims();
        let gradient = gradient.to_contiguous();
        logits
            .storage_mut::<f32>()
            .par_chunks_mut(vocabulary.max(1))
            .zip(values(&gradient))
            .zip(log_sums.par_iter())
            .zip(&self.labels)
            .for_each(|(((row, &scale), &log_sum), &label)| {
                vectorized(Softmax {
                    row,
                    log_sum,
                    scale,
                });
                row[label] -= scale;
            });
        [Some(logits)]
    }
}

struct LogSumExp<'a>(&'a [f32]);

impl WithSimd for LogSumExp<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (vectors, tail) = S::as_simd_f32s(self.0);
        let mut largest = simd.splat_f32s(f32::MIN);
        for x in vectors {
            largest = simd.max_f32s(largest, *x);
        }
        let largest = tail
            .iter()
            .copied()
            .fold(simd.reduce_max_f32s(largest), f32::max);

        let shift = simd.splat_f32s(largest);
        let mut sums = simd.splat_f32s(0.0);
        for x in vectors {
            sums = simd.add_f32s(sums, exp(simd, simd.sub_f32s(*x, shift)));
        }
        let tail: f32 = tail.iter().map(|x| (x - largest).exp()).sum();
        largest + (simd.reduce_sum_f32s(sums) + tail).ln()
    }
}

/// Turns a row of logits into its softmax times `scale`.
struct Softmax<'a> {
    row: &'a mut [f32],
    log_sum: f32,
    scale: f32,
}

impl WithSimd for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (shift, scale) = (simd.splat_f32s(self.log_sum), simd.splat_f32s(self.scale));
        let (vectors, tail) = S::as_mut_simd_f32s(self.row);
        for x in vectors {
            *x = simd.mul_f32s(scale, exp(simd, simd.sub_f32s(*x, shift)));
        }
        for x in tail {
            *x = self.scale * (*x - self.log_sum).exp();
        }
    }
}
