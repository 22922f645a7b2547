//! What the head of a fine-tuned model answers with: the bundle's `answers.json`.

use clover_data::text::QuestionForm;
use clover_model::tasks::AnswerPartSizes;
use serde::{Deserialize, Serialize};

/// How a head answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// One answer of a list.
    OpenEnded,
    /// One word of a list for the blank of a sentence.
    FillInTheBlank,
    /// One of the candidates that come with the question.
    MultipleChoice,
}

/// What the scores of a head mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// How the head answers.
    pub task: AnswerKind,
    /// How a question became a text in training; not known of heads from elsewhere.
    #[serde(default)]
    pub question_form: Option<QuestionForm>,
    /// The answers in the order of their scores; none for multiple choice.
    #[serde(default)]
    pub answers: Vec<String>,
}

impl Answers {
    /// The head that scores them.
    #[must_use]
    pub fn sizes(&self) -> AnswerPartSizes {
        let answers = self.answers.len();
        match self.task {
            AnswerKind::OpenEnded => AnswerPartSizes::OpenEnded { answers },
            AnswerKind::FillInTheBlank => AnswerPartSizes::FillInTheBlank { answers },
            AnswerKind::MultipleChoice => AnswerPartSizes::MultipleChoice,
        }
    }
}
