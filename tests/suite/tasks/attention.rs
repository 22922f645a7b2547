//! What answers look at, as an evaluation computes it and its page shows it.

use std::fs;

use clover_trainer::evaluate::{Evaluated, EvaluationPlan};
use clover_trainer::report::EvaluationPage;

use super::{SmallTask, measure, tune};

/// The page of an evaluation.
fn page(task: &SmallTask, found: &Evaluated) -> String {
    let path = task.data.path("page.html");
    EvaluationPage::of(found).write_html(&path).unwrap();
    fs::read_to_string(path).unwrap()
}

/// Checks the maps of an evaluation of four questions, the last of which was chosen by its number, and
/// its page.
pub(super) fn check_attention(task: &SmallTask, plan: &EvaluationPlan, found: &Evaluated) {
    let maps = found.attention.as_ref().unwrap();
    let questions: Vec<usize> = maps.maps.iter().map(|map| map.index).collect();
    assert_eq!((questions, &maps.chosen[..]), (vec![0, 1, 2, 3], &[3][..]));
    for found in &maps.maps {
        let map = &found.map;
        // Two frames are a step, and 28 pixels a region.
        assert_eq!((map.grid, map.values.len()), ([1, 1, 1], 1));
        assert!((0.001..1.0).contains(&map.values[0]), "{map:?}");
    }
    let html = page(task, found);
    assert!(html.contains("Chosen questions"));
    // The chosen one, and the four once each, among the right or the wrong; a row of frames a view.
    let overlays = html.matches("attention over regions and frames").count();
    assert_eq!(overlays, 5 * task.recipe.test_views);
    assert_eq!(html.matches("attention of the answer: video").count(), 5);

    let mut unknown = plan.clone();
    unknown.attention = vec!["3".to_owned(), "no such question".to_owned()];
    let error = measure(&unknown).unwrap_err().to_string();
    assert!(error.contains("no such question"), "{error}");
}

/// Checks that a task without fusion has no maps, and says so when asked for one.
pub(super) fn check_without_attention(plan: &EvaluationPlan, found: &Evaluated) {
    assert!(found.attention.is_none());
    let mut asked = plan.clone();
    asked.attention = vec!["0".to_owned()];
    let error = measure(&asked).unwrap_err().to_string();
    assert!(error.contains("compares embeddings"), "{error}");
}

#[test]
fn an_evaluation_that_goes_on_from_its_record_looks_into_answers_all_the_same() {
    let task = SmallTask::new("open-ended-custom", &[]);
    let mut tuning = task.finetuning("run");
    tuning.validation = None;
    let bundle = tune(&tuning).unwrap().bundle;
    let record = task.data.path("record.jsonl");
    let plan = EvaluationPlan {
        record: Some(record.clone()),
        ..task.evaluation(&bundle)
    };
    let unbroken = measure(&plan).unwrap();
    let lines = fs::read_to_string(&record).unwrap().lines().count();

    let resumed = measure(&plan).unwrap();

    assert_eq!(fs::read_to_string(&record).unwrap().lines().count(), lines);
    let [unbroken, resumed] = [unbroken, resumed].map(|found| found.attention.unwrap().maps);
    assert_eq!(unbroken.len(), 4);
    assert_eq!(resumed, unbroken);
    assert_ne!(unbroken[0].map.values, unbroken[1].map.values);
}
