//! A run that is given a time.

use std::fs;
use std::path::Path;
use std::time::Duration;

use clover_trainer::finetune::FinetuningPlan;
use clover_trainer::pretrain::PretrainingPlan;
use clover_trainer::recipe::PretrainingRecipe;
use serde_json::Value;

use crate::small_run::{SmallData, is_alone, recipe, run, run_until, without_time};
use crate::tasks::{SmallTask, tune};

/// However slow the machine, some steps are measured.
const TIME: Duration = Duration::from_millis(1_500);

fn planned(folder: &Path) -> [usize; 2] {
    let plan = fs::read(folder.join("time.json")).unwrap();
    let plan: Value = serde_json::from_slice(&plan).unwrap();
    ["measured", "steps"].map(|key| plan[key].as_u64().unwrap() as usize)
}

#[test]
fn a_run_fills_its_time_with_a_whole_schedule_and_keeps_to_it_when_resumed() {
    if !is_alone(
        "timed_run::a_run_fills_its_time_with_a_whole_schedule_and_keeps_to_it_when_resumed",
    ) {
        return;
    }
    let data = SmallData::rendered(12);
    let recipe = PretrainingRecipe {
        warmup_epochs: 0.5,
        warmup_start_ratio: 0.1,
        ..recipe()
    };
    let plan = PretrainingPlan {
        time: Some(TIME),
        ..data.plan(recipe.clone(), "run")
    };

    let (summary, _) = run(&plan).unwrap();

    let [measured, steps] = planned(&plan.folder);
    let rates: Vec<f64> = summary
        .metrics
        .iter()
        .map(|step| step.learning_rate)
        .collect();
    assert!(
        summary.finished && (5..=steps).contains(&measured),
        "{measured} {steps}"
    );
    assert_eq!(rates.len(), steps);
    let first = recipe.learning_rate * recipe.warmup_start_ratio;
    assert!(
        rates[..measured]
            .iter()
            .all(|rate| (rate - first).abs() < 1e-12)
    );
    if steps > measured + 8 {
        let highest = rates.iter().copied().fold(0.0, f64::max);
        assert!(
            highest > 2.0 * first && rates[steps - 1] < 0.1 * highest,
            "{rates:?}"
        );
    }

    // The same plan on any other day.
    let other = PretrainingPlan {
        folder: data.path("other"),
        resume: true,
        ..plan.clone()
    };
    fs::create_dir_all(&other.folder).unwrap();
    fs::copy(
        plan.folder.join("time.json"),
        other.folder.join("time.json"),
    )
    .unwrap();
    run_until(&other, 3);
    let (resumed, _) = run(&other).unwrap();
    assert_eq!(
        without_time(&resumed.metrics),
        without_time(&summary.metrics)
    );
    let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    assert!(
        weights(&resumed.bundle) == weights(&summary.bundle),
        "weights differ"
    );
}

#[test]
fn fine_tuning_fills_its_time_too() {
    let task = SmallTask::new("retrieval-lsmdc", &[]);
    let plan = FinetuningPlan {
        time: Some(TIME),
        ..task.finetuning("run")
    };

    let summary = tune(&plan).unwrap();

    let [measured, steps] = planned(&plan.folder);
    assert!(summary.finished && measured <= steps);
    assert_eq!(summary.metrics.len(), steps);
}
