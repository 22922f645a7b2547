//! The batch of the pre-training step.

use burn::prelude::*;
use burn::tensor::TensorData;

use super::stack::{clip_data, row_data};
use crate::dataset::{PretrainingSample, Stack};
use crate::masking::{IGNORED_LABEL, REGION_GRID};

/// What one pre-training step sees.
#[derive(Debug, Clone)]
pub struct PretrainingBatch<B: Backend> {
    /// Normalised clips: `[batch, channels, frames, height, width]`.
    pub clips: Tensor<B, 5>,
    /// The complete texts: `[batch, text_len]`.
    pub token_ids: Tensor<B, 2, Int>,
    /// The texts with hidden words: `[batch, text_len]`.
    pub masked_token_ids: Tensor<B, 2, Int>,
    /// 1 for a token, 0 for padding: `[batch, text_len]`.
    pub attention_mask: Tensor<B, 2, Int>,
    /// What the hidden words were; nothing when no word of the batch is hidden.
    pub masked_words: Option<MaskedWords<B>>,
    /// 1 where the clip is hidden: `[batch, 7, 7]`.
    pub region_mask: Tensor<B, 3>,
    /// What the samples are called: `[batch]`.
    pub names: Vec<String>,
}

/// The hidden positions of a batch, gathered so that only they reach the vocabulary.
#[derive(Debug, Clone)]
pub struct MaskedWords<B: Backend> {
    /// `row * text_len + column` of each hidden position, ascending: `[masked]`.
    pub positions: Tensor<B, 1, Int>,
    /// The original id at each of them: `[masked]`.
    pub labels: Tensor<B, 1, Int>,
}

/// What one pre-training step sees, put together and on no device yet.
#[derive(Debug, Clone)]
pub struct StackedPairs {
    clips: TensorData,
    token_ids: TensorData,
    masked_token_ids: TensorData,
    attention_mask: TensorData,
    /// Positions and labels.
    masked_words: Option<[TensorData; 2]>,
    region_mask: TensorData,
    names: Vec<String>,
}

impl Stack for PretrainingSample {
    type Stacked = StackedPairs;

    fn stack(samples: &[Self]) -> StackedPairs {
        let clips: Vec<_> = samples.iter().map(|sample| &sample.clip).collect();
        let token_ids: Vec<_> = samples.iter().map(|sample| &sample.token_ids[..]).collect();
        let masked_ids: Vec<_> = samples
            .iter()
            .map(|sample| &sample.masked.ids[..])
            .collect();
        let attention: Vec<_> = samples
            .iter()
            .map(|sample| &sample.attention_mask[..])
            .collect();
        StackedPairs {
            clips: clip_data(&clips),
            token_ids: row_data(&token_ids),
            masked_token_ids: row_data(&masked_ids),
            attention_mask: row_data(&attention),
            masked_words: gather_masked_words(samples),
            region_mask: stack_region_masks(samples),
            names: samples.iter().map(|sample| sample.name.clone()).collect(),
        }
    }
}

impl StackedPairs {
    /// What the samples are called: `[batch]`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Moves them to the device.
    pub fn to_device<B: Backend>(self, device: &B::Device) -> PretrainingBatch<B> {
        PretrainingBatch {
            clips: Tensor::from_data(self.clips, device),
            token_ids: Tensor::from_data(self.token_ids, device),
            masked_token_ids: Tensor::from_data(self.masked_token_ids, device),
            attention_mask: Tensor::from_data(self.attention_mask, device),
            masked_words: self.masked_words.map(|[positions, labels]| MaskedWords {
                positions: Tensor::from_data(positions, device),
                labels: Tensor::from_data(labels, device),
            }),
            region_mask: Tensor::from_data(self.region_mask, device),
            names: self.names,
        }
    }
}

impl<B: Backend> PretrainingBatch<B> {
    /// Stacks samples and moves them to the device.
    ///
    /// # Panics
    ///
    /// Panics if there is no sample, or if clips or texts differ in size.
    pub fn collate(samples: &[PretrainingSample], device: &B::Device) -> Self {
        PretrainingSample::stack(samples).to_device(device)
    }
}

fn gather_masked_words(samples: &[PretrainingSample]) -> Option<[TensorData; 2]> {
    let labels = samples.iter().flat_map(|sample| &sample.masked.labels);
    // Rows have one length, so counting through all of them gives `row * text_len + column`.
    let (positions, labels): (Vec<i64>, Vec<i64>) = (0_i64..)
        .zip(labels.copied())
        .filter(|&(_, label)| label != IGNORED_LABEL)
        .unzip();
    let masked = positions.len();
    (masked > 0).then(|| [positions, labels].map(|words| TensorData::new(words, [masked])))
}

fn stack_region_masks(samples: &[PretrainingSample]) -> TensorData {
    let cells: Vec<f32> = samples
        .iter()
        .flat_map(|sample| sample.region_mask.rows().as_flattened())
        .map(|&hidden| f32::from(u8::from(hidden)))
        .collect();
    TensorData::new(cells, [samples.len(), REGION_GRID, REGION_GRID])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::masking::{MaskedTokens, RegionMask};
    use crate::video::NormalizedClip;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Three channels, one frame of one pixel; the text is three ids.
    fn sample(name: &str, value: f32, labels: [i64; 3]) -> PretrainingSample {
        PretrainingSample {
            clip: NormalizedClip::new(vec![value, value + 1.0, value + 2.0], [3, 1, 1, 1]),
            token_ids: vec![2, 9, 3],
            masked: MaskedTokens {
                ids: vec![2, 4, 3],
                labels: labels.to_vec(),
            },
            attention_mask: vec![1, 1, 0],
            region_mask: RegionMask::sample(10, &mut ChaCha8Rng::seed_from_u64(0)),
            name: name.to_owned(),
        }
    }

    fn ints<const D: usize>(tensor: Tensor<TestBackend, D, Int>) -> Vec<i64> {
        tensor.into_data().convert::<i64>().to_vec().unwrap()
    }

    #[test]
    fn samples_become_rows() {
        let samples = vec![
            sample("a", 0.0, [-100, 9, -100]),
            sample("b", 10.0, [-100, -100, 7]),
        ];

        let batch = PretrainingBatch::<TestBackend>::collate(&samples, &Default::default());

        assert_eq!(batch.clips.dims(), [2, 3, 1, 1, 1]);
        let clips: Vec<f32> = batch.clips.into_data().to_vec().unwrap();
        assert_eq!(clips, [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
        assert_eq!(ints(batch.token_ids), [2, 9, 3, 2, 9, 3]);
        assert_eq!(ints(batch.masked_token_ids), [2, 4, 3, 2, 4, 3]);
        assert_eq!(ints(batch.attention_mask), [1, 1, 0, 1, 1, 0]);
        assert_eq!(batch.names, ["a", "b"]);
    }

    #[test]
    fn hidden_positions_count_through_the_rows() {
        let samples = vec![
            sample("a", 0.0, [-100, 9, -100]),
            sample("b", 0.0, [-100, -100, 7]),
        ];

        let batch = PretrainingBatch::<TestBackend>::collate(&samples, &Default::default());

        let masked = batch.masked_words.unwrap();
        assert_eq!(ints(masked.positions), [1, 5]);
        assert_eq!(ints(masked.labels), [9, 7]);
    }

    #[test]
    fn a_batch_without_hidden_words_has_no_positions() {
        let samples = vec![sample("a", 0.0, [-100; 3])];

        let batch = PretrainingBatch::<TestBackend>::collate(&samples, &Default::default());

        assert!(batch.masked_words.is_none());
    }

    #[test]
    fn the_region_mask_keeps_its_cells() {
        let expected = sample("a", 0.0, [-100; 3]).region_mask;

        let batch = PretrainingBatch::<TestBackend>::collate(
            &[sample("a", 0.0, [-100; 3])],
            &Default::default(),
        );

        assert_eq!(batch.region_mask.dims(), [1, 7, 7]);
        let cells: Vec<f32> = batch.region_mask.into_data().to_vec().unwrap();
        let hidden: Vec<bool> = cells.iter().map(|&cell| cell > 0.5).collect();
        assert_eq!(hidden, expected.rows().as_flattened());
    }

    #[test]
    #[should_panic(expected = "rows of different lengths")]
    fn texts_of_different_lengths_are_refused() {
        let mut short = sample("b", 0.0, [-100; 3]);
        short.token_ids.pop();

        let samples = vec![sample("a", 0.0, [-100; 3]), short];
        PretrainingBatch::<TestBackend>::collate(&samples, &Default::default());
    }
}
