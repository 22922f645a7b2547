//! The items a task is measured on, and how they are read.

use std::path::Path;

use clover_data::dataset::{
    AnswerVocabulary, ClipTexts, ClipTextsConfig, MultipleChoiceDataset, MultipleChoiceItem,
    OpenEndedDataset, OpenEndedItem, QuestionDatasetConfig, SkippedItem,
};
use clover_data::text::WordPieceTokenizer;
use clover_inference::Preprocessing;

use super::{ItemsLocation, TaskItems};
use crate::TrainerError;
use crate::checkpoint::ListFingerprint;
use crate::recipe::{TaskKind, TaskRecipe};

/// The items a task is measured on.
#[derive(Clone, Debug)]
pub enum TestItems {
    /// Clips with sentences.
    Captioned(TaskItems<ClipTexts>),
    /// Questions with options.
    Choices(TaskItems<MultipleChoiceItem>),
    /// Questions with answers in words.
    Questions(TaskItems<OpenEndedItem>),
}

impl TestItems {
    /// Reads the items of a task.
    ///
    /// # Errors
    ///
    /// The file cannot be read, holds items of another task, or a question has more or fewer options
    /// than the recipe wants.
    pub fn open(recipe: &TaskRecipe, location: &ItemsLocation) -> Result<Self, TrainerError> {
        Ok(match recipe.task {
            TaskKind::Retrieval => Self::Captioned(location.captioned()?),
            TaskKind::RankedChoice | TaskKind::MultipleChoice => {
                Self::Choices(location.choices(recipe.candidates)?)
            }
            TaskKind::OpenEnded | TaskKind::FillInTheBlank => {
                Self::Questions(location.questions()?)
            }
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Captioned(list) => list.items.len(),
            Self::Choices(list) => list.items.len(),
            Self::Questions(list) => list.items.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows that cannot be used.
    #[must_use]
    pub fn unusable(&self) -> &[SkippedItem] {
        match self {
            Self::Captioned(list) => &list.unusable,
            Self::Choices(list) => &list.unusable,
            Self::Questions(list) => &list.unusable,
        }
    }

    /// The folder of clips.
    #[must_use]
    pub fn clips(&self) -> &Path {
        match self {
            Self::Captioned(list) => &list.clips,
            Self::Choices(list) => &list.clips,
            Self::Questions(list) => &list.clips,
        }
    }

    pub(crate) fn fingerprint(&self) -> ListFingerprint {
        match self {
            Self::Captioned(list) => list.fingerprint(),
            Self::Choices(list) => list.fingerprint(),
            Self::Questions(list) => list.fingerprint(),
        }
    }
}

/// How a task's clips and texts are read, in training or in tests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskReading<'r> {
    /// The recipe, fitted to the bundle.
    pub(crate) recipe: &'r TaskRecipe,
    /// How the bundle was trained to see files.
    pub(crate) bundle: &'r Preprocessing,
    pub(crate) tokenizer: &'r WordPieceTokenizer,
    /// Whether chance has a part in it.
    pub(crate) trains: bool,
}

impl TaskReading<'_> {
    /// How clips with sentences are read.
    pub(crate) fn clip_texts(&self, clips: &Path) -> ClipTextsConfig {
        let questions = self.questions(clips);
        ClipTextsConfig {
            clips: questions.clips,
            clip: questions.clip,
            text_len: questions.text_len,
            seed: questions.seed,
        }
    }

    fn questions(&self, clips: &Path) -> QuestionDatasetConfig {
        let recipe = self.recipe;
        let (clip, text_len) = match self.trains {
            true => (recipe.training_clips(self.bundle), recipe.text_len),
            false => (recipe.test_clips(self.bundle), recipe.test_text_len),
        };
        QuestionDatasetConfig {
            clips: clips.to_owned(),
            clip,
            text_len,
            seed: recipe.seed,
        }
    }

    /// Questions with options, ready to be read.
    pub(crate) fn choices(
        &self,
        list: &TaskItems<MultipleChoiceItem>,
    ) -> Result<MultipleChoiceDataset, TrainerError> {
        let config = self.questions(&list.clips);
        let (form, tokenizer) = (self.recipe.question_form, self.tokenizer.clone());
        let items = list.items.clone();
        Ok(MultipleChoiceDataset::new(items, form, tokenizer, config)?)
    }

    /// Questions with answers in words, ready to be read.
    pub(crate) fn open_ended(
        &self,
        list: &TaskItems<OpenEndedItem>,
        answers: &AnswerVocabulary,
    ) -> Result<OpenEndedDataset, TrainerError> {
        let config = self.questions(&list.clips);
        let (items, tokenizer) = (list.items.clone(), self.tokenizer.clone());
        let dataset = OpenEndedDataset::new(items, answers.clone(), tokenizer, config)?;
        Ok(match self.recipe.task {
            TaskKind::FillInTheBlank => dataset.with_blanks(),
            _ => dataset,
        })
    }
}
