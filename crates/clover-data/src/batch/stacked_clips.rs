//! Clips with their texts, put together: what fine-tuning, evaluation and embedding see.

use std::slice::from_ref;

use burn::prelude::*;
use burn::tensor::TensorData;

use super::stack::{clip_data, row_data};
use crate::dataset::{CaptionedSample, MultipleChoiceSample, OpenEndedSample, Stack};
use crate::video::NormalizedClip;

/// Clips and the texts of each, on no device yet.
#[derive(Debug, Clone)]
pub struct StackedClips {
    clips: TensorData,
    /// `[texts, text_len]`; nothing where no clip has a text.
    token_ids: TensorData,
    attention_mask: TensorData,
    clip_of: Vec<usize>,
    /// What is known of each clip, or of each question about one: `[batch]`.
    pub items: Vec<StackedItem>,
}

/// What is known of a clip in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackedItem {
    /// Its number in its table.
    pub index: usize,
    /// What reports call it.
    pub name: String,
    /// How many of the batch's texts are its own.
    pub texts: usize,
    /// The number of the right answer, the first where there are several; none where nothing is asked,
    /// or no answer of the list is right.
    pub answer: Option<usize>,
    /// Where its text has the blank that is asked for.
    pub blank: Option<usize>,
}

/// Clips and the texts of each, on a device.
#[derive(Debug, Clone)]
pub struct ClipBatch<B: Backend> {
    /// Normalised clips: `[batch, channels, frames, height, width]`.
    pub clips: Tensor<B, 5>,
    /// The texts, those of a clip one after the other: `[texts, text_len]`.
    pub token_ids: Tensor<B, 2, Int>,
    /// 1 for a token, 0 for padding: `[texts, text_len]`.
    pub attention_mask: Tensor<B, 2, Int>,
    /// For each item the row of its clip, where questions that follow each other are about one; empty where every
    /// item has a clip of its own.
    pub clip_of: Vec<usize>,
    /// What is known of each clip, or of each question about one: `[batch]`.
    pub items: Vec<StackedItem>,
}

/// A clip, token ids and attention masks of its texts, and what else is known of it.
type Parts<'s> = (
    &'s NormalizedClip,
    &'s [Vec<u32>],
    &'s [Vec<u8>],
    StackedItem,
);

impl StackedClips {
    /// Moves clips and texts to the device.
    ///
    /// # Panics
    ///
    /// Panics if no clip has a text.
    pub fn to_device<B: Backend>(self, device: &B::Device) -> ClipBatch<B> {
        assert!(self.texts() > 0, "batch: no text");
        ClipBatch {
            clips: Tensor::from_data(self.clips, device),
            token_ids: Tensor::from_data(self.token_ids, device),
            attention_mask: Tensor::from_data(self.attention_mask, device),
            clip_of: self.clip_of,
            items: self.items,
        }
    }

    /// Moves the clips alone to the device: `[batch, channels, frames, height, width]`.
    pub fn clips_to_device<B: Backend>(self, device: &B::Device) -> Tensor<B, 5> {
        Tensor::from_data(self.clips, device)
    }

    /// How many texts there are.
    pub fn texts(&self) -> usize {
        self.items.iter().map(|item| item.texts).sum()
    }

    fn of<'s>(samples: impl Iterator<Item = Parts<'s>>) -> Self {
        Self::stacked(samples, false)
    }

    /// Where clips are `shared`, one that the next item is about as well is stacked once, and encoded once.
    fn stacked<'s>(samples: impl Iterator<Item = Parts<'s>>, shared: bool) -> Self {
        let (mut clips, mut items) = (Vec::<&NormalizedClip>::new(), Vec::new());
        let (mut token_ids, mut attention_masks) = (Vec::new(), Vec::new());
        let mut clip_of = Vec::new();
        for (clip, ids, masks, item) in samples {
            if !shared || clips.last().is_none_or(|last| **last != *clip) {
                clips.push(clip);
            }
            clip_of.push(clips.len() - 1);
            token_ids.extend(ids.iter().map(Vec::as_slice));
            attention_masks.extend(masks.iter().map(Vec::as_slice));
            items.push(StackedItem {
                texts: ids.len(),
                ..item
            });
        }
        if clips.len() == items.len() {
            clip_of.clear();
        }
        Self {
            clips: clip_data(&clips),
            token_ids: row_data(&token_ids),
            attention_mask: row_data(&attention_masks),
            clip_of,
            items,
        }
    }
}

impl StackedItem {
    fn of(index: usize, name: &str) -> Self {
        Self {
            index,
            name: name.to_owned(),
            texts: 0,
            answer: None,
            blank: None,
        }
    }
}

impl Stack for CaptionedSample {
    type Stacked = StackedClips;

    fn stack(samples: &[Self]) -> StackedClips {
        StackedClips::of(samples.iter().map(|sample| {
            let item = StackedItem::of(sample.index, &sample.name);
            (
                &sample.clip,
                &sample.token_ids[..],
                &sample.attention_masks[..],
                item,
            )
        }))
    }
}

impl Stack for MultipleChoiceSample {
    type Stacked = StackedClips;

    fn stack(samples: &[Self]) -> StackedClips {
        StackedClips::of(samples.iter().map(|sample| {
            let item = StackedItem {
                answer: Some(sample.answer),
                ..StackedItem::of(sample.index, &sample.name)
            };
            (
                &sample.clip,
                &sample.token_ids[..],
                &sample.attention_masks[..],
                item,
            )
        }))
    }
}

impl Stack for OpenEndedSample {
    type Stacked = StackedClips;

    fn stack(samples: &[Self]) -> StackedClips {
        let parts = samples.iter().map(|sample| {
            let item = StackedItem {
                answer: sample.answers.first().copied(),
                blank: sample.blank,
                ..StackedItem::of(sample.index, &sample.name)
            };
            let (ids, mask) = (
                from_ref(&sample.token_ids),
                from_ref(&sample.attention_mask),
            );
            (&sample.clip, ids, mask, item)
        });
        StackedClips::stacked(parts, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;

    fn sample(index: usize, texts: &[[u32; 2]]) -> MultipleChoiceSample {
        MultipleChoiceSample {
            clip: NormalizedClip::new(vec![0.5; 3], [3, 1, 1, 1]),
            token_ids: texts.iter().map(|text| text.to_vec()).collect(),
            attention_masks: texts.iter().map(|_| vec![1, 0]).collect(),
            answer: 1,
            name: "a".to_owned(),
            index,
        }
    }

    #[test]
    fn texts_stay_in_the_order_of_their_clips() {
        let samples = [sample(4, &[[1, 2], [3, 4]]), sample(6, &[[5, 6]])];

        let batch = Stack::stack(&samples).to_device::<TestBackend>(&Default::default());

        assert_eq!(batch.clips.dims(), [2, 3, 1, 1, 1]);
        assert_eq!(batch.attention_mask.dims(), [3, 2]);
        let ids = batch.token_ids.into_data().convert::<i64>();
        assert_eq!(ids.to_vec::<i64>().unwrap(), [1, 2, 3, 4, 5, 6]);
        let items = batch.items.iter();
        let known: Vec<_> = items
            .map(|item| (item.index, item.texts, item.answer))
            .collect();
        assert_eq!(known, [(4, 2, Some(1)), (6, 1, Some(1))]);
    }

    #[test]
    fn a_clip_of_several_questions_is_stacked_once() {
        let question = |index: usize, level: f32| OpenEndedSample {
            clip: NormalizedClip::new(vec![level; 3], [3, 1, 1, 1]),
            token_ids: vec![index as u32, 1],
            attention_mask: vec![1, 1],
            answers: vec![index],
            blank: None,
            index,
            name: "a".to_owned(),
        };
        let stacked = |levels: &[f32]| {
            let samples = (0..)
                .zip(levels)
                .map(|(index, level)| question(index, *level));
            let samples: Vec<_> = samples.collect();
            let batch =
                OpenEndedSample::stack(&samples).to_device::<TestBackend>(&Default::default());
            let answers: Vec<_> = batch.items.iter().filter_map(|item| item.answer).collect();
            assert_eq!(answers, (0..levels.len()).collect::<Vec<_>>());
            assert_eq!(batch.token_ids.dims(), [levels.len(), 2]);
            (batch.clips.dims()[0], batch.clip_of)
        };

        assert_eq!(stacked(&[0.5, 0.5, 0.2, 0.5]), (3, vec![0, 0, 1, 2]));
        assert_eq!(stacked(&[0.5, 0.2]), (2, vec![]));
    }

    #[test]
    fn clips_without_texts_are_a_batch_of_clips() {
        let stacked = MultipleChoiceSample::stack(&[sample(0, &[]), sample(1, &[])]);

        assert_eq!(stacked.texts(), 0);
        let clips = stacked.clips_to_device::<TestBackend>(&Default::default());
        assert_eq!(clips.dims(), [2, 3, 1, 1, 1]);
    }
}
