//! Pairs prepared for retrieval: a clip and its text, as they are.

use std::ops::Range;

use super::clip_reading::ClipReading;
use super::pair_source::PairSource;
use super::randomness::Randomness;
use super::source::SampleSource;
use super::text_length::check_text_len;
use crate::DataError;
use crate::text::WordPieceTokenizer;
use crate::video::NormalizedClip;

/// How pairs become samples.
#[derive(Debug, Clone)]
pub struct RetrievalDatasetConfig {
    /// How the clip is read.
    pub clip: ClipReading,
    /// Tokens a text.
    pub text_len: usize,
    /// The seed of the run; nothing depends on it where sampling and pixels leave no chance.
    pub seed: u64,
}

/// Pairs of clip and caption.
#[derive(Debug, Clone)]
pub struct RetrievalDataset {
    pairs: PairSource,
    tokenizer: WordPieceTokenizer,
    config: RetrievalDatasetConfig,
}

/// A clip and its caption.
#[derive(Debug, Clone)]
pub struct RetrievalSample {
    /// The normalised clip.
    pub clip: NormalizedClip,
    /// The text.
    pub token_ids: Vec<u32>,
    /// 1 for a token, 0 for padding.
    pub attention_mask: Vec<u8>,
    /// The text as it was written.
    pub caption: String,
    /// What reports call the sample.
    pub name: String,
}

impl RetrievalDataset {
    /// Prepares pairs as the configuration says.
    ///
    /// # Errors
    ///
    /// When a figure of the configuration is out of range.
    pub fn new(
        pairs: impl Into<PairSource>,
        tokenizer: WordPieceTokenizer,
        config: RetrievalDatasetConfig,
    ) -> Result<Self, DataError> {
        config.clip.validate()?;
        check_text_len(config.text_len)?;
        Ok(Self {
            pairs: pairs.into(),
            tokenizer,
            config,
        })
    }

    /// Where the pairs come from.
    pub fn pairs(&self) -> &PairSource {
        &self.pairs
    }
}

impl SampleSource for RetrievalDataset {
    type Sample = RetrievalSample;

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
        let mut rng = Randomness::new(self.config.seed).for_item(epoch, index as u64);
        let clip = self.config.clip.read(pair.clip, &mut rng)?;
        let caption = pair.caption.text();
        let encoding = self.tokenizer.encode(caption, self.config.text_len)?;
        Ok(RetrievalSample {
            clip,
            token_ids: encoding.ids,
            attention_mask: encoding.attention_mask,
            caption: caption.to_owned(),
            name: self.name(index),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::PairsManifest;
    use crate::synthetic::{SyntheticSet, SyntheticSetConfig, render, write_synthetic_set};
    use crate::video::{DecodeLimits, FrameSampling, PixelPipeline};

    const SET: SyntheticSetConfig = SyntheticSetConfig {
        train_clips: 1,
        held_out_clips: 2,
        frames: 4,
        size: 32,
        seed: 3,
    };

    fn dataset(folder: &std::path::Path) -> RetrievalDataset {
        let files = write_synthetic_set(&SET, folder).unwrap();
        let tokenizer = WordPieceTokenizer::from_vocab_file(&files.vocabulary).unwrap();
        let config = RetrievalDatasetConfig {
            clip: ClipReading {
                sampling: FrameSampling::test_frames(SET.frames),
                pixels: PixelPipeline::test_resize(SET.size),
                limits: DecodeLimits::default(),
            },
            text_len: 20,
            seed: 0,
        };
        let pairs = PairsManifest::read(&files.held_out).unwrap().pairs;
        RetrievalDataset::new(pairs, tokenizer, config).unwrap()
    }

    #[test]
    fn a_drawn_clip_is_decoded_as_it_was_drawn() {
        let folder = tempfile::tempdir().unwrap();

        let sample = dataset(folder.path()).read(0, 1).unwrap();

        let drawn = &SyntheticSet::plan(&SET).unwrap().held_out[1];
        let frames = render(&drawn.scene, SET.frames, SET.size).concat();
        assert_eq!(sample.clip.dims(), [3, 4, 32, 32]);
        // The published order of channels: blue, green, red.
        let channels = [
            (2, 103.53, 57.375),
            (1, 116.28, 57.12),
            (0, 123.675, 58.395),
        ];
        let values = sample.clip.values();
        for (values, (channel, mean, deviation)) in values.chunks_exact(4 * 32 * 32).zip(channels) {
            let levels = frames
                .chunks_exact(3)
                .map(|pixel| f32::from(pixel[channel]));
            for (value, level) in values.iter().zip(levels) {
                assert!((value * deviation + mean - level).abs() < 0.01);
            }
        }
    }

    #[test]
    fn evaluation_is_the_same_in_every_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = dataset(folder.path());

        let [first, second] = [0, 1].map(|epoch| dataset.read(epoch, 0).unwrap());

        assert_eq!(first.clip, second.clip);
        assert_eq!(first.token_ids, second.token_ids);
        let caption = dataset.pairs().read(0).unwrap().caption;
        assert_eq!(first.caption, caption.text());
    }
}
