//! Questions in words: what predictions and reports say of them.

use clover_data::dataset::{MultipleChoiceDataset, OpenEndedDataset, SampleSource};

/// A list of questions that a model is asked, of which each can be told in words.
pub trait AskedQuestions: SampleSource {
    /// The clip of a question.
    fn clip(&self, index: usize) -> &str;

    /// The question.
    fn question(&self, index: usize) -> &str;

    /// The answer with a number.
    fn label(&self, index: usize, answer: usize) -> &str;

    /// How many answers there are to choose from.
    fn answers(&self, index: usize) -> usize;

    /// The right answers in words.
    fn truth(&self, index: usize) -> Vec<String>;

    /// The numbers of those that can be chosen.
    fn right(&self, index: usize) -> Vec<usize>;
}

impl AskedQuestions for MultipleChoiceDataset {
    fn clip(&self, index: usize) -> &str {
        &self.items()[index].clip
    }

    fn question(&self, index: usize) -> &str {
        &self.items()[index].question
    }

    fn label(&self, index: usize, answer: usize) -> &str {
        self.items()[index]
            .options
            .get(answer)
            .map_or("", String::as_str)
    }

    fn answers(&self, index: usize) -> usize {
        self.items()[index].options.len()
    }

    fn truth(&self, index: usize) -> Vec<String> {
        vec![self.label(index, self.items()[index].answer).to_owned()]
    }

    fn right(&self, index: usize) -> Vec<usize> {
        vec![self.items()[index].answer]
    }
}

impl AskedQuestions for OpenEndedDataset {
    fn clip(&self, index: usize) -> &str {
        &self.items()[index].clip
    }

    fn question(&self, index: usize) -> &str {
        &self.items()[index].question
    }

    fn label(&self, _index: usize, answer: usize) -> &str {
        Self::answers(self).answer(answer).unwrap_or("")
    }

    fn answers(&self, _index: usize) -> usize {
        Self::answers(self).len()
    }

    fn truth(&self, index: usize) -> Vec<String> {
        self.items()[index].answers.clone()
    }

    fn right(&self, index: usize) -> Vec<usize> {
        let known = self.items()[index].answers.iter();
        known
            .filter_map(|answer| Self::answers(self).index_of(answer))
            .collect()
    }
}
