//! What the head of a fine-tuned model answers with: the bundle's `answers.json`.

use clover_data::dataset::AnswerVocabulary;
use clover_data::text::QuestionForm;
use clover_model::tasks::AnswerHeadConfig;
use serde::{Deserialize, Serialize};

/// The task of a head, and its labels in the order of their scores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "kebab-case")]
pub enum Answers {
    /// One answer of a list.
    OpenEnded {
        /// The list.
        answers: Vec<String>,
    },
    /// One word of a list for the blank of a sentence.
    FillInTheBlank {
        /// The list.
        answers: Vec<String>,
    },
    /// One of the candidates that come with the question.
    MultipleChoice {
        /// How a question and its candidates become texts.
        question_form: QuestionForm,
    },
}

impl Answers {
    /// The task's name in recipes and messages.
    #[must_use]
    pub fn task(&self) -> &'static str {
        match self {
            Self::OpenEnded { .. } => "open-ended",
            Self::FillInTheBlank { .. } => "fill-in-the-blank",
            Self::MultipleChoice { .. } => "multiple-choice",
        }
    }

    /// The list of answers; none where candidates come with the question.
    #[must_use]
    pub fn list(&self) -> &[String] {
        match self {
            Self::OpenEnded { answers } | Self::FillInTheBlank { answers } => answers,
            Self::MultipleChoice { .. } => &[],
        }
    }

    /// The list, to look answers up in: their numbers are the places of their scores.
    #[must_use]
    pub fn vocabulary(&self) -> AnswerVocabulary {
        let list = self.list();
        AnswerVocabulary::from_answers(list.iter().map(String::as_str), list.len())
    }

    /// The head that scores them.
    #[must_use]
    pub fn head(&self) -> AnswerHeadConfig {
        match self {
            Self::OpenEnded { answers } => AnswerHeadConfig::OpenEnded {
                answers: answers.len(),
            },
            Self::FillInTheBlank { answers } => AnswerHeadConfig::FillInTheBlank {
                answers: answers.len(),
            },
            Self::MultipleChoice { .. } => AnswerHeadConfig::MultipleChoice,
        }
    }
}
