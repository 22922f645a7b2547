//! Open-ended questions prepared for answering: a clip, a question, and the answer's number.
//!
//! A fill-in-the-blank item is one whose text has exactly one `[MASK]`, where the answer is read off.

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
    wants_blank: bool,
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
    /// Where the text's one `[MASK]` stands, if it is asked for.
    pub blank: Option<usize>,
    /// The number of the question in its list.
    pub index: usize,
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
            wants_blank: false,
        })
    }

    /// Questions are sentences with one `[MASK]`; one without, or with several, cannot be read.
    #[must_use]
    pub fn with_blanks(self) -> Self {
        Self {
            wants_blank: true,
            ..self
        }
    }

    /// The answers to choose from.
    pub fn answers(&self) -> &AnswerVocabulary {
        &self.answers
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
        let encoding = self
            .tokenizer
            .encode(&item.question, self.config.text_len)?;
        // Before the clip is decoded, which takes longer.
        let blank = self.blank(index, &encoding.ids)?;
        let mut rng = Randomness::new(self.config.seed).for_item(epoch, index as u64);
        let path = self.config.clips.join(&item.clip);
        let clip = self.config.clip.read(ClipSource::Path(path), &mut rng)?;
        Ok(OpenEndedSample {
            clip,
            blank,
            token_ids: encoding.ids,
            attention_mask: encoding.attention_mask,
            answers: numbers(&self.answers, item),
            index,
            name: self.name(index),
        })
    }
}

impl OpenEndedDataset {
    /// Where the one `[MASK]` stands, if it is asked for.
    fn blank(&self, index: usize, ids: &[u32]) -> Result<Option<usize>, DataError> {
        if !self.wants_blank {
            return Ok(None);
        }
        let mask = self.tokenizer.special().mask;
        let mut blanks = (0..).zip(ids).filter(|(_, id)| **id == mask);
        match (blanks.next(), blanks.count()) {
            (Some((place, _)), 0) => Ok(Some(place)),
            (first, others) => Err(DataError::Blanks {
                name: self.name(index),
                found: usize::from(first.is_some()) + others,
                text_len: ids.len(),
            }),
        }
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
    fn a_blank_is_found_and_none_or_several_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut dataset = dataset(folder.path(), &[&["red"], &["red"], &["red"]]).with_blanks();
        dataset.items[0].question = "a [MASK] circle".to_owned();
        dataset.items[1].question = "a [MASK] [MASK]".to_owned();
        dataset.items[2].id = Some("third".to_owned());

        let [one, two, none] = [0, 1, 2].map(|index| dataset.read(0, index));

        assert_eq!(one.unwrap().blank, Some(2));
        assert!(two.unwrap_err().to_string().contains("has 2 [MASK]"));
        let message = none.unwrap_err().to_string();
        assert!(message.starts_with("third: has 0 [MASK]"), "{message}");
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
