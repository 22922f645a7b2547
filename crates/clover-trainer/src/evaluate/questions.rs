//! Accuracy in question answering: the share of all questions that are answered rightly.
//!
//! Clover, section 4.2. A question none of whose answers is in the list counts as answered wrongly.

use std::collections::HashMap;

use burn::prelude::*;
use clover_data::batch::ClipBatch;
use clover_model::Noise;
use serde::{Deserialize, Serialize};

use super::AnswerScores;
use crate::TrainerError;

/// Questions that pass the model together.
pub(super) const BATCH: usize = 16;

/// How many questions a model answers rightly, beside what needs no model. Shares lie between 0
/// and 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuestionAccuracy {
    /// The share of all questions that are answered rightly.
    pub accuracy: f64,
    /// Questions asked.
    pub questions: usize,
    /// The share of questions none of whose answers is in the list.
    pub outside_the_list: f64,
    /// The accuracy of random answers.
    pub chance: f64,
    /// The accuracy of the one answer that is right most often.
    pub best_constant: f64,
    /// Questions that could not be read, which are not among those asked.
    pub skipped: usize,
}

/// The scores of each question.
pub(super) fn score_rows<B: Backend, M: AnswerScores<B>>(
    model: &M,
    questions: ClipBatch<B>,
    views: usize,
) -> Vec<Vec<f32>> {
    let scores = model.scores(questions, views, &mut Noise::quiet());
    let [_, answers] = scores.dims();
    let scores: Vec<f32> = scores.into_data().convert::<f32>().iter().collect();
    scores.chunks_exact(answers).map(<[f32]>::to_vec).collect()
}

/// What was counted so far.
#[derive(Debug, Default)]
pub(super) struct Count {
    questions: usize,
    right: usize,
    outside: usize,
    /// The sum over questions of the share of answers that are right.
    chance: f64,
    /// How often each answer is right.
    by_answer: HashMap<usize, usize>,
}

impl Count {
    /// Counts a question with so many answers to choose from, of which some are right.
    pub(super) fn add(&mut self, right: &[usize], answers: usize, correct: bool) {
        self.questions += 1;
        self.right += usize::from(correct);
        self.outside += usize::from(right.is_empty());
        self.chance += right.len() as f64 / answers.max(1) as f64;
        for answer in right {
            *self.by_answer.entry(*answer).or_default() += 1;
        }
    }

    pub(super) fn accuracy(&self, skipped: usize) -> Result<QuestionAccuracy, TrainerError> {
        if self.questions == 0 {
            return Err(TrainerError::NothingToEvaluate);
        }
        let questions = self.questions as f64;
        let best = self.by_answer.values().max().copied().unwrap_or(0);
        Ok(QuestionAccuracy {
            accuracy: self.right as f64 / questions,
            questions: self.questions,
            outside_the_list: self.outside as f64 / questions,
            chance: self.chance / questions,
            best_constant: best as f64 / questions,
            skipped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_outside_the_list_counts_as_wrong() {
        let mut count = Count::default();
        count.add(&[0], 2, true);
        count.add(&[1], 2, false);
        count.add(&[0], 2, true);
        count.add(&[], 2, false);

        let accuracy = count.accuracy(3).unwrap();

        let expected = QuestionAccuracy {
            accuracy: 0.5,
            questions: 4,
            outside_the_list: 0.25,
            // Half of three questions, and never the fourth.
            chance: 0.375,
            best_constant: 0.5,
            skipped: 3,
        };
        assert_eq!(accuracy, expected);
    }

    #[test]
    fn chance_counts_every_right_answer() {
        let mut count = Count::default();

        count.add(&[2, 1], 4, true);

        let accuracy = count.accuracy(0).unwrap();
        assert_eq!((accuracy.accuracy, accuracy.chance), (1.0, 0.5));
    }

    #[test]
    fn no_question_at_all_is_an_error() {
        assert!(Count::default().accuracy(0).is_err());
    }
}
