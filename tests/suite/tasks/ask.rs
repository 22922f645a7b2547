//! What a user asks about a clip is answered as an evaluation answers it.

use clover_data::dataset::{ClipRow, ClipTable, Texts};
use clover_inference::{AnsweredBy, Answerer, Bundle};
use clover_trainer::evaluate::Prediction;

use super::{SmallTask, measure, tune};
use crate::TestBackend;

/// Learns a task, asks all questions of its test split one by one, and compares with its evaluation.
fn ask_as_evaluated(name: &'static str, keys: &[&str], by: AnsweredBy) {
    let task = SmallTask::new(name, keys);
    let mut tuning = task.finetuning("run");
    tuning.validation = None;
    let bundle = tune(&tuning).unwrap().bundle;
    let evaluated = measure(&task.evaluation(&bundle)).unwrap();
    let device = Default::default();
    let bundle = Bundle::<TestBackend>::read(&bundle, &device).unwrap();
    let answerer = Answerer::new(bundle, device);
    let location = &task.files.test;
    let table = ClipTable::open_as(&location.request, location.clips.as_deref(), &|_, _| ());
    let table = table.unwrap();
    let attention = evaluated.attention.as_ref().unwrap();

    assert_eq!(evaluated.predictions.len(), 4);
    for prediction in &evaluated.predictions {
        let Prediction::Answered(expected) = prediction else {
            panic!("{name}: {prediction:?}")
        };
        let ClipRow { clip, span, texts } = table.read(expected.index).unwrap();
        let clip = answerer.read(clip, span).unwrap();
        let (question, choices) = match texts {
            Texts::Choice {
                question, options, ..
            } => (question, options),
            Texts::Question { question, .. } => (question, Vec::new()),
            other => panic!("{name}: {other:?}"),
        };

        let found = answerer.answer(&clip, &question, &choices, 10).unwrap();
        let map = answerer.attention(&clip, &question, &choices).unwrap();

        assert_eq!(found.answered_by, by, "{name}");
        for expected in &expected.probabilities {
            let same = found.ranked.iter().find(|one| one.answer == expected.name);
            let difference = same.unwrap().probability - f64::from(expected.score);
            assert!(difference.abs() < 1e-5, "{name}: {expected:?} {found:?}");
        }
        let expected = attention.of(expected.index).unwrap();
        assert_eq!(map.grid, expected.grid);
        let each = map.values.iter().zip(&expected.values);
        assert!(
            each.into_iter().all(|(a, b)| (a - b).abs() < 1e-5),
            "{name}"
        );
    }
}

#[test]
fn an_open_question_is_answered_as_evaluated() {
    ask_as_evaluated("open-ended-custom", &[], AnsweredBy::AnswerList);
}

#[test]
fn a_blank_is_filled_as_evaluated() {
    ask_as_evaluated(
        "open-ended-lsmdc-fib",
        &["test_views=1"],
        AnsweredBy::AnswerList,
    );
}

#[test]
fn choices_are_scored_as_evaluated_in_either_form_of_text() {
    let by = AnsweredBy::MultipleChoice;
    ask_as_evaluated("multiple-choice-custom", &[], by);
    ask_as_evaluated(
        "multiple-choice-tgif-transition",
        &["test_views=1", "test_interval=1"],
        by,
    );
}

#[test]
fn choices_without_a_head_are_compared_at_the_temperature_of_pre_training() {
    let task = SmallTask::new("open-ended-custom", &[]);
    let device = Default::default();
    let bundle = Bundle::<TestBackend>::read(&task.bundle, &device).unwrap();
    let answerer = Answerer::new(bundle, device);
    let location = &task.files.test;
    let table = ClipTable::open_as(&location.request, location.clips.as_deref(), &|_, _| ());
    let row = table.unwrap().read(0).unwrap();
    let clip = answerer.read(row.clip, row.span).unwrap();
    let choices = ["red", "blue"].map(str::to_owned);

    let found = answerer
        .answer(&clip, "the circle is", &choices, 2)
        .unwrap();

    let [first, second] = [0, 1].map(|place| &found.ranked[place]);
    let margin = first.similarity.unwrap() - second.similarity.unwrap();
    let odds = (first.probability / second.probability).ln();
    assert!((odds - margin / clover_losses::TEMPERATURE).abs() < 1e-6);
}
