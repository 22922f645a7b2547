//! A run that starts from a bundle instead of random weights.

use std::fs;
use std::path::Path;

use clover_trainer::pretrain::PretrainingPlan;
use clover_trainer::recipe::PretrainingRecipe;

use crate::small_run::{SmallData, recipe, run};

fn weights(bundle: &Path) -> Vec<u8> {
    fs::read(bundle.join("model.safetensors")).unwrap()
}

#[test]
fn a_run_starts_from_the_weights_and_sizes_of_a_bundle() {
    let data = SmallData::rendered(4);
    let one_step = |plan: PretrainingPlan| PretrainingPlan {
        max_steps: Some(1),
        ..plan
    };
    let (first, _) = run(&one_step(data.plan(recipe(), "first"))).unwrap();
    // Another preset, which the bundle overrules, and a step of no length.
    let still = PretrainingRecipe {
        preset: "small".to_owned(),
        learning_rate: 0.0,
        seed: 9,
        ..recipe()
    };
    let plan = PretrainingPlan {
        start_from: Some(first.bundle.clone()),
        ..data.plan(still, "second")
    };

    let (second, _) = run(&one_step(plan)).unwrap();

    assert!(weights(&second.bundle) == weights(&first.bundle));
}

#[test]
fn a_bundle_with_other_words_is_refused_by_name() {
    let data = SmallData::rendered(4);
    let plan = PretrainingPlan {
        max_steps: Some(1),
        ..data.plan(recipe(), "first")
    };
    let (first, _) = run(&plan).unwrap();
    let words = first.bundle.join("vocab.txt");
    let other = fs::read_to_string(&words)
        .unwrap()
        .replace("circle", "disc");
    fs::write(&words, other).unwrap();
    let plan = PretrainingPlan {
        start_from: Some(first.bundle),
        ..data.plan(recipe(), "second")
    };

    let error = run(&plan).unwrap_err();

    assert!(error.to_string().contains("vocab.txt"), "{error}");
}
