//! Accuracy in question answering: the share of all questions that are answered rightly.
//!
//! Clover, section 4.2. A question none of whose answers is in the list counts as answered wrongly.

use std::collections::HashMap;

use burn::prelude::*;
use clover_data::dataset::{BatchLoader, LoaderConfig, Position, SampleSource, SkippedItem};
use clover_model::Noise;
use serde::{Deserialize, Serialize};

use crate::TrainerError;
use crate::finetune::AnswerScores;
use crate::metric::first_highest;

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

/// Asks a model all questions; also returns those that could not be read, by name.
///
/// # Errors
///
/// No question can be read, too many cannot, or a score is not a number.
pub fn question_accuracy<B, M, S>(
    model: &M,
    dataset: S,
    device: &B::Device,
) -> Result<(QuestionAccuracy, Vec<SkippedItem>), TrainerError>
where
    B: Backend,
    M: AnswerScores<B>,
    S: SampleSource<Batch = Vec<M::Sample>>,
{
    let mut loader = BatchLoader::new(dataset, LoaderConfig::evaluation(BATCH))?;
    let mut count = Count::default();
    for batch in loader.epoch(Position::default())? {
        let samples = batch?.samples;
        let rows = score_rows(model, &samples, 1, device);
        for (sample, scores) in samples.iter().zip(&rows) {
            count.add(M::right(sample), scores)?;
        }
    }
    let skipped = loader.skipped().to_vec();
    Ok((count.accuracy(skipped.len())?, skipped))
}

/// The scores of each sample.
pub(super) fn score_rows<B: Backend, M: AnswerScores<B>>(
    model: &M,
    samples: &[M::Sample],
    views: usize,
    device: &B::Device,
) -> Vec<Vec<f32>> {
    let scores = model.scores(samples, views, &mut Noise::quiet(), device);
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
    fn add(&mut self, right: &[usize], scores: &[f32]) -> Result<(), TrainerError> {
        if scores.iter().any(|score| score.is_nan()) {
            let (what, row) = ("score", self.questions);
            return Err(TrainerError::NotFinite { what, row });
        }
        self.add_outcome(right, scores.len(), right.contains(&first_highest(scores)));
        Ok(())
    }

    /// Counts a question with so many answers to choose from, of which some are right.
    pub(super) fn add_outcome(&mut self, right: &[usize], answers: usize, correct: bool) {
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
        count.add(&[0], &[0.9, 0.1]).unwrap();
        count.add(&[1], &[0.9, 0.1]).unwrap();
        count.add(&[0], &[0.6, 0.4]).unwrap();
        count.add(&[], &[0.9, 0.1]).unwrap();

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
    fn any_of_several_right_answers_counts() {
        let mut count = Count::default();

        count.add(&[2, 1], &[0.1, 0.9, 0.2, 0.0]).unwrap();

        let accuracy = count.accuracy(0).unwrap();
        assert_eq!((accuracy.accuracy, accuracy.chance), (1.0, 0.5));
    }

    #[test]
    fn a_score_that_is_no_number_and_no_question_at_all_are_errors() {
        let mut count = Count::default();

        assert!(count.accuracy(0).is_err());
        assert!(count.add(&[0], &[f32::NAN]).is_err());
    }
}
