//! Captioned clips prepared for the pre-training step: a clip with a hidden region, a text with hidden
//! words (Clover, section 3.3).

use rand_chacha::ChaCha8Rng;

use super::captioned::draw_one;
use super::clip_dataset::{ClipDataset, Preparation, PreparedRow};
use super::clip_table::Texts;
use super::items::{Caption, ItemsTask};
use crate::DataError;
use crate::masking::{MaskedTokens, REGION_GRID, RegionMask, TextMasker, TextMasking};
use crate::text::{Encoding, PartOfSpeech};
use crate::video::NormalizedClip;

/// Captioned clips, hidden in part; of several captions one is drawn.
pub type PretrainingDataset = ClipDataset<Masked>;

/// Hides words of the caption and a region of the clip.
#[derive(Debug, Clone)]
pub struct Masked {
    masker: TextMasker,
    region_target: usize,
}

/// A clip and its caption, prepared for the pre-training step.
#[derive(Debug, Clone)]
pub struct PretrainingSample {
    /// The normalised clip.
    pub clip: NormalizedClip,
    /// The complete text.
    pub token_ids: Vec<u32>,
    /// The text with hidden words.
    pub masked: MaskedTokens,
    /// 1 for a token, 0 for padding.
    pub attention_mask: Vec<u8>,
    /// The hidden cells of the clip.
    pub region_mask: RegionMask,
    /// What reports call the sample.
    pub name: String,
}

impl Masked {
    /// Hides words as `text_masking` says, and `region_target` cells of the 7 x 7 grid, 10 in the
    /// published settings.
    ///
    /// # Errors
    ///
    /// When a share is none, or there are not so many cells.
    pub fn new(text_masking: TextMasking, region_target: usize) -> Result<Self, DataError> {
        let cells = REGION_GRID * REGION_GRID;
        if region_target > cells {
            return Err(DataError::OutOfRange {
                key: "region_target",
                value: region_target,
                smallest: 0,
                largest: cells,
            });
        }
        Ok(Self {
            masker: TextMasker::new(text_masking)?,
            region_target,
        })
    }

    /// The tags that came with a caption, if masking asks for any.
    fn stored_tags(
        &self,
        caption: &Caption,
        encoding: &Encoding,
        row: &PreparedRow<'_>,
    ) -> Result<Option<Vec<PartOfSpeech>>, DataError> {
        let Caption::Tagged(caption) = caption else {
            return Ok(None);
        };
        if !self.masker.asks_for_tags() {
            return Ok(None);
        }
        let tags = caption.tags.iter().map(|tag| match tag.parse() {
            Ok(tag) => tag,
        });
        let tagged = caption.text.split_whitespace().zip(tags);
        row.tokenizer.carry_tags(tagged, encoding).map(Some)
    }
}

impl Preparation for Masked {
    type Encoded = Vec<(Encoding, Option<Vec<PartOfSpeech>>)>;
    type Sample = PretrainingSample;

    fn encode(&self, texts: Texts, row: &PreparedRow<'_>) -> Result<Self::Encoded, DataError> {
        let Texts::Captions(captions) = texts else {
            return Err(row.without(ItemsTask::Retrieval));
        };
        let encoded = captions.iter().map(|caption| {
            let encoding = row.tokens(caption.text())?;
            let tags = self.stored_tags(caption, &encoding, row)?;
            Ok((encoding, tags))
        });
        encoded.collect()
    }

    fn finish(
        &self,
        mut encoded: Self::Encoded,
        clip: NormalizedClip,
        row: &PreparedRow<'_>,
        rng: &mut ChaCha8Rng,
    ) -> PretrainingSample {
        let (encoding, tags) = encoded.swap_remove(draw_one(encoded.len(), rng));
        PretrainingSample {
            clip,
            masked: self
                .masker
                .mask(&encoding, tags.as_deref(), row.tokenizer, rng),
            region_mask: RegionMask::sample(self.region_target, rng),
            token_ids: encoding.ids,
            attention_mask: encoding.attention_mask,
            name: row.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
