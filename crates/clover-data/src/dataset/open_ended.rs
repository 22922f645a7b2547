//! Open-ended questions prepared for answering: a clip, a question, and the answer's number.
//!
//! A fill-in-the-blank item is one whose text has exactly one `[MASK]`, where the answer is read off.

use rand_chacha::ChaCha8Rng;

use super::answer_vocabulary::AnswerVocabulary;
use super::clip_dataset::{ClipDataset, Preparation, PreparedRow};
use super::clip_table::{ClipTable, Texts};
use super::items::ItemsTask;
use crate::DataError;
use crate::text::Encoding;
use crate::video::NormalizedClip;

/// Questions with an answer of a closed list.
pub type OpenEndedDataset = ClipDataset<Answered>;

/// Looks the answers of a question up in a list.
#[derive(Debug, Clone)]
pub struct Answered {
    answers: AnswerVocabulary,
    blank: bool,
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
    /// The number of the question in its table.
    pub index: usize,
    /// What reports call the sample.
    pub name: String,
}

impl Answered {
    /// Questions whose answers are in this list.
    pub fn from_list(answers: AnswerVocabulary) -> Self {
        Self {
            answers,
            blank: false,
        }
    }

    /// Questions are sentences with one `[MASK]`; one without, or with several, cannot be read.
    #[must_use]
    pub fn in_blanks(self) -> Self {
        Self {
            blank: true,
            ..self
        }
    }

    /// The answers to choose from.
    pub fn answers(&self) -> &AnswerVocabulary {
        &self.answers
    }

    /// The questions one of whose answers is in the list: nothing can be learned from others.
    #[must_use]
    pub fn answerable(&self, table: &ClipTable) -> ClipTable {
        table.filtered(|texts| match texts {
            Texts::Question { answers, .. } => !self.numbers(answers).is_empty(),
            _ => false,
        })
    }

    fn numbers(&self, answers: &[String]) -> Vec<usize> {
        let known = answers.iter();
        known
            .filter_map(|answer| self.answers.index_of(answer))
            .collect()
    }

    /// Where the one `[MASK]` stands, if it is asked for.
    fn blank(&self, ids: &[u32], row: &PreparedRow<'_>) -> Result<Option<usize>, DataError> {
        if !self.blank {
            return Ok(None);
        }
        let mask = row.tokenizer.special().mask;
        let mut blanks = (0..).zip(ids).filter(|(_, id)| **id == mask);
        match (blanks.next(), blanks.count()) {
            (Some((place, _)), 0) => Ok(Some(place)),
            (first, others) => Err(DataError::Blanks {
                name: row.name.clone(),
                found: usize::from(first.is_some()) + others,
                text_len: ids.len(),
            }),
        }
    }
}

impl Preparation for Answered {
    type Encoded = (Encoding, Option<usize>, Vec<usize>);
    type Sample = OpenEndedSample;

    fn encode(&self, texts: Texts, row: &PreparedRow<'_>) -> Result<Self::Encoded, DataError> {
        let Texts::Question { question, answers } = texts else {
            return Err(row.without(ItemsTask::OpenEnded));
        };
        let encoding = row.tokens(&question)?;
        let blank = self.blank(&encoding.ids, row)?;
        Ok((encoding, blank, self.numbers(&answers)))
    }

    fn finish(
        &self,
        (encoding, blank, answers): Self::Encoded,
        clip: NormalizedClip,
        row: &PreparedRow<'_>,
        _rng: &mut ChaCha8Rng,
    ) -> OpenEndedSample {
        OpenEndedSample {
            clip,
            blank,
            token_ids: encoding.ids,
            attention_mask: encoding.attention_mask,
            answers,
            index: row.index,
            name: row.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{ClipReading, Items, OpenEndedItem, SampleReading, SampleSource};
    use crate::text::Tokenizer;
    use crate::video::{DecodeLimits, FrameSampling, PixelPipeline};
    use clover_synthetic::vocabulary;
    use std::path::Path;

    /// Questions with their answers.
    fn dataset(folder: &Path, questions: &[(&str, &[&str])], blanks: bool) -> OpenEndedDataset {
        image::RgbImage::new(4, 4)
            .save(folder.join("clip.png"))
            .unwrap();
        let item = |(question, answers): &(&str, &[&str])| OpenEndedItem {
            id: (*question == "third").then(|| "third".to_owned()),
            span: None,
            clip: "clip.png".to_owned(),
            question: (*question).to_owned(),
            answers: answers.iter().map(|&answer| answer.to_owned()).collect(),
        };
        let items = Items::OpenEnded(questions.iter().map(item).collect());
        let list = AnswerVocabulary::from_answers(["red", "blue"], 2);
        let answered = Answered::from_list(list);
        let lines = vocabulary();
        let lines = lines.iter().map(String::as_str);
        ClipDataset::new(
            ClipTable::of_items(items, folder),
            Tokenizer::from_vocab_lines(lines, "vocab.txt").unwrap(),
            SampleReading {
                clip: ClipReading {
                    sampling: FrameSampling::test_frames(2),
                    fps: None,
                    pixels: PixelPipeline::test_resize(28),
                    limits: DecodeLimits::default(),
                },
                text_len: 8,
                seed: 0,
            },
            if blanks {
                answered.in_blanks()
            } else {
                answered
            },
        )
        .unwrap()
    }

    const QUESTION: &str = "a red circle";

    #[test]
    fn a_question_has_the_numbers_of_the_answers_that_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let questions: [(&str, &[&str]); 2] = [
            (QUESTION, &["blue", "mauve", "red"]),
            (QUESTION, &["mauve"]),
        ];
        let dataset = dataset(folder.path(), &questions, false);

        let [known, unknown] = [0, 1].map(|index| dataset.read(0, index).unwrap());

        assert_eq!((known.answers, unknown.answers), (vec![1, 0], vec![]));
        // [CLS], three words, [SEP].
        assert_eq!(known.attention_mask, [1, 1, 1, 1, 1, 0, 0, 0]);
        assert_eq!(known.name, "clip.png");
    }

    #[test]
    fn a_blank_is_found_and_none_or_several_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let questions: [(&str, &[&str]); 3] = [
            ("a [MASK] circle", &["red"]),
            ("a [MASK] [MASK]", &["red"]),
            ("third", &["red"]),
        ];
        let dataset = dataset(folder.path(), &questions, true);

        let [one, two, none] = [0, 1, 2].map(|index| dataset.read(0, index));

        assert_eq!(one.unwrap().blank, Some(2));
        assert!(two.unwrap_err().to_string().contains("has 2 [MASK]"));
        let message = none.unwrap_err().to_string();
        assert!(message.starts_with("third: has 0 [MASK]"), "{message}");
    }

    #[test]
    fn questions_about_one_clip_share_what_is_decoded() {
        let folder = tempfile::tempdir().unwrap();
        let questions: [(&str, &[&str]); 3] = [(QUESTION, &["red"]); 3];
        let dataset = dataset(folder.path(), &questions, false);
        let shared = dataset.clone().with_group_size(2);

        let first = shared.read(0, 0).unwrap();
        std::fs::remove_file(folder.path().join("clip.png")).unwrap();

        assert_eq!(shared.read(0, 1).unwrap().clip, first.clip);
        // Another group, another epoch, and rows that draw for themselves.
        for (dataset, epoch, index) in [(&shared, 0, 2), (&shared, 1, 1), (&dataset, 0, 0)] {
            let error = dataset.read(epoch, index).unwrap_err();
            assert!(error.is_missing(), "{error}");
        }
    }

    #[test]
    fn questions_that_teach_nothing_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let questions: [(&str, &[&str]); 3] = [
            (QUESTION, &["mauve"]),
            (QUESTION, &["red"]),
            (QUESTION, &[]),
        ];
        let dataset = dataset(folder.path(), &questions, false);

        let left = dataset.preparation().answerable(dataset.table());

        assert_eq!((dataset.len(), left.len()), (3, 1));
        assert_eq!(left.texts(0).all(), [QUESTION, "red"]);
    }
}
