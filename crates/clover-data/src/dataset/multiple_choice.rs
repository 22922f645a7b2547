//! Multiple-choice questions prepared for answering: a clip and one text for each candidate.

use super::items::MultipleChoiceItem;
use super::open_ended::QuestionDatasetConfig;
use super::randomness::Randomness;
use super::source::SampleSource;
use super::text_length::check_text_len;
use crate::DataError;
use crate::text::{QuestionForm, WordPieceTokenizer};
use crate::video::{ClipSource, NormalizedClip};

/// Questions with candidates to choose from, as many for each.
#[derive(Debug, Clone)]
pub struct MultipleChoiceDataset {
    items: Vec<MultipleChoiceItem>,
    form: QuestionForm,
    tokenizer: WordPieceTokenizer,
    config: QuestionDatasetConfig,
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
    /// The number of the question in its list.
    pub index: usize,
}

impl MultipleChoiceDataset {
    /// Prepares questions as the configuration says.
    ///
    /// # Errors
    ///
    /// When a figure of the configuration is out of range, or a question has another number of
    /// candidates than the first.
    pub fn new(
        items: Vec<MultipleChoiceItem>,
        form: QuestionForm,
        tokenizer: WordPieceTokenizer,
        config: QuestionDatasetConfig,
    ) -> Result<Self, DataError> {
        config.clip.validate()?;
        check_text_len(config.text_len)?;
        let dataset = Self {
            items,
            form,
            tokenizer,
            config,
        };
        let counts = dataset.items.iter().map(|item| item.options.len());
        let expected = dataset.candidates();
        let other = counts
            .enumerate()
            .find(|&(_, candidates)| candidates != expected);
        match other {
            None => Ok(dataset),
            Some((index, found)) => Err(DataError::CandidateCount {
                name: dataset.name(index),
                found,
                expected,
            }),
        }
    }

    /// Candidates of each question.
    pub fn candidates(&self) -> usize {
        self.items.first().map_or(0, |item| item.options.len())
    }

    /// The questions.
    pub fn items(&self) -> &[MultipleChoiceItem] {
        &self.items
    }
}

impl SampleSource for MultipleChoiceDataset {
    type Sample = MultipleChoiceSample;

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
        let (mut token_ids, mut attention_masks) = (Vec::new(), Vec::new());
        for text in self.form.texts(&item.question, &item.options) {
            let encoding = self.tokenizer.encode(&text, self.config.text_len)?;
            token_ids.push(encoding.ids);
            attention_masks.push(encoding.attention_mask);
        }
        Ok(MultipleChoiceSample {
            clip,
            token_ids,
            attention_masks,
            answer: item.answer,
            name: self.name(index),
            index,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::ClipReading;
    use crate::synthetic::vocabulary;
    use crate::video::{DecodeLimits, FrameSampling, PixelPipeline};

    fn dataset(options: &[&[&str]]) -> Result<MultipleChoiceDataset, DataError> {
        let item = |options: &&[&str]| MultipleChoiceItem {
            id: Some(format!("of {}", options.len())),
            clip: "clip.png".to_owned(),
            question: "red".to_owned(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            answer: 1,
        };
        let lines = vocabulary();
        let lines = lines.iter().map(String::as_str);
        MultipleChoiceDataset::new(
            options.iter().map(item).collect(),
            QuestionForm::WithCandidate,
            WordPieceTokenizer::from_vocab_lines(lines, "vocab.txt").unwrap(),
            QuestionDatasetConfig {
                clips: std::env::temp_dir(),
                clip: ClipReading {
                    sampling: FrameSampling::test_frames(1),
                    pixels: PixelPipeline::test_resize(28),
                    limits: DecodeLimits::default(),
                },
                text_len: 8,
                seed: 0,
            },
        )
    }

    #[test]
    fn every_candidate_becomes_a_text() {
        let folder = tempfile::tempdir().unwrap();
        let picture = image::RgbImage::new(4, 4);
        picture.save(folder.path().join("clip.png")).unwrap();
        let mut dataset = dataset(&[&["circle", "square"]]).unwrap();
        dataset.config.clips = folder.path().to_owned();

        let sample = dataset.read(0, 0).unwrap();

        assert_eq!((sample.answer, dataset.candidates()), (1, 2));
        assert_ne!(sample.token_ids[0], sample.token_ids[1]);
        // [CLS] red [SEP] square [SEP].
        assert_eq!(
            sample.attention_masks,
            vec![vec![1, 1, 1, 1, 1, 0, 0, 0]; 2]
        );
    }

    #[test]
    fn a_question_with_more_candidates_is_refused_by_name() {
        let error = dataset(&[&["circle", "square"], &["a", "b", "c"]]).unwrap_err();

        assert!(error.to_string().contains("of 3"), "{error}");
    }
}
