//! Questions in words: what predictions and reports say of them.

use std::borrow::Cow;

use clover_data::dataset::{MultipleChoiceDataset, OpenEndedDataset, SampleSource, Texts};

/// A list of questions that a model is asked, of which each can be told in words.
pub trait QuestionSource: SampleSource {
    /// The question of a number.
    fn question(&self, index: usize) -> Question<'_>;
}

/// A question in words.
#[derive(Clone, Debug, Default)]
pub struct Question<'q> {
    /// Its clip.
    pub clip: String,
    /// The question.
    pub question: String,
    /// The answers to choose from, by their numbers.
    pub answers: Cow<'q, [String]>,
    /// The right answers in words.
    pub truth: Vec<String>,
    /// The numbers of those that can be chosen.
    pub right: Vec<usize>,
}

impl Question<'_> {
    /// The answer with a number.
    pub(crate) fn label(&self, answer: usize) -> &str {
        self.answers.get(answer).map_or("", String::as_str)
    }
}

/// A question with options as a table has it.
pub(super) fn of_choice<'q>(clip: String, texts: Texts) -> Question<'q> {
    let Texts::Choice {
        question,
        options,
        answer,
    } = texts
    else {
        return Question::default();
    };
    Question {
        clip,
        question,
        truth: options.get(answer).cloned().into_iter().collect(),
        answers: options.into(),
        right: vec![answer],
    }
}

impl QuestionSource for MultipleChoiceDataset {
    fn question(&self, index: usize) -> Question<'_> {
        let table = self.table();
        of_choice(table.clip(index), table.texts(index))
    }
}

impl QuestionSource for OpenEndedDataset {
    fn question(&self, index: usize) -> Question<'_> {
        let Texts::Question { question, answers } = self.table().texts(index) else {
            return Question::default();
        };
        let list = self.preparation().answers();
        let known = answers.iter().filter_map(|answer| list.index_of(answer));
        Question {
            clip: self.table().clip(index),
            question,
            right: known.collect(),
            answers: list.answers().into(),
            truth: answers,
        }
    }
}
