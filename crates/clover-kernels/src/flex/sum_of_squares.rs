//! Squares added up in one pass.

use super::simd::vectorized;
use super::{tensor, values};
use burn::tensor::Shape;
use burn_flex::FlexTensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Elements in one parallel task.
const TASK: usize = 1 << 14;

/// The tasks' sums are added in their order, so that the result never depends on the threads.
pub(crate) fn sum_of_squares(x: &FlexTensor) -> FlexTensor {
    let x = x.to_contiguous();
    let tasks = values(&x).par_chunks(TASK);
    let sums: Vec<f32> = tasks.map(|task| vectorized(Squares(task))).collect();
    let sum: f64 = sums.into_iter().map(f64::from).sum();
    tensor(vec![sum as f32], Shape::new([1]))
}

struct Squares<'a>(&'a [f32]);

impl WithSimd for Squares<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (whole, tail) = S::as_simd_f32s(self.0);
        // Four sums at a time: an addition takes four cycles.
        let mut sums = [simd.splat_f32s(0.0); 4];
        let mut fours = whole.chunks_exact(4);
        for four in &mut fours {
            for (sum, &x) in sums.iter_mut().zip(four) {
                *sum = simd.mul_add_e_f32s(x, x, *sum);
            }
        }
        let mut rest = simd.mul_f32s(simd.partial_load_f32s(tail), simd.partial_load_f32s(tail));
        for &x in fours.remainder() {
            rest = simd.mul_add_e_f32s(x, x, rest);
        }
        let sum = sums
            .into_iter()
            .fold(rest, |sum, next| simd.add_f32s(sum, next));
        simd.reduce_sum_f32s(sum)
    }
}
