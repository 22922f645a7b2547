//! Pre-training on files: the loss falls, and a run that was interrupted ends as one that was not.

use std::fs;

use clover_trainer::TrainerError;
use clover_trainer::pretrain::{PretrainingPlan, PretrainingSummary};
use clover_trainer::recipe::PretrainingRecipe;

use crate::small_run::{SmallData, is_alone, recipe, run, truncate, without_time};

/// Clips, of which four make a step.
const CLIPS: usize = 12;
const STEPS: u64 = 6;
const INTERRUPTED_AFTER: u64 = 2;

fn weights(summary: &PretrainingSummary) -> Vec<u8> {
    fs::read(summary.bundle.join("model.safetensors")).unwrap()
}

#[test]
fn the_loss_falls() {
    let data = SmallData::rendered(CLIPS);
    let recipe = PretrainingRecipe {
        epochs: 10,
        ..recipe()
    };

    let (summary, _) = run(&data.plan(recipe, "run")).unwrap();

    let totals: Vec<f64> = summary.metrics.iter().map(|step| step.total).collect();
    let mean = |totals: &[f64]| totals.iter().sum::<f64>() / totals.len() as f64;
    let [first, last] = [mean(&totals[..5]), mean(&totals[totals.len() - 5..])];
    assert!(last < 0.8 * first, "{first} to {last}: {totals:?}");
    assert!(summary.finished && summary.skipped.is_empty());
}

#[test]
fn an_interrupted_run_ends_as_an_unbroken_one_even_with_a_damaged_checkpoint() {
    if !is_alone(
        "training::an_interrupted_run_ends_as_an_unbroken_one_even_with_a_damaged_checkpoint",
    ) {
        return;
    }
    let data = SmallData::rendered(CLIPS);
    let recipe = PretrainingRecipe {
        checkpoint_every: 1,
        ..recipe()
    };
    let (unbroken, _) = run(&data.plan(recipe.clone(), "unbroken")).unwrap();
    assert_eq!(unbroken.metrics.len() as u64, STEPS);

    let broken = data.plan(recipe, "broken");
    let (part, _) = run(&PretrainingPlan {
        max_steps: Some(INTERRUPTED_AFTER),
        ..broken.clone()
    })
    .unwrap();
    assert!(!part.finished);
    let checkpoint = broken.folder.join("checkpoints/step-00000002");
    truncate(&checkpoint.join("model.safetensors"));
    let (resumed, refused) = run(&PretrainingPlan {
        resume: true,
        ..broken
    })
    .unwrap();

    let [refused] = &refused[..] else {
        panic!("one checkpoint is damaged: {refused:?}");
    };
    assert!(
        refused.contains(&checkpoint.display().to_string()) && refused.contains("bytes"),
        "{refused}"
    );
    assert_eq!(
        without_time(&resumed.metrics),
        without_time(&unbroken.metrics)
    );
    assert!(weights(&resumed) == weights(&unbroken), "weights differ");
    assert!(resumed.finished);
}

#[test]
fn a_folder_in_use_and_another_recipe_are_refused() {
    let data = SmallData::rendered(4);
    let plan = PretrainingPlan {
        max_steps: Some(1),
        ..data.plan(recipe(), "run")
    };
    run(&plan).unwrap();

    let again = run(&plan).unwrap_err();
    let other = run(&PretrainingPlan {
        recipe: PretrainingRecipe {
            clip_norm: 1.0,
            ..recipe()
        },
        resume: true,
        ..plan
    })
    .unwrap_err();

    assert!(matches!(again, TrainerError::FolderInUse { .. }), "{again}");
    let message = other.to_string();
    assert!(
        matches!(other, TrainerError::OtherRecipe { .. }),
        "{message}"
    );
    assert!(
        message.contains("clip_norm is 15.0 there and 1.0 here"),
        "{message}"
    );
}
