//! Data sets at the edge of what can be trained on, and runs that cannot go on.

use std::fs;
use std::path::Path;

use clover_trainer::TrainerError;
use clover_trainer::pretrain::{Alignment, PretrainingPlan, PretrainingSummary};
use clover_trainer::recipe::{PretrainingRecipe, WordChoice};

use crate::small_run::{SmallData, SmallFiles, is_alone, recipe, run};

/// Nothing in it is a noun or a verb.
const NOTHING_TO_HIDE: &str = "of the and";

fn weights(summary: &PretrainingSummary) -> Vec<u8> {
    fs::read(summary.bundle.join("model.safetensors")).unwrap()
}

/// Gives every clip the same caption.
fn caption_all(files: &SmallFiles, caption: &str) {
    let list = fs::read_to_string(&files.train).unwrap();
    let clips = list
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap());
    let rows: String = clips.map(|clip| format!("{clip},{caption}\n")).collect();
    fs::write(&files.train, format!("path,caption\n{rows}")).unwrap();
}

fn semantic() -> PretrainingRecipe {
    PretrainingRecipe {
        text_masking: WordChoice::Semantic,
        ..recipe()
    }
}

#[test]
fn a_data_set_smaller_than_a_batch_is_one_batch_an_epoch() {
    let data = SmallData::rendered(3);

    let (summary, _) = run(&data.plan(recipe(), "run")).unwrap();

    let pairs: Vec<usize> = summary.metrics.iter().map(|step| step.pairs).collect();
    assert_eq!(pairs, [3, 3]);
    assert!(summary.finished);
}

#[test]
fn files_of_which_none_is_there_may_lie_elsewhere() {
    let data = SmallData::rendered(4);
    let rows = (0..20).map(|number| format!("gone-{number}.gif,a circle\n"));
    let rows: String = rows.collect();
    fs::write(&data.files.train, format!("path,caption\n{rows}")).unwrap();

    let message = run(&data.plan(recipe(), "run")).unwrap_err().to_string();

    assert!(message.contains("`--videos` names the folder"), "{message}");
}

#[test]
fn one_pair_alone_has_nothing_to_be_told_from() {
    let data = SmallData::rendered(1);

    let (summary, _) = run(&data.plan(recipe(), "run")).unwrap();

    assert_eq!(summary.metrics.len(), 2);
    for step in &summary.metrics {
        assert_eq!(step.pairs, 1);
        // Without a negative, alignment is certain; ranking and the word loss are left.
        assert!(step.video_alignment.abs() < 1e-6, "{step:?}");
        assert!(step.text_alignment.abs() < 1e-6, "{step:?}");
        assert!(step.negative_similarity.abs() < 1e-6, "{step:?}");
        assert!(step.word > 0.0 && step.total.is_finite(), "{step:?}");
    }
}

#[test]
fn captions_without_a_word_to_hide_leave_the_other_losses() {
    let data = SmallData::rendered(4);
    caption_all(&data.files, NOTHING_TO_HIDE);

    let (summary, _) = run(&data.plan(semantic(), "run")).unwrap();

    for step in &summary.metrics {
        assert!(step.word.abs() <= 0.0, "{step:?}");
        assert!(step.video_alignment > 0.0, "{step:?}");
        assert!(step.gradient_norm > 0.0, "{step:?}");
    }
}

#[test]
fn captions_without_a_word_to_hide_teach_nothing_where_words_are_all_there_is() {
    if !is_alone(
        "odd_data::captions_without_a_word_to_hide_teach_nothing_where_words_are_all_there_is",
    ) {
        return;
    }
    let data = SmallData::rendered(4);
    caption_all(&data.files, NOTHING_TO_HIDE);
    let words_only = PretrainingRecipe {
        alignment: Alignment::None,
        ranking: false,
        epochs: 3,
        ..semantic()
    };
    let in_parts = PretrainingRecipe {
        micro_batch: 1,
        ..words_only.clone()
    };
    let one = |recipe: &PretrainingRecipe, out| PretrainingPlan {
        max_steps: Some(1),
        ..data.plan(recipe.clone(), out)
    };

    let (first, _) = run(&one(&words_only, "first")).unwrap();
    let (whole, _) = run(&data.plan(words_only, "whole")).unwrap();
    let (parts, _) = run(&data.plan(in_parts, "parts")).unwrap();

    assert_eq!(whole.metrics.len(), 3);
    for step in whole.metrics.iter().chain(&parts.metrics) {
        assert!(
            step.total.abs() <= 0.0 && step.gradient_norm.abs() <= 0.0,
            "{step:?}"
        );
    }
    // Not even by weight decay does the model change.
    assert!(weights(&first) == weights(&whole), "a step changed it");
    assert!(weights(&parts) == weights(&whole), "a step in parts did");
}

#[test]
fn one_caption_with_a_word_to_hide_is_enough() {
    let data = SmallData::rendered(4);
    caption_all(&data.files, NOTHING_TO_HIDE);
    let list = fs::read_to_string(&data.files.train).unwrap();
    let list = list.replacen(NOTHING_TO_HIDE, "a circle", 1);
    fs::write(&data.files.train, list).unwrap();
    let words_only = PretrainingRecipe {
        alignment: Alignment::None,
        ranking: false,
        ..semantic()
    };

    let (summary, _) = run(&data.plan(words_only, "run")).unwrap();

    for step in &summary.metrics {
        assert!(step.word > 0.0 && step.gradient_norm > 0.0, "{step:?}");
    }
}

/// What a run wrote down when it had to stop.
fn divergence(folder: &Path) -> serde_json::Value {
    let text = fs::read_to_string(folder.join("diverged.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn an_exploded_loss_is_written_down_with_the_items_of_its_batch() {
    let data = SmallData::rendered(4);
    let plan = data.plan(
        PretrainingRecipe {
            loss_limit: 0.5,
            ..recipe()
        },
        "run",
    );

    let error = run(&plan).unwrap_err();

    assert!(matches!(error, TrainerError::Exploded { .. }), "{error}");
    let written = divergence(&plan.folder);
    assert_eq!(
        (&written["step"], &written["kind"]),
        (&1.into(), &"video".into())
    );
    assert!(written["loss"].as_f64().unwrap() > 0.5);
    let mut names: Vec<&str> = written["names"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names.len(), 4);
    assert!(names[0].ends_with("000000.gif"), "{names:?}");

    // A run that goes well from there does not keep it.
    run(&PretrainingPlan {
        recipe: recipe(),
        ..plan.clone()
    })
    .unwrap();
    assert!(!plan.folder.join("diverged.json").exists());
}

#[test]
fn a_loss_that_is_no_number_is_written_down_with_the_items_of_its_batch() {
    let data = SmallData::rendered(4);
    let recipe = PretrainingRecipe {
        learning_rate: 1e30,
        loss_limit: 1e300,
        ..recipe()
    };
    let plan = data.plan(recipe, "run");

    let error = run(&plan).unwrap_err();

    let TrainerError::Diverged { step, names, .. } = &error else {
        panic!("{error}")
    };
    let written = divergence(&plan.folder);
    assert_eq!(written["step"], *step);
    assert!(written["loss"].is_null());
    assert_eq!(written["names"], serde_json::json!(names));
}
