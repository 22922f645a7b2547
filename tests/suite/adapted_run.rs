//! Runs of which only a part of the model learns: the rest stays as it was to the bit, and low-rank changes
//! end in a plain model.

use std::collections::BTreeMap;
use std::path::Path;

use clover_model::weights::WeightFile;
use clover_trainer::model_parts::ModelPart;
use clover_trainer::pretrain::{PretrainingPlan, PretrainingSummary};
use clover_trainer::recipe::PretrainingRecipe;

use crate::small_run::{SmallData, is_alone, recipe, run, weights, without_time};

const CLIPS: usize = 12;

fn recipe_of(train: &str) -> PretrainingRecipe {
    PretrainingRecipe {
        train: train.parse().unwrap(),
        checkpoint_every: 1,
        ..recipe()
    }
}

fn bundle_weights(bundle: &Path) -> BTreeMap<String, Vec<f32>> {
    weights(&WeightFile::open(&bundle.join("model.safetensors")).unwrap())
}

/// A trained model, to start from.
fn start(data: &SmallData) -> PretrainingSummary {
    let plan = PretrainingPlan {
        max_steps: Some(1),
        ..data.plan(recipe(), "start")
    };
    run(&plan).unwrap().0
}

fn plan(data: &SmallData, start: &Path, recipe: PretrainingRecipe, out: &str) -> PretrainingPlan {
    PretrainingPlan {
        start_from: Some(start.to_owned()),
        ..data.plan(recipe, out)
    }
}

/// Names of what a run changed.
fn changed(start: &Path, end: &Path) -> Vec<String> {
    let [before, after] = [start, end].map(bundle_weights);
    assert!(before.keys().eq(after.keys()));
    let names = before.keys().filter(|name| before[*name] != after[*name]);
    names.cloned().collect()
}

#[test]
fn what_is_frozen_stays_as_it_was_to_the_bit() {
    let data = SmallData::rendered(CLIPS);
    let start = start(&data).bundle;

    for train in ["new-parts", "last-1", "lora-2"] {
        let (run, _) = run(&plan(&data, &start, recipe_of(train), train)).unwrap();
        let changed = changed(&start, &run.bundle);

        let of_towers: Vec<_> = changed
            .iter()
            .filter(|name| ModelPart::of(name) == ModelPart::Tower)
            .collect();
        assert!(changed.len() > of_towers.len(), "{train}: heads learn");
        let is_right = |name: &str| match train {
            "new-parts" => false,
            "last-1" => ["stages.3", "video_encoder.norm", "text_encoder.layers.0"]
                .iter()
                .any(|part| name.contains(part)),
            // Matrices alone, and merged into them.
            _ => name.ends_with(".weight"),
        };
        assert!(of_towers.iter().all(|name| is_right(name)), "{of_towers:?}");
        assert_eq!(of_towers.is_empty(), train == "new-parts", "{train}");
    }
}

#[test]
fn low_rank_changes_are_nothing_before_the_first_step_and_the_same_in_micro_batches() {
    let data = SmallData::rendered(CLIPS);
    let start = start(&data).bundle;
    let losses = |train: &str, micro_batch: usize, out: &str| {
        let recipe = PretrainingRecipe {
            micro_batch,
            ..recipe_of(train)
        };
        let (run, _) = run(&plan(&data, &start, recipe, out)).unwrap();
        run.metrics
            .iter()
            .map(|step| step.total)
            .collect::<Vec<f64>>()
    };

    let frozen = losses("new-parts", 0, "frozen");
    let low_rank = losses("lora-2", 0, "low-rank");
    let in_micro_batches = losses("lora-2", 2, "micro-batches");

    assert!((frozen[0] - low_rank[0]).abs() < 1e-12);
    assert!((frozen[5] - low_rank[5]).abs() > 1e-6, "the changes learn");
    for (whole, parts) in low_rank.iter().zip(&in_micro_batches) {
        assert!((whole - parts).abs() < 1e-3 * whole, "{whole} {parts}");
    }
}

#[test]
fn an_interrupted_run_of_low_rank_changes_ends_as_an_unbroken_one() {
    if !is_alone("adapted_run::an_interrupted_run_of_low_rank_changes_ends_as_an_unbroken_one") {
        return;
    }
    let data = SmallData::rendered(CLIPS);
    let start = start(&data).bundle;
    let (unbroken, _) = run(&plan(&data, &start, recipe_of("lora-2"), "unbroken")).unwrap();
    let broken = plan(&data, &start, recipe_of("lora-2"), "broken");

    let (part, _) = run(&PretrainingPlan {
        max_steps: Some(3),
        ..broken.clone()
    })
    .unwrap();
    let (resumed, _) = run(&PretrainingPlan {
        resume: true,
        ..broken
    })
    .unwrap();

    assert!(!part.finished && resumed.finished);
    assert_eq!(
        without_time(&resumed.metrics),
        without_time(&unbroken.metrics)
    );
    assert!(bundle_weights(&resumed.bundle) == bundle_weights(&unbroken.bundle));
}
