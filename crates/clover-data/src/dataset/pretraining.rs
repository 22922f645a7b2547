//! Pairs prepared for the pre-training step: a clip with a hidden region, a text with hidden words.

use std::ops::Range;

use super::clip_reading::ClipReading;
use super::items::Caption;
use super::pair_source::PairSource;
use super::randomness::Randomness;
use super::source::SampleSource;
use super::text_length::check_text_len;
use crate::DataError;
use crate::masking::{MaskedTokens, REGION_GRID, RegionMask, TextMasker, TextMasking};
use crate::text::{Encoding, PartOfSpeech, WordPieceTokenizer};
use crate::video::NormalizedClip;

/// How pairs become samples.
#[derive(Debug, Clone)]
pub struct PretrainingDatasetConfig {
    /// How the clip is read.
    pub clip: ClipReading,
    /// Tokens a text, 30 in the published settings.
    pub text_len: usize,
    /// Cells of the 7 x 7 grid to hide, 10 in the published settings.
    pub region_target: usize,
    /// How the words to hide are chosen.
    pub text_masking: TextMasking,
    /// The seed of the run.
    pub seed: u64,
}

/// Pairs of clip and caption, read anew with other chance in every epoch.
#[derive(Debug, Clone)]
pub struct PretrainingDataset {
    pairs: PairSource,
    tokenizer: WordPieceTokenizer,
    masker: TextMasker,
    config: PretrainingDatasetConfig,
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

impl PretrainingDataset {
    /// Prepares pairs as the configuration says.
    ///
    /// # Errors
    ///
    /// When a figure of the configuration is out of range.
    pub fn new(
        pairs: impl Into<PairSource>,
        tokenizer: WordPieceTokenizer,
        config: PretrainingDatasetConfig,
    ) -> Result<Self, DataError> {
        config.clip.validate()?;
        check_text_len(config.text_len)?;
        let masker = TextMasker::new(config.text_masking)?;
        let cells = REGION_GRID * REGION_GRID;
        if config.region_target > cells {
            return Err(DataError::OutOfRange {
                key: "region_target",
                value: config.region_target,
                smallest: 0,
                largest: cells,
            });
        }
        Ok(Self {
            pairs: pairs.into(),
            tokenizer,
            masker,
            config,
        })
    }

    /// Where the pairs come from.
    pub fn pairs(&self) -> &PairSource {
        &self.pairs
    }

    /// The tags that came with a caption, if masking asks for any.
    fn stored_tags(
        &self,
        caption: &Caption,
        encoding: &Encoding,
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
        self.tokenizer.carry_tags(tagged, encoding).map(Some)
    }
}

impl SampleSource for PretrainingDataset {
    type Sample = PretrainingSample;

    fn len(&self) -> usize {
        self.pairs.len()
    }

    fn name(&self, index: usize) -> String {
        self.pairs.name(index)
    }

    fn stretches(&self) -> Vec<Range<usize>> {
        self.pairs.stretches()
    }

    fn read(&self, epoch: u64, index: usize) -> Result<Self::Sample, DataError> {
        let pair = self.pairs.read(index)?;
        let config = &self.config;
        // One generator an item: the sample is the same whichever worker reads it, and when.
        let mut rng = Randomness::new(config.seed).for_item(epoch, index as u64);
        let clip = config.clip.read(pair.clip, &mut rng)?;
        let encoding = self
            .tokenizer
            .encode(pair.caption.text(), config.text_len)?;
        let tags = self.stored_tags(&pair.caption, &encoding)?;
        Ok(PretrainingSample {
            clip,
            masked: self
                .masker
                .mask(&encoding, tags.as_deref(), &self.tokenizer, &mut rng),
            region_mask: RegionMask::sample(config.region_target, &mut rng),
            token_ids: encoding.ids,
            attention_mask: encoding.attention_mask,
            name: self.name(index),
        })
    }
}

#[cfg(test)]
mod tests;
