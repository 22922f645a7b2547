//! Attention, one head of one batch entry at a time, so that scores never leave the cache.
//!
//! Only each query's largest score and sum of exponentials are kept for the backward pass, which
//! computes the weights again: Dao et al., "FlashAttention" (2022), without its tiling along the
//! keys, since the rows of a window fit.

mod backward;
mod forward;
mod layout;
mod scores;

use super::{tensor, values};
use crate::kernel::Kernel;
use burn::tensor::Shape;
use burn_flex::{Flex, FlexTensor};
pub(crate) use layout::{Heads, Layout};
use rayon::prelude::*;
use scores::{Additions, Normalizer};
use std::sync::Arc;

/// Inputs: q, k, v (or all three packed), and the bias if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Attention {
    pub(crate) heads: Heads,
    pub(crate) scale: f32,
    /// `[groups, tokens_q, tokens_k]`, added.
    pub(crate) mask: Option<FlexTensor>,
    /// `[batch, tokens_k]`, added.
    pub(crate) key_mask: Option<FlexTensor>,
    /// `[batch, heads, tokens_q, tokens_k]`, multiplied with the weights.
    pub(crate) factors: Option<FlexTensor>,
}

#[derive(Debug, Clone)]
pub(crate) struct Saved {
    operands: Operands,
    output: FlexTensor,
    /// `[heads, batch, tokens_q]`.
    normalizers: Arc<Vec<Normalizer>>,
}

/// Everything the scores depend on; packed projections appear three times.
#[derive(Debug, Clone)]
struct Operands {
    projections: [FlexTensor; 3],
    bias: Option<FlexTensor>,
    mask: Option<FlexTensor>,
    /// Which of the mask's groups have an entry other than zero; most windows have none.
    masked: Arc<Vec<bool>>,
    key_mask: Option<FlexTensor>,
    factors: Option<FlexTensor>,
}

impl Attention {
    fn operands<const N: usize>(&self, inputs: [FlexTensor; N]) -> Operands {
        let inputs = inputs.map(|input| input.to_contiguous());
        let projections = match self.heads.layout {
            Layout::Packed => [0, 0, 0],
            Layout::Split | Layout::Interleaved => [0, 1, 2],
        };
        let contiguous = |tensor: &FlexTensor| tensor.to_contiguous();
        let mask = self.mask.as_ref().map(contiguous);
        Operands {
            projections: projections.map(|input| inputs[input].clone()),
            bias: inputs.get(self.heads.layout.projections()).cloned(),
            masked: Arc::new(
                mask.as_ref()
                    .map_or_else(Vec::new, |mask| self.masked(mask)),
            ),
            mask,
            key_mask: self.key_mask.as_ref().map(contiguous),
            factors: self.factors.as_ref().map(contiguous),
        }
    }

    fn masked(&self, mask: &FlexTensor) -> Vec<bool> {
        let groups = values(mask).par_chunks(self.heads.scores().max(1));
        groups
            .map(|group| group.iter().any(|&value| value != 0.0))
            .collect()
    }
}

impl Operands {
    /// What is added to the scores of one head of one batch entry.
    fn additions(&self, heads: Heads, head: usize, entry: usize) -> Additions<'_> {
        let size = heads.scores();
        let mask = self.mask.as_ref().and_then(|mask| {
            let group = entry % self.masked.len();
            self.masked[group].then(|| &values(mask)[group * size..][..size])
        });
        let tokens = heads.tokens_k;
        Additions {
            bias: self
                .bias
                .as_ref()
                .map(|bias| &values(bias)[head * size..][..size]),
            mask,
            key_mask: self
                .key_mask
                .as_ref()
                .map(|mask| &values(mask)[entry * tokens..][..tokens]),
            tokens_k: tokens,
        }
    }

    /// What the weights of one head of one batch entry are multiplied with.
    fn factors(&self, heads: Heads, head: usize, entry: usize) -> Option<&[f32]> {
        let size = heads.scores();
        let unit = entry * heads.heads + head;
        let factors = values(self.factors.as_ref()?);
        Some(&factors[unit * size..][..size])
    }
}

impl<const N: usize> Kernel<Flex, N> for Attention {
    type Saved = Saved;

    fn forward(&self, inputs: [FlexTensor; N]) -> (FlexTensor, Saved) {
        let operands = self.operands(inputs);
        let (output, normalizers) = forward::run(self.heads, self.scale, &operands);
        let output = tensor(self.heads.join_output(&output), self.heads.output_shape());
        let saved = Saved {
            operands,
            output: output.clone(),
            normalizers: Arc::new(normalizers),
        };
        (output, saved)
    }

    fn backward(
        &self,
        saved: Saved,
        gradient: FlexTensor,
        wanted: [bool; N],
    ) -> [Option<FlexTensor>; N] {
        let heads = self.heads;
        let gradient = gradient.to_contiguous();
        let bias_input = heads.layout.projections();
        let bias_wanted = wanted.get(bias_input).copied().unwrap_or(false);
        let pass = backward::Pass {
            heads,
            scale: self.scale,
            operands: &saved.operands,
            output: values(&saved.output),
            normalizers: &saved.normalizers,
            gradient: values(&gradient),
        };
        let (projections, bias) = pass.run(bias_wanted);
        let mut results = heads.join_gradients(projections).into_iter();
        std::array::from_fn(|input| {
            let result = match input == bias_input {
                // One that is not wanted was not computed.
                true => bias_wanted.then(|| {
                    let shape = Shape::new([heads.heads, heads.tokens_q, heads.tokens_k]);
                    tensor(bias.clone(), shape)
                }),
                false => results.next(),
            };
            result.filter(|_| wanted[input])
        })
    }
}
