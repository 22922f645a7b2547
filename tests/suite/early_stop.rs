//! A run ends when validation has not got better for some time.

use std::fs;

use clover_trainer::finetune::FinetuningPlan;
use clover_trainer::pretrain::PretrainingPlan;
use clover_trainer::recipe::PretrainingRecipe;

use crate::small_run::{SmallData, recipe, run};
use crate::tasks::{SmallTask, tune};

/// Pre-training that learns nothing, so that no measurement is better than the first: ten steps, each measured.
fn plan(data: &SmallData) -> PretrainingPlan {
    let recipe = PretrainingRecipe {
        learning_rate: 0.0,
        epochs: 5,
        validate_every: 1,
        early_stopping: 3,
        ..recipe()
    };
    PretrainingPlan {
        validation: Some(data.files.held_out.clone()),
        ..data.plan(recipe, "run")
    }
}

#[test]
fn pre_training_stops_early_also_when_it_was_interrupted_before() {
    let data = SmallData::rendered(8);
    let first = PretrainingPlan {
        max_steps: Some(2),
        ..plan(&data)
    };
    let resumed = PretrainingPlan {
        resume: true,
        max_steps: None,
        ..first.clone()
    };

    let (part, _) = run(&first).unwrap();
    // What a checkpoint knows counts, not the file alone.
    fs::write(first.folder.join("validation.jsonl"), "damaged\n").unwrap();
    let (stopped, _) = run(&resumed).unwrap();
    let (again, _) = run(&resumed).unwrap();

    assert_eq!((part.finished, part.stopped_early), (false, None));
    // The first is the best, and three follow.
    for summary in [&stopped, &again] {
        assert!(summary.finished);
        assert_eq!((summary.stopped_early, summary.metrics.len()), (Some(4), 4));
        assert_eq!(summary.best.as_ref().unwrap().metrics.step, 1);
    }
    let mut more = resumed;
    more.recipe.early_stopping = 0;
    let (whole, _) = run(&more).unwrap();
    assert_eq!((whole.stopped_early, whole.metrics.len()), (None, 10));
}

#[test]
fn fine_tuning_stops_early() {
    let keys = ["epochs=5", "learning_rate=0", "early_stopping=1"];
    let task = SmallTask::new("retrieval-lsmdc", &keys);

    let summary = tune(&task.finetuning("run")).unwrap();

    // Two steps an epoch, each of which is measured.
    assert_eq!((summary.finished, summary.stopped_early), (true, Some(4)));
    let without = FinetuningPlan {
        validation: None,
        ..task.finetuning("without")
    };
    let refused = tune(&without).unwrap_err().to_string();
    assert!(refused.contains("early_stopping"), "{refused}");
}
