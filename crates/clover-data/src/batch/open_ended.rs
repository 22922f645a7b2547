//! The batch of open-ended questions.

use burn::prelude::*;

use super::stack::{stack_clips, stack_rows};
use crate::dataset::OpenEndedSample;

/// Clips and the questions asked about them.
#[derive(Debug, Clone)]
pub struct OpenEndedBatch<B: Backend> {
    /// Normalised clips: `[batch, channels, frames, height, width]`.
    pub clips: Tensor<B, 5>,
    /// The questions: `[batch, text_len]`.
    pub token_ids: Tensor<B, 2, Int>,
    /// 1 for a token, 0 for padding: `[batch, text_len]`.
    pub attention_mask: Tensor<B, 2, Int>,
}

impl<B: Backend> OpenEndedBatch<B> {
    /// Stacks samples and moves them to the device.
    ///
    /// # Panics
    ///
    /// Panics if there is no sample, or if clips or texts differ in size.
    pub fn collate(samples: &[OpenEndedSample], device: &B::Device) -> Self {
        let clips: Vec<_> = samples.iter().map(|sample| &sample.clip).collect();
        let token_ids: Vec<_> = samples.iter().map(|sample| &sample.token_ids[..]).collect();
        let attention: Vec<_> = samples
            .iter()
            .map(|sample| &sample.attention_mask[..])
            .collect();
        Self {
            clips: stack_clips(&clips, device),
            token_ids: stack_rows(&token_ids, device),
            attention_mask: stack_rows(&attention, device),
        }
    }
}
