//! What a fine-tuned bundle holds beside an ordinary one: an answer head, and what its scores mean.
//!
//! | file | content |
//! |---|---|
//! | `answers.json` | [`AnswerSheet`] |
//! | `answer_head.safetensors` | the head's weights under our parameter paths |
//!
//! The encoders lie in `model.safetensors`, as those of any bundle.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use burn::module::{Module, Param};
use burn::prelude::*;
use clover_data::text::QuestionForm;
use clover_model::heads::{MultipleChoiceHead, OpenEndedHead};
use clover_model::tasks::{FillInTheBlankModel, MultipleChoiceModel, OpenEndedModel};
use clover_model::weights::{self, Naming};
use serde::{Deserialize, Serialize};

use crate::InferenceError;
use crate::bundle::{read_json, write_json};

const ANSWERS: &str = "answers.json";
const HEAD: &str = "answer_head.safetensors";

/// How a head answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// A score for each option of a question.
    MultipleChoice,
    /// A score for each answer of the list.
    OpenEnded,
    /// The same, read off at the text's `[MASK]`.
    FillInTheBlank,
}

/// What the scores of a head mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerSheet {
    /// How the head answers.
    pub kind: AnswerKind,
    /// How a question becomes a text.
    pub question_form: QuestionForm,
    /// The answers in the order of their numbers; none for multiple choice.
    pub answers: Vec<String>,
}

/// A model with an answer head.
pub trait AnsweringModel<B: Backend>: Module<B> {
    /// Writes what it has beside the encoders.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    fn write_head(&self, folder: &Path) -> Result<(), InferenceError>;

    /// Reads what [`write_head`](Self::write_head) wrote.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds another head.
    fn read_head(&mut self, folder: &Path) -> Result<(), InferenceError> {
        let path = folder.join(HEAD);
        let report = weights::read_file(self, &path, Naming::Native)?;
        // The encoders come from the bundle's other file.
        let is_own = |name: &String| name.starts_with("answer_head.") || name == "separator_token";
        let fits = !report.missing.iter().any(is_own)
            && report.mismatched.is_empty()
            && report.unused.is_empty();
        if fits {
            return Ok(());
        }
        Err(InferenceError::IncompleteWeights {
            path,
            report: report.to_string(),
        })
    }
}

/// The head of multiple choice, under its path.
#[derive(Module, Debug)]
struct Choice<B: Backend> {
    answer_head: MultipleChoiceHead<B>,
}

/// The head of open-ended questions, under its path.
#[derive(Module, Debug)]
struct List<B: Backend> {
    answer_head: OpenEndedHead<B>,
}

/// The head of fill-in-the-blank and the token before the text, under their paths.
#[derive(Module, Debug)]
struct Blank<B: Backend> {
    answer_head: OpenEndedHead<B>,
    separator_token: Param<Tensor<B, 3>>,
}

impl<B: Backend> AnsweringModel<B> for MultipleChoiceModel<B> {
    fn write_head(&self, folder: &Path) -> Result<(), InferenceError> {
        let answer_head = self.answer_head.clone();
        write(&Choice { answer_head }, folder)
    }
}

impl<B: Backend> AnsweringModel<B> for OpenEndedModel<B> {
    fn write_head(&self, folder: &Path) -> Result<(), InferenceError> {
        let answer_head = self.answer_head.clone();
        write(&List { answer_head }, folder)
    }
}

impl<B: Backend> AnsweringModel<B> for FillInTheBlankModel<B> {
    fn write_head(&self, folder: &Path) -> Result<(), InferenceError> {
        let blank = Blank {
            answer_head: self.answer_head.clone(),
            separator_token: self.separator_token.clone(),
        };
        write(&blank, folder)
    }
}

impl AnswerSheet {
    /// Reads the sheet of a bundle; a bundle that answers nothing has none.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, InferenceError> {
        let path = folder.join(ANSWERS);
        match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            _ => read_json(&path).map(Some),
        }
    }

    /// Writes the sheet into a bundle.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), InferenceError> {
        write_json(&folder.join(ANSWERS), self)
    }
}

fn write<B: Backend, M: Module<B>>(parts: &M, folder: &Path) -> Result<(), InferenceError> {
    Ok(weights::write_file(
        parts,
        &folder.join(HEAD),
        Naming::Native,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use clover_model::heads::OpenEndedHeadConfig;
    use clover_model::{Clover, CloverConfig};

    fn clover() -> Clover<TestBackend> {
        CloverConfig::tiny(40)
            .with_image_size(28)
            .with_frames(2)
            .init(&Default::default())
    }

    fn open_ended(answers: usize) -> OpenEndedModel<TestBackend> {
        let head = OpenEndedHeadConfig::new(128, answers);
        OpenEndedModel::from_clover(clover(), &head, &Default::default())
    }

    #[test]
    fn a_head_reads_back_and_one_of_other_labels_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let written = open_ended(5);
        written.write_head(folder.path()).unwrap();
        let bytes = |model: &OpenEndedModel<TestBackend>| {
            let answer_head = model.answer_head.clone();
            weights::to_bytes(&List { answer_head }, Naming::Native).unwrap()
        };

        let mut same = open_ended(5);
        same.read_head(folder.path()).unwrap();
        let error = open_ended(6).read_head(folder.path()).unwrap_err();

        assert!(bytes(&same) == bytes(&written));
        assert!(error.to_string().contains(HEAD), "{error}");
    }

    #[test]
    fn the_head_of_a_blank_brings_its_token_and_is_no_other_head() {
        let folder = tempfile::tempdir().unwrap();
        let head = OpenEndedHeadConfig::new(128, 5);
        let device = Default::default();
        let blank = FillInTheBlankModel::from_clover(clover(), &head, &device);
        blank.write_head(folder.path()).unwrap();

        let mut same = FillInTheBlankModel::from_clover(clover(), &head, &device);
        same.read_head(folder.path()).unwrap();

        let token =
            |model: &FillInTheBlankModel<TestBackend>| model.separator_token.val().into_data();
        assert_eq!(token(&same), token(&blank));
        assert!(open_ended(5).read_head(folder.path()).is_err());
    }

    #[test]
    fn a_bundle_without_a_sheet_answers_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let sheet = AnswerSheet {
            kind: AnswerKind::OpenEnded,
            question_form: QuestionForm::Alone,
            answers: vec!["red".to_owned()],
        };

        let before = AnswerSheet::read(folder.path()).unwrap();
        sheet.write(folder.path()).unwrap();

        assert_eq!(before, None);
        assert_eq!(AnswerSheet::read(folder.path()).unwrap(), Some(sheet));
    }
}
