//! The batch of retrieval, in evaluation.

use burn::prelude::*;

use super::stack::{stack_clips, stack_rows};
use crate::dataset::RetrievalSample;

/// Clips and the texts that belong to them.
#[derive(Debug, Clone)]
pub struct RetrievalBatch<B: Backend> {
    /// Normalised clips: `[batch, channels, frames, height, width]`.
    pub clips: Tensor<B, 5>,
    /// The texts: `[batch, text_len]`.
    pub token_ids: Tensor<B, 2, Int>,
    /// 1 for a token, 0 for padding: `[batch, text_len]`.
    pub attention_mask: Tensor<B, 2, Int>,
    /// What the samples are called: `[batch]`.
    pub names: Vec<String>,
}

impl<B: Backend> RetrievalBatch<B> {
    /// Stacks samples and moves them to the device.
    ///
    /// # Panics
    ///
    /// Panics if there is no sample, or if clips or texts differ in size.
    pub fn collate(samples: Vec<RetrievalSample>, device: &B::Device) -> Self {
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
            names: samples.into_iter().map(|sample| sample.name).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::video::NormalizedClip;

    fn sample(name: &str, frames: usize) -> RetrievalSample {
        RetrievalSample {
            clip: NormalizedClip::new(vec![0.5; 3 * frames], [3, frames, 1, 1]),
            token_ids: vec![2, 9, 3],
            attention_mask: vec![1, 1, 0],
            caption: "a cat".to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn samples_become_rows() {
        let samples = vec![sample("a", 2), sample("b", 2)];

        let batch = RetrievalBatch::<TestBackend>::collate(samples, &Default::default());

        assert_eq!(batch.clips.dims(), [2, 3, 2, 1, 1]);
        assert_eq!(batch.token_ids.dims(), [2, 3]);
        let attention = batch.attention_mask.into_data().convert::<i64>();
        assert_eq!(attention.to_vec::<i64>().unwrap(), [1, 1, 0, 1, 1, 0]);
        assert_eq!(batch.names, ["a", "b"]);
    }

    #[test]
    #[should_panic(expected = "clips of different sizes")]
    fn clips_of_different_lengths_are_refused() {
        let samples = vec![sample("a", 1), sample("b", 2)];

        RetrievalBatch::<TestBackend>::collate(samples, &Default::default());
    }
}
