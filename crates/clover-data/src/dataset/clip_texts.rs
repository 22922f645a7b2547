//! Clips with all texts that go with each: what retrieval is measured on, and learned from.
//!
//! Clover, section 4.2. In evaluation a clip is read once, however many texts it has; the options of
//! a question that is answered by similarity are such texts, too. In training one text is taken.

use std::path::PathBuf;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::clip_reading::ClipReading;
use super::randomness::Randomness;
use super::retrieval::RetrievalSample;
use super::source::SampleSource;
use super::text_length::check_text_len;
use crate::DataError;
use crate::text::WordPieceTokenizer;
use crate::video::{ClipSource, NormalizedClip};

/// A clip and the texts that go with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClipTexts {
    /// What reports call it.
    pub name: String,
    /// The clip's path below the folder of clips.
    pub clip: String,
    /// At least one.
    pub texts: Vec<String>,
}

/// How clips and texts become samples.
#[derive(Debug, Clone)]
pub struct ClipTextsConfig {
    /// The folder that the clips lie below.
    pub clips: PathBuf,
    /// How a clip is read.
    pub clip: ClipReading,
    /// Tokens a text.
    pub text_len: usize,
    /// The seed of the run; nothing depends on it where sampling and pixels leave no chance.
    pub seed: u64,
}

/// Clips with all their texts.
#[derive(Debug, Clone)]
pub struct ClipTextsDataset {
    items: Vec<ClipTexts>,
    tokenizer: WordPieceTokenizer,
    config: ClipTextsConfig,
}

/// A clip and all its texts.
#[derive(Debug, Clone)]
pub struct ClipTextsSample {
    /// The normalised clip.
    pub clip: NormalizedClip,
    /// One row a text.
    pub token_ids: Vec<Vec<u32>>,
    /// 1 for a token, 0 for padding; one row a text.
    pub attention_masks: Vec<Vec<u8>>,
    /// The number of the clip in its list.
    pub index: usize,
}

/// The same clips, each with one of its texts, another in each epoch if it has several.
#[derive(Debug, Clone)]
pub struct DrawnCaptions(ClipTextsDataset);

impl ClipTextsDataset {
    /// Prepares clips and texts as the configuration says.
    ///
    /// # Errors
    ///
    /// When a figure of the configuration is out of range.
    pub fn new(
        items: Vec<ClipTexts>,
        tokenizer: WordPieceTokenizer,
        config: ClipTextsConfig,
    ) -> Result<Self, DataError> {
        config.clip.validate()?;
        check_text_len(config.text_len)?;
        Ok(Self {
            items,
            tokenizer,
            config,
        })
    }

    /// The clips with their texts.
    pub fn items(&self) -> &[ClipTexts] {
        &self.items
    }

    /// The same, with one text drawn each time.
    #[must_use]
    pub fn drawing_one(self) -> DrawnCaptions {
        DrawnCaptions(self)
    }

    fn rng(&self, epoch: u64, index: usize) -> rand_chacha::ChaCha8Rng {
        Randomness::new(self.config.seed).for_item(epoch, index as u64)
    }

    fn clip(
        &self,
        index: usize,
        rng: &mut rand_chacha::ChaCha8Rng,
    ) -> Result<NormalizedClip, DataError> {
        let path = self.config.clips.join(&self.items[index].clip);
        self.config.clip.read(ClipSource::Path(path), rng)
    }
}

impl SampleSource for ClipTextsDataset {
    type Sample = ClipTextsSample;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn name(&self, index: usize) -> String {
        self.items[index].name.clone()
    }

    fn read(&self, epoch: u64, index: usize) -> Result<Self::Sample, DataError> {
        let (mut token_ids, mut attention_masks) = (Vec::new(), Vec::new());
        for text in &self.items[index].texts {
            let encoding = self.tokenizer.encode(text, self.config.text_len)?;
            token_ids.push(encoding.ids);
            attention_masks.push(encoding.attention_mask);
        }
        Ok(ClipTextsSample {
            clip: self.clip(index, &mut self.rng(epoch, index))?,
            token_ids,
            attention_masks,
            index,
        })
    }
}

impl SampleSource for DrawnCaptions {
    type Sample = RetrievalSample;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn name(&self, index: usize) -> String {
        self.0.name(index)
    }

    fn read(&self, epoch: u64, index: usize) -> Result<Self::Sample, DataError> {
        let texts = &self.0.items[index].texts;
        let mut rng = self.0.rng(epoch, index);
        let clip = self.0.clip(index, &mut rng)?;
        // Drawn last: frames and pixels do not depend on how many texts there are.
        let drawn = match texts.len() {
            0 | 1 => 0,
            several => rng.random_range(0..several),
        };
        let caption = texts.get(drawn).cloned().unwrap_or_default();
        let encoding = self.0.tokenizer.encode(&caption, self.0.config.text_len)?;
        Ok(RetrievalSample {
            clip,
            token_ids: encoding.ids,
            attention_mask: encoding.attention_mask,
            caption,
            name: self.name(index),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::vocabulary;
    use crate::video::{DecodeLimits, FrameSampling, PixelPipeline};
    use std::collections::BTreeSet;

    fn dataset(folder: &std::path::Path) -> ClipTextsDataset {
        let picture = image::RgbImage::new(4, 4);
        picture.save(folder.join("clip.png")).unwrap();
        let lines = vocabulary();
        let lines = lines.iter().map(String::as_str);
        let item = ClipTexts {
            name: "first".to_owned(),
            clip: "clip.png".to_owned(),
            texts: ["a red circle", "a blue square"].map(str::to_owned).into(),
        };
        ClipTextsDataset::new(
            vec![item],
            WordPieceTokenizer::from_vocab_lines(lines, "vocab.txt").unwrap(),
            ClipTextsConfig {
                clips: folder.to_owned(),
                clip: ClipReading {
                    sampling: FrameSampling::test_frames(1),
                    pixels: PixelPipeline::test_resize(28),
                    limits: DecodeLimits::default(),
                },
                text_len: 8,
                seed: 0,
            },
        )
        .unwrap()
    }

    #[test]
    fn a_clip_is_read_with_all_its_texts() {
        let folder = tempfile::tempdir().unwrap();

        let sample = dataset(folder.path()).read(0, 0).unwrap();

        assert_eq!((sample.token_ids.len(), sample.index), (2, 0));
        assert_ne!(sample.token_ids[0], sample.token_ids[1]);
        // [CLS], three words, [SEP].
        assert_eq!(sample.attention_masks[1], [1, 1, 1, 1, 1, 0, 0, 0]);
    }

    #[test]
    fn every_text_is_drawn_in_some_epoch_and_the_same_one_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let drawn = dataset(folder.path()).drawing_one();

        let captions: Vec<String> = (0..20)
            .map(|epoch| drawn.read(epoch, 0).unwrap().caption)
            .collect();

        let different: BTreeSet<&String> = captions.iter().collect();
        assert_eq!(different.len(), 2);
        assert_eq!(drawn.read(7, 0).unwrap().caption, captions[7]);
    }
}
