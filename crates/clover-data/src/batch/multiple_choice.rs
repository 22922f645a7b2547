//! The batch of multiple-choice questions.

use burn::prelude::*;

use super::stack::{stack_clips, stack_rows};
use crate::dataset::MultipleChoiceSample;

/// Clips and the texts of their candidates.
#[derive(Debug, Clone)]
pub struct MultipleChoiceBatch<B: Backend> {
    /// Normalised clips: `[batch, channels, frames, height, width]`.
    pub clips: Tensor<B, 5>,
    /// The texts: `[batch, candidates, text_len]`.
    pub token_ids: Tensor<B, 3, Int>,
    /// 1 for a token, 0 for padding: `[batch, candidates, text_len]`.
    pub attention_mask: Tensor<B, 3, Int>,
}

impl<B: Backend> MultipleChoiceBatch<B> {
    /// Stacks samples and moves them to the device.
    ///
    /// # Panics
    ///
    /// Panics if there is no sample, if clips or texts differ in size, or candidates in number.
    pub fn collate(samples: &[MultipleChoiceSample], device: &B::Device) -> Self {
        let clips: Vec<_> = samples.iter().map(|sample| &sample.clip).collect();
        let candidates = samples.first().map_or(0, |sample| sample.token_ids.len());
        assert!(
            samples
                .iter()
                .all(|sample| sample.token_ids.len() == candidates),
            "batch: candidates of different number"
        );
        let token_ids: Vec<_> = samples
            .iter()
            .flat_map(|sample| sample.token_ids.iter().map(Vec::as_slice))
            .collect();
        let attention: Vec<_> = samples
            .iter()
            .flat_map(|sample| sample.attention_masks.iter().map(Vec::as_slice))
            .collect();
        let by_candidate = |rows: Tensor<B, 2, Int>| {
            let [_, text_len] = rows.dims();
            rows.reshape([samples.len(), candidates, text_len])
        };
        Self {
            clips: stack_clips(&clips, device),
            token_ids: by_candidate(stack_rows(&token_ids, device)),
            attention_mask: by_candidate(stack_rows(&attention, device)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::video::NormalizedClip;

    fn sample(texts: &[[u32; 2]]) -> MultipleChoiceSample {
        MultipleChoiceSample {
            clip: NormalizedClip::new(vec![0.5; 3], [3, 1, 1, 1]),
            token_ids: texts.iter().map(|text| text.to_vec()).collect(),
            attention_masks: texts.iter().map(|_| vec![1, 0]).collect(),
            answer: 0,
            name: "a".to_owned(),
            index: 0,
        }
    }

    #[test]
    fn candidates_stay_with_their_clip() {
        let samples = [sample(&[[1, 2], [3, 4]]), sample(&[[5, 6], [7, 8]])];

        let batch = MultipleChoiceBatch::<TestBackend>::collate(&samples, &Default::default());

        assert_eq!(batch.clips.dims(), [2, 3, 1, 1, 1]);
        assert_eq!(batch.attention_mask.dims(), [2, 2, 2]);
        let ids = batch.token_ids.into_data().convert::<i64>();
        assert_eq!(ids.to_vec::<i64>().unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    #[should_panic(expected = "candidates of different number")]
    fn questions_with_more_candidates_are_refused() {
        let samples = [sample(&[[1, 2], [3, 4]]), sample(&[[5, 6]])];

        MultipleChoiceBatch::<TestBackend>::collate(&samples, &Default::default());
    }
}
