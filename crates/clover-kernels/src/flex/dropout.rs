//! Dropout in place: the number that decides about a unit is computed where the unit is multiplied.
//!
//! So there is no tensor of factors to fill, to read and to keep; the backward pass draws them again.

use super::simd::vectorized;
use crate::dropout::{Rule, factor, round_keys};
use crate::kernel::Kernel;
use burn_flex::{Flex, FlexTensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::sync::Arc;

/// Fewest units in one parallel task.
const TASK: usize = 1 << 13;

/// Input: x, whose first axis has one key a row.
#[derive(Debug, Clone)]
pub(crate) struct Dropout {
    pub(crate) keys: Arc<Vec<u64>>,
    pub(crate) rule: Rule,
}

impl Dropout {
    fn multiplied(&self, x: &FlexTensor) -> FlexTensor {
        let mut x = x.to_contiguous();
        multiply(x.storage_mut::<f32>(), &self.keys, self.rule);
        x
    }
}

impl Kernel<Flex, 1> for Dropout {
    type Saved = ();

    fn forward(&self, [x]: [FlexTensor; 1]) -> (FlexTensor, ()) {
        (self.multiplied(&x), ())
    }

    fn backward(&self, (): (), gradient: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        [Some(self.multiplied(&gradient))]
    }
}

/// The factors by themselves.
pub(crate) fn factors(keys: &[u64], per_row: usize, rule: Rule) -> Vec<f32> {
    let mut factors = vec![1.0; keys.len() * per_row];
    multiply(&mut factors, keys, rule);
    factors
}

/// Multiplies rows of equal length, one for each key, with their factors.
fn multiply(values: &mut [f32], keys: &[u64], rule: Rule) {
    let per_row = (values.len() / keys.len().max(1)).max(1);
    values
        .par_chunks_mut(per_row)
        .zip(keys)
        .with_min_len(TASK.div_ceil(per_row))
        .for_each(|(row, &key)| vectorized(Row { row, key, rule }));
}

struct Row<'a> {
    row: &'a mut [f32],
    key: u64,
    rule: Rule,
}

impl WithSimd for Row<'_> {
    type Output = ();

    /// A plain loop, which the compiler vectorises with the instructions chosen.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let round_keys = round_keys(self.key);
        for (place, unit) in (0_i32..).zip(self.row) {
            *unit *= factor(place, round_keys, self.rule);
        }
    }
}
