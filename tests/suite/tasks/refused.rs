//! What cannot be learned from or measured is named, and the rest is counted.

use std::fs;

use clover_trainer::evaluate::{EvaluationPlan, TaskMetrics};
use clover_trainer::finetune::FinetuningEvent;
use clover_trainer::report::EvaluationPage;
use clover_trainer::task_items::ItemsLocation;

use super::{SmallTask, measure, tune, tune_watched};

fn own_items(task: &SmallTask, name: &str, lines: &[&str]) -> ItemsLocation {
    let path = task.data.path(name);
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    ItemsLocation {
        clips: Some(task.files.clips.clone()),
        ..ItemsLocation::new(path, "test")
    }
}

#[test]
fn videos_missing_from_the_disk_are_named_and_the_metric_says_over_how_many_it_is() {
    for name in ["retrieval-msrvtt", "multiple-choice-msrvtt"] {
        let task = SmallTask::new(name, &["max_failed_share=0.5"]);
        fs::remove_file(task.files.clips.join("video101.gif")).unwrap();
        fs::write(task.files.clips.join("video102.gif"), "no video").unwrap();

        let found = measure(&task.evaluation(&task.bundle)).unwrap().evaluation;

        assert_eq!((found.items, found.skipped.len()), (4, 2), "{name}");
        assert!(
            found.skipped[0].reason.contains("video101"),
            "{:?}",
            found.skipped
        );
        match found.metrics {
            TaskMetrics::Retrieval(metrics) => {
                let texts = metrics.text_to_video.metrics;
                assert_eq!((texts.queries, texts.candidates), (2, 2));
            }
            TaskMetrics::Answers(metrics) => assert_eq!(metrics.accuracy.questions, 2),
        }
    }
}

#[test]
fn too_many_missing_videos_end_an_evaluation() {
    let task = SmallTask::new("retrieval-msrvtt", &["max_failed_share=0.1"]);
    fs::remove_file(task.files.clips.join("video101.gif")).unwrap();

    let error = measure(&task.evaluation(&task.bundle))
        .unwrap_err()
        .to_string();

    assert!(error.contains("video101"), "{error}");
}

#[test]
fn questions_with_other_numbers_of_options_are_refused_by_name() {
    let task = SmallTask::new("multiple-choice-tgif-action", &[]);
    let two =
        r#"{"id":"seven","clip":"video0.gif","question":"what","options":["a","b"],"answer":0}"#;
    let plan = EvaluationPlan {
        items: own_items(&task, "two.jsonl", &[two]),
        ..task.evaluation(&task.bundle)
    };

    let error = measure(&plan).unwrap_err().to_string();

    assert!(
        error.contains("seven has 2 options where 5 are expected"),
        "{error}"
    );
}

#[test]
fn a_sentence_without_a_blank_or_with_several_is_left_out_by_name() {
    let task = SmallTask::new(
        "open-ended-lsmdc-fib",
        &["max_failed_share=0.9", "batch_size=1"],
    );
    let item = |name: &str, text: &str| {
        format!(
            r#"{{"id":"{name}","clip":"0001_Film/{}.gif","question":"{text}","answers":["red"]}}"#,
            "0001_Film_00.00.00.000-00.00.00.900"
        )
    };
    let lines = [
        item("good", "a [MASK] shape"),
        item("none", "a shape"),
        item("two", "[MASK] [MASK]"),
        item("other", "a [MASK] shape").replace("red", "blue"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut plan = task.finetuning("run");
    plan.data = own_items(&task, "blanks.jsonl", &lines);
    plan.validation = None;
    let mut told = Vec::new();

    let summary = tune_watched(&plan, &mut |event| {
        if let FinetuningEvent::Skipped(item) = event {
            told.push(item.to_string());
        }
    })
    .unwrap();

    assert!(
        summary.finished && summary.metrics.len() == 2,
        "{:?}",
        summary.metrics
    );
    told.sort();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].contains("none: has 0 [MASK]") && told[1].contains("two: has 2 [MASK]"),
        "{told:?}"
    );
}

#[test]
fn questions_outside_the_list_teach_nothing_and_count_as_wrong() {
    // Enough to learn that the answer is always the same.
    let task = SmallTask::new("open-ended-custom", &["epochs=8", "learning_rate=1e-2"]);
    let answers = task.data.path("answers.txt");
    fs::write(&answers, "red\nmauve\n").unwrap();
    let mut plan = task.finetuning("run");
    plan.validation = None;
    plan.answers = Some(answers);
    let mut unanswerable = 0;

    let summary = tune_watched(&plan, &mut |event| {
        if let FinetuningEvent::Started {
            unanswerable: left_out,
            ..
        } = event
        {
            unanswerable = *left_out;
        }
    })
    .unwrap();
    let found = measure(&task.evaluation(&summary.bundle))
        .unwrap()
        .evaluation;

    // Half of the questions are answered "blue", and the list is "red" and "mauve".
    assert_eq!(unanswerable, 4);
    let TaskMetrics::Answers(metrics) = found.metrics else {
        panic!("{found:?}")
    };
    let accuracy = metrics.accuracy;
    assert_eq!(accuracy.questions, 4);
    assert!(
        (accuracy.outside_the_list - 0.5).abs() < 1e-12 && (accuracy.accuracy - 0.5).abs() < 1e-12
    );
}

#[test]
fn a_list_of_one_answer_leaves_nothing_to_learn() {
    let task = SmallTask::new("open-ended-custom", &["answers=1"]);

    let error = tune(&task.finetuning("run")).unwrap_err().to_string();

    assert!(error.contains("list of answers has 1"), "{error}");
}

#[test]
fn a_fine_tuning_that_diverges_leaves_the_batch_by_name() {
    let task = SmallTask::new("retrieval-lsmdc", &["epochs=2", "learning_rate=1e30"]);
    let mut plan = task.finetuning("run");
    plan.validation = None;

    let error = tune(&plan).unwrap_err().to_string();

    let text = fs::read_to_string(plan.folder.join("diverged.json")).unwrap();
    let noted: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(error.contains("is not finite"), "{error}");
    assert!(noted["step"].as_u64() > Some(1), "{text}");
    assert_eq!(noted["kind"], "video");
    assert_eq!(noted["names"].as_array().unwrap().len(), 4);
}

#[test]
fn a_bundle_without_a_head_or_with_other_labels_than_the_data_is_refused() {
    let task = SmallTask::new("open-ended-custom", &[]);
    let without = measure(&task.evaluation(&task.bundle))
        .unwrap_err()
        .to_string();
    let mut plan = task.finetuning("run");
    plan.validation = None;
    let tuned = tune(&plan).unwrap().bundle;
    let answers = task.data.path("answers.txt");
    fs::write(&answers, "red\nmauve\n").unwrap();
    let evaluation = task.evaluation(&tuned);

    let other_list = measure(&EvaluationPlan {
        answers: Some(answers),
        ..evaluation.clone()
    });
    let unknown = r#"{"clip":"video0.gif","question":"what","answers":["mauve"]}"#;
    let other_data = measure(&EvaluationPlan {
        items: own_items(&task, "mauve.jsonl", &[unknown]),
        ..evaluation.clone()
    });
    let mut blanks = evaluation.clone();
    blanks.recipe.task = clover_trainer::recipe::TaskKind::FillInTheBlank;
    let other_task = measure(&blanks).unwrap_err().to_string();

    assert!(without.contains("has no answer head"), "{without}");
    let other_list = other_list.unwrap_err().to_string();
    assert!(
        other_list.contains("`blue` there and `mauve` here"),
        "{other_list}"
    );
    let other_data = other_data.unwrap_err().to_string();
    assert!(other_data.contains("none of the questions"), "{other_data}");
    assert!(other_task.contains("for open-ended tasks"), "{other_task}");
}

#[test]
fn a_list_of_another_size_than_the_recipes_is_refused() {
    let task = SmallTask::new("open-ended-msrvtt-qa", &["answers=1500"]);

    let error = tune(&task.finetuning("run")).unwrap_err().to_string();

    assert!(
        error.contains("answers") && error.contains("1500"),
        "{error}"
    );
}

#[test]
fn results_of_another_evaluation_are_not_written_over() {
    let task = SmallTask::new("retrieval-custom", &[]);
    let results = task.data.path("evaluation.json");
    let plan = EvaluationPlan {
        results: Some(results.clone()),
        ..task.evaluation(&task.bundle)
    };
    let first = measure(&plan).unwrap();
    EvaluationPage::of(&first).write_json(&results).unwrap();

    let again = measure(&plan).unwrap();
    let mut other = plan;
    other.recipe.seed += 1;
    let refused = measure(&other).unwrap_err().to_string();
    other.results = None;

    assert_eq!(again.evaluation.metrics, first.evaluation.metrics);
    assert!(refused.contains("another evaluation"), "{refused}");
    assert!(measure(&other).is_ok());
}
