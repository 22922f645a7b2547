//! Open-ended questions prepared for answering: a clip, a question, and the answer's number.

use std::path::PathBuf;

use super::answer_vocabulary::AnswerVocabulary;
use super::clip_reading::ClipReading;
use super::items::OpenEndedItem;
use super::randomness::Randomness;
use super::source::SampleSource;
use super::text_length::check_text_len;
use crate::DataError;
use crate::text::WordPieceTokenizer;
use crate::video::{ClipSource, NormalizedClip};

/// How questions become samples.
#[derive(Debug, Clone)]
pub struct QuestionDatasetConfig {
    /// The folder that the items' clips lie below.
    pub clips: PathBuf,
    /// How a clip is read.
    pub clip: ClipReading,
    /// Tokens a text.
    pub text_len: usize,
    /// The seed of the run; nothing depends on it where sampling and pixels leave no chance.
    pub seed: u64,
}

/// Questions with an answer of a closed list.
#[derive(Debug, Clone)]
pub struct OpenEndedDataset {
    items: Vec<OpenEndedItem>,
    answers: AnswerVocabulary,
    tokenizer: WordPieceTokenizer,
    config: QuestionDatasetConfig,
}

/// A clip, a question, and the numbers of its answers.
#[derive(Debug, Clone)]
pub struct OpenEndedSample {
    /// The normalised clip.
    pub clip: NormalizedClip,
    /// The question.
    pub token_ids: Vec<u32>,
    /// 1 for a token, 0 for padding.
    pub attention_mask: Vec<u8>,
    /// The numbers of the right answers that the list has, the first of which is trained on.
    pub answers: Vec<usize>,
    /// What reports call the sample.
    pub name: String,
}

impl OpenEndedDataset {
    /// Prepares questions as the configuration says.
    ///
    /// # Errors
    ///
    /// When a figure of the configuration is out of range.
    pub fn new(
        items: Vec<OpenEndedItem>,
        answers: AnswerVocabulary,
        tokenizer: WordPieceTokenizer,
        config: QuestionDatasetConfig,
    ) -> Result<Self, DataError> {
        config.clip.validate()?;
        check_text_len(config.text_len)?;
        Ok(Self {
            items,
            answers,
            tokenizer,
            config,
        })
    }

    /// Leaves out questions none of whose answers is in the list, which nothing can be learned
    /// from; returns how many they were.
    pub fn keep_answerable(&mut self) -> usize {
        let before = self.items.len();
        let answers = &self.answers;
        self.items.retain(|item| !numbers(answers, item).is_empty());
        before - self.items.len()
    }

    /// The questions.
    pub fn items(&self) -> &[OpenEndedItem] {
        &self.items
    }
}

impl SampleSource for OpenEndedDataset {
    type Sample = OpenEndedSample;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn name(&self, index: usize) -> String {
        let item = &self.items[index];
        item.id.as_ref().unwrap_or(&item.clip).clone()
    }

    fn read(&self, epoch: u64, index: usize) -> Result<Self::Sample, DataError> {
        let item = &self.items[index];
        let mut rng = Randomness::new(self.config.seed).for_item(epoch, index as u64);
        let path = self.config.clips.join(&item.clip);
        let clip = self.config.clip.read(ClipSource::Path(path), &mut rng)?;
        let encoding = self
            .tokenizer
            .encode(&item.question, self.config.text_len)?;
        Ok(OpenEndedSample {
            clip,
            token_ids: encoding.ids,
            attention_mask: encoding.attention_mask,
            answers: numbers(&self.answers, item),
            name: self.name(index),
        })
    }
}

fn numbers(answers: &AnswerVocabulary, item: &OpenEndedItem) -> Vec<usize> {
    let known = item.answers.iter();
    known
        .filter_map(|answer| answers.index_of(answer))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::{SyntheticSetConfig, vocabulary, write_synthetic_set};
    use crate::video::{DecodeLimits, FrameSampling, PixelPipeline};

    fn dataset(folder: &std::path::Path, answers: &[&[&str]]) -> OpenEndedDataset {
        let set = SyntheticSetConfig {
            train_clips: 1,
            held_out_clips: 0,
            frames: 2,
            size: 32,
            seed: 0,
        };
        let files = write_synthetic_set(&set, folder).unwrap();
        let clip = crate::dataset::PairsManifest::read(&files.train)
            .unwrap()
            .pairs[0]
            .path
            .strip_prefix(folder)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let item = |answers: &&[&str]| OpenEndedItem {
            id: None,
            clip: clip.clone(),
            question: "a red circle".to_owned(),
            answers: answers.iter().map(|&answer| answer.to_owned()).collect(),
        };
        let lines = vocabulary();
        let lines = lines.iter().map(String::as_str);
        OpenEndedDataset::new(
            answers.iter().map(item).collect(),
            AnswerVocabulary::from_answers(["red", "blue"], 2),
            WordPieceTokenizer::from_vocab_lines(lines, "vocab.txt").unwrap(),
            QuestionDatasetConfig {
                clips: folder.to_owned(),
                clip: ClipReading {
                    sampling: FrameSampling::test_frames(2),
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
    fn a_question_has_the_numbers_of_the_answers_that_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = dataset(folder.path(), &[&["blue", "mauve", "red"], &["mauve"]]);

        let [known, unknown] = [0, 1].map(|index| dataset.read(0, index).unwrap());

        assert_eq!((known.answers, unknown.answers), (vec![1, 0], vec![]));
        // [CLS], three words, [SEP].
        assert_eq!(known.attention_mask, [1, 1, 1, 1, 1, 0, 0, 0]);
        assert_eq!(known.name, dataset.items()[0].clip);
    }

    #[test]
    fn questions_that_teach_nothing_are_left_out_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let mut dataset = dataset(folder.path(), &[&["mauve"], &["red"], &[]]);

        let left_out = dataset.keep_answerable();

        assert_eq!((left_out, dataset.len()), (2, 1));
        assert_eq!(dataset.items()[0].answers, ["red"]);
    }
}
