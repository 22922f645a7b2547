//! Questions asked one after the other, with what was answered to each.

use std::sync::Arc;
use std::time::Instant;

use burn::prelude::*;
use clover_data::DataError;
use clover_data::batch::{StackedClips, StackedItem};
use clover_data::dataset::{BatchLoader, LoaderConfig, Position, SampleSource};
use clover_inference::EmbeddingTime;

use super::AnswerScores;
use super::evaluation::{AnswerMetrics, Measured, TaskMetrics};
use super::predictions::{AnsweredPrediction, Prediction, Scored};
use super::question_source::{Question, QuestionSource};
use super::questions::{BATCH, Count, score_rows};
use super::record::Record;
use super::settings::MeasureSettings;
use crate::TrainerError;
use crate::metric::{first_highest, mean_interval};

/// Answers kept of a question with many.
const KEPT: usize = 5;

/// Asks a model all questions of a list, each clip seen in so many views; `progress` is told how many
/// of how many are done.
///
/// # Errors
///
/// There is no question, too many cannot be read, a score is not a number, or the record cannot be
/// written.
pub fn measure_answers<B, M, S>(
    model: &M,
    questions: Arc<S>,
    views: usize,
    settings: &MeasureSettings<'_>,
    device: &B::Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Measured, TrainerError>
where
    B: Backend,
    M: AnswerScores<B>,
    S: QuestionSource + SampleSource<Batch = StackedClips>,
{
    let total = questions.len();
    let (path, of) = settings.recorded();
    let mut record = Record::<AnsweredPrediction>::open(path, of)?;
    let before = record.items.len();
    let mut time = EmbeddingTime::default();
    if record.done < total || total == 0 {
        let config = LoaderConfig {
            workers: settings.workers,
            max_failed_share: settings.max_failed_share,
            ..LoaderConfig::evaluation(BATCH)
        };
        let mut loader = BatchLoader::new(Shared(Arc::clone(&questions)), config)?;
        let (begun, mut told) = (Instant::now(), 0);
        let mut batches = loader.epoch(Position {
            epoch: 0,
            item: record.done,
        })?;
        loop {
            let since = Instant::now();
            let batch = batches.next();
            time.waiting += since.elapsed();
            for item in batches.skipped().get(told..).unwrap_or_default() {
                record.leave_out(item.clone())?;
            }
            told = batches.skipped().len();
            let Some(batch) = batch.transpose()? else {
                break;
            };
            let read = batch.samples.items.clone();
            let rows = score_rows(model, batch.samples.to_device(device), views);
            for (StackedItem { index, name, .. }, scores) in read.into_iter().zip(&rows) {
                record.add(answered(&questions.question(index), (index, name), scores)?)?;
            }
            record.advance(batch.next.item)?;
            progress(batch.next.item, total);
        }
        time.total = begun.elapsed();
    }
    let read = record.items.len() - before;
    summed_up(&*questions, record, settings, (read, time))
}

/// The metrics of everything that was answered.
fn summed_up<S: QuestionSource>(
    questions: &S,
    record: Record<AnsweredPrediction>,
    settings: &MeasureSettings<'_>,
    time: (usize, EmbeddingTime),
) -> Result<Measured, TrainerError> {
    let mut count = Count::default();
    for item in &record.items {
        let question = questions.question(item.index);
        count.add(&question.right, question.answers.len(), item.correct);
    }
    let outcomes: Vec<f64> = record
        .items
        .iter()
        .map(|item| f64::from(u8::from(item.correct)))
        .collect();
    let metrics = AnswerMetrics {
        accuracy: count.accuracy(record.left_out.len())?,
        interval: mean_interval(&outcomes, settings.seed),
    };
    Ok(Measured {
        metrics: TaskMetrics::Answers(metrics),
        predictions: record.items.into_iter().map(Prediction::Answered).collect(),
        skipped: record.left_out,
        time,
    })
}

/// What was answered to one question.
pub(super) fn answered(
    question: &Question<'_>,
    (index, name): (usize, String),
    scores: &[f32],
) -> Result<AnsweredPrediction, TrainerError> {
    if scores.iter().any(|score| score.is_nan()) {
        let (what, row) = ("score", index);
        return Err(TrainerError::NotFinite { what, row });
    }
    let probabilities = probabilities(scores);
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let right = &question.right;
    let given = first_highest(scores);
    let named = |&answer: &usize| Scored {
        name: question.label(answer).to_owned(),
        score: probabilities[answer],
    };
    Ok(AnsweredPrediction {
        index,
        name,
        clip: question.clip.clone(),
        question: question.question.clone(),
        truth: question.truth.clone(),
        answerable: !right.is_empty(),
        answer: question.label(given).to_owned(),
        correct: right.contains(&given),
        truth_probability: right.iter().map(|&answer| probabilities[answer]).sum(),
        probabilities: order.iter().take(KEPT).map(named).collect(),
    })
}

/// The softmax of scores.
fn probabilities(scores: &[f32]) -> Vec<f32> {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f64> = scores
        .iter()
        .map(|&score| f64::from(score - largest).exp())
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| (weight / sum) as f32).collect()
}

/// A list that is read and told of at the same time.
struct Shared<S>(Arc<S>);

impl<S: SampleSource> SampleSource for Shared<S> {
    type Sample = S::Sample;
    type Batch = S::Batch;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn name(&self, index: usize) -> String {
        self.0.name(index)
    }

    fn read(&self, epoch: u64, index: usize) -> Result<Self::Sample, DataError> {
        self.0.read(epoch, index)
    }

    fn collate(&self, samples: Vec<S::Sample>) -> S::Batch {
        self.0.collate(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(right: &[usize]) -> Question<'static> {
        Question {
            answers: ["cat", "dog", "eel"].map(str::to_owned).to_vec().into(),
            right: right.to_vec(),
            ..Question::default()
        }
    }

    #[test]
    fn any_of_several_right_answers_counts_and_none_outside_the_list() {
        let scores = [0.1, 0.9, 0.2];
        let answer = |right: &[usize]| answered(&question(right), (0, String::new()), &scores);

        let [several, outside] = [&[2, 1][..], &[]].map(|right| answer(right).unwrap());

        assert_eq!((several.answer.as_str(), several.correct), ("dog", true));
        assert!(!outside.correct && !outside.answerable);
    }

    #[test]
    fn of_equal_scores_the_first_is_the_answer() {
        let found = answered(&question(&[1]), (0, String::new()), &[0.3, 0.5, 0.5]).unwrap();

        assert_eq!((found.answer.as_str(), found.correct), ("dog", true));
    }

    #[test]
    fn a_score_that_is_no_number_is_an_error() {
        let found = answered(&question(&[0]), (7, String::new()), &[0.1, f32::NAN, 0.0]);

        assert!(found.unwrap_err().to_string().contains("row 7"));
    }

    #[test]
    fn probabilities_add_up_and_survive_large_scores() {
        let found = probabilities(&[1_000.0, 1_000.0, 0.0]);

        assert!((found[0] - 0.5).abs() < 1e-6 && found[2] < 1e-6);
    }
}
