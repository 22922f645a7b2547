//! Multiple-choice questions prepared for answering: a clip and one text for each candidate.

use rand_chacha::ChaCha8Rng;

use super::clip_dataset::{ClipDataset, Preparation, PreparedRow, Tokens};
use super::clip_table::{ClipTable, Texts};
use super::items::ItemsTask;
use crate::DataError;
use crate::text::QuestionForm;
use crate::video::NormalizedClip;

/// Questions with candidates to choose from, as many for each.
pub type MultipleChoiceDataset = ClipDataset<Candidates>;

/// Makes a text of each candidate.
#[derive(Debug, Clone, Copy)]
pub struct Candidates {
    form: QuestionForm,
    count: usize,
}

/// A clip, the texts of its candidates, and the number of the right one.
#[derive(Debug, Clone)]
pub struct MultipleChoiceSample {
    /// The normalised clip.
    pub clip: NormalizedClip,
    /// One text a candidate.
    pub token_ids: Vec<Vec<u32>>,
    /// 1 for a token, 0 for padding; one row a candidate.
    pub attention_masks: Vec<Vec<u8>>,
    /// The number of the right candidate.
    pub answer: usize,
    /// What reports call the sample.
    pub name: String,
    /// The number of the question in its table.
    pub index: usize,
}

impl Candidates {
    /// Questions in a form, with as many candidates as `expected`; where that is 0, as the first
    /// question of `table` has.
    pub fn of(table: &ClipTable, form: QuestionForm, expected: usize) -> Self {
        let count = match (expected, table.is_empty()) {
            (0, false) => options(&table.texts(0)),
            (expected, _) => expected,
        };
        Self { form, count }
    }

    /// Checks every question of a table.
    ///
    /// # Errors
    ///
    /// When one has another number of candidates.
    pub fn check(&self, table: &ClipTable) -> Result<(), DataError> {
        (0..table.len()).try_for_each(|row| self.check_row(&table.texts(row), || table.name(row)))
    }

    fn check_row(&self, texts: &Texts, name: impl Fn() -> String) -> Result<(), DataError> {
        let (found, expected) = (options(texts), self.count);
        if found == expected {
            return Ok(());
        }
        let name = name();
        Err(DataError::CandidateCount {
            name,
            found,
            expected,
        })
    }

    /// Candidates of each question.
    pub fn count(&self) -> usize {
        self.count
    }
}

fn options(texts: &Texts) -> usize {
    match texts {
        Texts::Choice { options, .. } => options.len(),
        _ => 0,
    }
}

impl Preparation for Candidates {
    type Encoded = (Vec<Tokens>, usize);
    type Sample = MultipleChoiceSample;

    fn encode(&self, texts: Texts, row: &PreparedRow<'_>) -> Result<Self::Encoded, DataError> {
        self.check_row(&texts, || row.name.clone())?;
        let Texts::Choice {
            question,
            options,
            answer,
        } = texts
        else {
            return Err(row.without(ItemsTask::MultipleChoice));
        };
        let texts = self.form.texts(&question, &options);
        Ok((row.tokens_of_all(&texts)?, answer))
    }

    fn finish(
        &self,
        (texts, answer): Self::Encoded,
        clip: NormalizedClip,
        row: &PreparedRow<'_>,
        _rng: &mut ChaCha8Rng,
    ) -> MultipleChoiceSample {
        let (token_ids, attention_masks) = texts.into_iter().unzip();
        MultipleChoiceSample {
            clip,
            token_ids,
            attention_masks,
            answer,
            name: row.name.clone(),
            index: row.index,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{ClipReading, Items, MultipleChoiceItem, SampleReading, SampleSource};
    use crate::text::Tokenizer;
    use crate::video::{DecodeLimits, FrameSampling, PixelPipeline};
    use clover_synthetic::vocabulary;
    use std::path::Path;

    fn dataset(folder: &Path, options: &[&[&str]]) -> Result<MultipleChoiceDataset, DataError> {
        let item = |options: &&[&str]| MultipleChoiceItem {
            skill: None,
            id: Some(format!("of {}", options.len())),
            span: None,
            clip: "clip.png".to_owned(),
            question: "red".to_owned(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            answer: 1,
        };
        let lines = vocabulary();
        let lines = lines.iter().map(String::as_str);
        let items = Items::MultipleChoice(options.iter().map(item).collect());
        let table = ClipTable::of_items(items, folder);
        let candidates = Candidates::of(&table, QuestionForm::WithCandidate, 0);
        candidates.check(&table)?;
        let reading = SampleReading {
            clip: ClipReading {
                sampling: FrameSampling::test_frames(1),
                fps: None,
                pixels: PixelPipeline::test_resize(28),
                limits: DecodeLimits::default(),
            },
            text_len: 8,
            seed: 0,
        };
        let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt").unwrap();
        ClipDataset::new(table, tokenizer, reading, candidates)
    }

    #[test]
    fn every_candidate_becomes_a_text() {
        let folder = tempfile::tempdir().unwrap();
        let image = image::RgbImage::new(4, 4);
        image.save(folder.path().join("clip.png")).unwrap();
        let dataset = dataset(folder.path(), &[&["circle", "square"]]).unwrap();

        let sample = dataset.read(0, 0).unwrap();

        assert_eq!((sample.answer, dataset.preparation().count()), (1, 2));
        assert_ne!(sample.token_ids[0], sample.token_ids[1]);
        // [CLS] red [SEP] square [SEP].
        assert_eq!(
            sample.attention_masks,
            vec![vec![1, 1, 1, 1, 1, 0, 0, 0]; 2]
        );
    }

    #[test]
    fn a_question_with_more_candidates_is_refused_by_name() {
        let questions: [&[&str]; 2] = [&["circle", "square"], &["a", "b", "c"]];

        let error = dataset(Path::new(""), &questions).unwrap_err();

        assert!(error.to_string().contains("of 3"), "{error}");
    }
}
