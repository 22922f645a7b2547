//! Clips with sentences: what retrieval is measured on, and learned from.
//!
//! Clover, section 4.2. In evaluation a clip is read once, however many sentences it has; the options
//! of a question that is answered by similarity are such sentences, too. In training one is drawn.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::clip_dataset::{ClipDataset, Preparation, PreparedRow, Tokens};
use super::clip_table::Texts;
use super::items::ItemsTask;
use crate::DataError;
use crate::video::NormalizedClip;

/// Clips with all their sentences, or with one drawn of them.
pub type CaptionedDataset = ClipDataset<Captioned>;

/// Which sentences of a clip a sample has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Captioned {
    /// All of them.
    All,
    /// One, another in each epoch if the clip has several.
    DrawOne,
    /// The options of its question, which is left out.
    Options,
    /// None: the clip alone, whatever is said or asked about it.
    Without,
}

/// A clip and its sentences.
#[derive(Debug, Clone)]
pub struct CaptionedSample {
    /// The normalised clip.
    pub clip: NormalizedClip,
    /// One row a sentence.
    pub token_ids: Vec<Vec<u32>>,
    /// 1 for a token, 0 for padding; one row a sentence.
    pub attention_masks: Vec<Vec<u8>>,
    /// The number of the clip in its table.
    pub index: usize,
    /// What reports call the clip.
    pub name: String,
}

/// The number of one text of so many; a single one draws nothing.
pub(super) fn draw_one(texts: usize, rng: &mut ChaCha8Rng) -> usize {
    match texts {
        0 | 1 => 0,
        several => rng.random_range(0..several),
    }
}

impl Preparation for Captioned {
    type Encoded = Vec<Tokens>;
    type Sample = CaptionedSample;

    fn encode(&self, texts: Texts, row: &PreparedRow<'_>) -> Result<Self::Encoded, DataError> {
        match (self, &texts) {
            (Self::Options, Texts::Choice { options, .. }) => row.tokens_of_all(options),
            (Self::All | Self::DrawOne, Texts::Captions(_)) => row.tokens_of_all(&texts.all()),
            (Self::Without, _) => Ok(Vec::new()),
            (Self::Options, _) => Err(row.without(ItemsTask::MultipleChoice)),
            (Self::All | Self::DrawOne, _) => Err(row.without(ItemsTask::Retrieval)),
        }
    }

    fn finish(
        &self,
        mut encoded: Self::Encoded,
        clip: NormalizedClip,
        row: &PreparedRow<'_>,
        rng: &mut ChaCha8Rng,
    ) -> CaptionedSample {
        if *self == Self::DrawOne {
            encoded = vec![encoded.swap_remove(draw_one(encoded.len(), rng))];
        }
        let (token_ids, attention_masks) = encoded.into_iter().unzip();
        CaptionedSample {
            clip,
            token_ids,
            attention_masks,
            index: row.index,
            name: row.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{ClipReading, ClipTable, SampleReading, SampleSource};
    use crate::text::Tokenizer;
    use crate::video::{DecodeLimits, FrameSampling, PixelPipeline};
    use clover_synthetic::{Benchmark, BenchmarkConfig, Split, vocabulary, write_benchmark};
    use std::collections::BTreeSet;
    use std::path::Path;

    fn dataset(table: ClipTable, captioned: Captioned) -> CaptionedDataset {
        let lines = vocabulary();
        let lines = lines.iter().map(String::as_str);
        let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt").unwrap();
        let reading = SampleReading {
            clip: ClipReading {
                sampling: FrameSampling::test_frames(8),
                fps: None,
                pixels: PixelPipeline::test_resize(32),
                limits: DecodeLimits::default(),
            },
            text_len: 8,
            seed: 0,
        };
        ClipDataset::new(table, tokenizer, reading, captioned).unwrap()
    }

    fn two_captions(folder: &Path, captioned: Captioned) -> CaptionedDataset {
        let clip = folder.join("clip.png");
        image::RgbImage::new(4, 4).save(&clip).unwrap();
        let pairs = [(&clip, "a red circle"), (&clip, "a blue square")];
        dataset(ClipTable::of_captions(pairs), captioned)
    }

    #[test]
    fn a_clip_is_read_with_all_its_texts() {
        let folder = tempfile::tempdir().unwrap();

        let sample = two_captions(folder.path(), Captioned::All)
            .read(0, 0)
            .unwrap();

        assert_eq!((sample.token_ids.len(), sample.index), (2, 0));
        assert_ne!(sample.token_ids[0], sample.token_ids[1]);
        // [CLS], three words, [SEP].
        assert_eq!(sample.attention_masks[1], [1, 1, 1, 1, 1, 0, 0, 0]);
    }

    #[test]
    fn every_text_is_drawn_in_some_epoch_and_the_same_one_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let drawn = two_captions(folder.path(), Captioned::DrawOne);
        let read = |epoch| drawn.read(epoch, 0).unwrap().token_ids;

        let captions: Vec<_> = (0..20).map(read).collect();

        let different: BTreeSet<_> = captions.iter().collect();
        assert_eq!(different.len(), 2);
        assert!(captions.iter().all(|texts| texts.len() == 1));
        assert_eq!(read(7), captions[7]);
    }

    #[test]
    fn a_drawn_clip_is_decoded_as_it_was_drawn_in_every_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let config = BenchmarkConfig::one_shape(1, 0.01);
        let files = write_benchmark(&config, folder.path(), |_, _| ()).unwrap();
        let table = ClipTable::open(&files.test.pairs, None, &|_, _| ()).unwrap();
        let dataset = dataset(table, Captioned::All);

        let [sample, again] = [0, 1].map(|epoch| dataset.read(epoch, 1).unwrap());

        assert_eq!(sample.clip, again.clip);
        assert_eq!(sample.token_ids, again.token_ids);
        let benchmark = Benchmark::plan(&config).unwrap();
        let drawn = benchmark.frames(config.range(Split::Test).start + 1);
        let frames = drawn.unwrap().concat();
        assert_eq!(sample.clip.dims(), [3, 8, 32, 32]);
        // The published order of channels: blue, green, red.
        let channels = [
            (2, 103.53, 57.375),
            (1, 116.28, 57.12),
            (0, 123.675, 58.395),
        ];
        let values = sample.clip.values();
        for (values, (channel, mean, deviation)) in values.chunks_exact(8 * 32 * 32).zip(channels) {
            let levels = frames
                .chunks_exact(3)
                .map(|pixel| f32::from(pixel[channel]));
            for (value, level) in values.iter().zip(levels) {
                assert!((value * deviation + mean - level).abs() < 0.01);
            }
        }
    }

    #[test]
    fn a_clip_is_read_alone_whatever_its_texts() {
        let folder = tempfile::tempdir().unwrap();
        let clip = folder.path().join("clip.png");
        image::RgbImage::new(4, 4).save(&clip).unwrap();
        let without_texts = ClipTable::open(&clip, None, &|_, _| ()).unwrap();

        let alone = dataset(without_texts, Captioned::Without)
            .read(0, 0)
            .unwrap();
        let with_texts = two_captions(folder.path(), Captioned::Without)
            .read(0, 0)
            .unwrap();

        assert!(alone.token_ids.is_empty() && with_texts.token_ids.is_empty());
        assert_eq!(alone.clip, with_texts.clip);
    }

    #[test]
    fn questions_are_no_captions() {
        let folder = tempfile::tempdir().unwrap();
        let clip = folder.path().join("clip.png");
        image::RgbImage::new(4, 4).save(&clip).unwrap();
        let path = folder.path().join("items.jsonl");
        let question = r#"{"clip":"clip.png","question":"red","options":["a","b"],"answer":0}"#;
        std::fs::write(&path, question).unwrap();
        let table = ClipTable::open(&path, None, &|_, _| ()).unwrap();
        let read = |captioned| dataset(table.clone(), captioned).read(0, 0);

        let options = read(Captioned::Options).unwrap();
        let error = read(Captioned::All).unwrap_err();

        assert_eq!(options.token_ids.len(), 2);
        assert!(error.to_string().ends_with("has no captions"), "{error}");
    }
}
