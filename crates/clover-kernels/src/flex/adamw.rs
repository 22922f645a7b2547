//! AdamW in one pass over parameter, gradient and moments, in place where nobody else holds them.

use super::simd::vectorized;
use super::values;
use crate::adamw::AdamWUpdate;
use burn_flex::FlexTensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Elements in one parallel task.
const TASK: usize = 1 << 14;

/// Parameter, first and second moment, updated.
pub(crate) fn adamw(
    tensors: [FlexTensor; 3],
    gradient: &FlexTensor,
    update: &AdamWUpdate,
) -> [FlexTensor; 3] {
    let gradient = gradient.to_contiguous();
    let mut tensors = tensors.map(|tensor| tensor.to_contiguous());
    let [correction_1, correction_2] = update.corrections();
    let [parameter, moment_1, moment_2] = &mut tensors;
    parameter
        .storage_mut::<f32>()
        .par_chunks_mut(TASK)
        .zip(moment_1.storage_mut::<f32>().par_chunks_mut(TASK))
        .zip(moment_2.storage_mut::<f32>().par_chunks_mut(TASK))
        .zip(values(&gradient).par_chunks(TASK))
        .for_each(|(((parameter, moment_1), moment_2), gradient)| {
            vectorized(Update {
                parameter,
                moment_1,
                moment_2,
                gradient,
                beta_1: update.beta_1,
                beta_2: update.beta_2,
                correction_1,
                correction_2,
                epsilon: update.epsilon,
                kept: update.kept() as f32,
                learning_rate: update.learning_rate as f32,
            });
        });
    tensors
}

struct Update<'a> {
    parameter: &'a mut [f32],
    moment_1: &'a mut [f32],
    moment_2: &'a mut [f32],
    gradient: &'a [f32],
    beta_1: f32,
    beta_2: f32,
    correction_1: f32,
    correction_2: f32,
    epsilon: f32,
    kept: f32,
    learning_rate: f32,
}

impl WithSimd for Update<'_> {
    type Output = ();

    /// A plain loop, which the compiler vectorises with the instructions chosen; in the order of
    /// the portable form, so that both round alike.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (rest_1, rest_2) = (1.0 - self.beta_1, 1.0 - self.beta_2);
        let moments = self.moment_1.iter_mut().zip(self.moment_2);
        let parameters = self.parameter.iter_mut().zip(self.gradient);
        for ((parameter, &gradient), (moment_1, moment_2)) in parameters.zip(moments) {
            *moment_1 = *moment_1 * self.beta_1 + gradient * rest_1;
            *moment_2 = *moment_2 * self.beta_2 + gradient * gradient * rest_2;
            let root = (*moment_2 / self.correction_2).sqrt() + self.epsilon;
            let direction = *moment_1 / self.correction_1 / root;
            *parameter = *parameter * self.kept - direction * self.learning_rate;
        }
    }
}
