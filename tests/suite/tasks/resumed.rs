//! Interrupted runs and evaluations end as unbroken ones; parts of a batch give its gradient.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use clover_trainer::evaluate::EvaluationPlan;
use clover_trainer::finetune::{FinetuningEvent, FinetuningMetrics, FinetuningPlan};

use super::{SmallTask, measure, tune, tune_until, tune_watched};
use crate::small_run::is_alone;

fn without_time(metrics: &[FinetuningMetrics]) -> Vec<FinetuningMetrics> {
    let timeless = |step: &FinetuningMetrics| FinetuningMetrics {
        data_seconds: 0.0,
        step_seconds: 0.0,
        ..step.clone()
    };
    metrics.iter().map(timeless).collect()
}

#[test]
fn an_interrupted_fine_tuning_ends_bit_for_bit_as_an_unbroken_one() {
    if !is_alone("tasks::resumed::an_interrupted_fine_tuning_ends_bit_for_bit_as_an_unbroken_one") {
        return;
    }
    let task = SmallTask::new("open-ended-lsmdc-fib", &["epochs=2"]);
    let [unbroken, broken] = ["unbroken", "broken"].map(|out| task.finetuning(out));

    let whole = tune(&unbroken).unwrap();
    let first = tune_until(&broken, 3);
    // As if the run had been killed before it wrote its last checkpoint.
    fs::remove_dir_all(broken.folder.join("checkpoints/step-00000003")).unwrap();
    let second = tune(&FinetuningPlan {
        resume: true,
        ..broken
    })
    .unwrap();

    assert!(!first.finished && second.finished);
    assert_eq!(without_time(&second.metrics), without_time(&whole.metrics));
    assert_eq!(second.validations, whole.validations);
    for file in ["model.safetensors", "answers.json", "trained.json"] {
        let read = |folder: &std::path::Path| fs::read(folder.join(file)).unwrap();
        assert!(read(&second.bundle) == read(&whole.bundle), "{file}");
        let [best, same] =
            [second.best.as_ref(), whole.best.as_ref()].map(|best| read(&best.unwrap().folder));
        assert!(best == same, "{file} of the best");
    }
}

#[test]
fn a_fine_tuning_killed_after_its_measurement_measures_no_step_twice() {
    let task = SmallTask::new("retrieval-lsmdc", &["epochs=2"]);
    let plan = task.finetuning("run");
    let killed = catch_unwind(AssertUnwindSafe(|| {
        tune_watched(&plan, &mut |event| {
            if let FinetuningEvent::Validated { metrics, .. } = event {
                assert!(
                    metrics.epoch == 0,
                    "killed before the checkpoint of the epoch"
                );
            }
        })
    }));
    assert!(killed.is_err());

    let resumed = tune(&FinetuningPlan {
        resume: true,
        ..plan
    })
    .unwrap();

    let steps: Vec<u64> = resumed.validations.iter().map(|line| line.step).collect();
    assert!(resumed.finished);
    assert_eq!(steps, [2, 4]);
}

#[test]
fn a_run_goes_on_only_with_its_own_recipe_bundle_and_data() {
    let task = SmallTask::new("retrieval-lsmdc", &["epochs=2"]);
    let plan = FinetuningPlan {
        max_steps: Some(1),
        ..task.finetuning("run")
    };
    tune(&plan).unwrap();
    let refused = |change: &dyn Fn(&mut FinetuningPlan)| {
        let mut plan = FinetuningPlan {
            resume: true,
            max_steps: None,
            ..plan.clone()
        };
        change(&mut plan);
        tune(&plan).unwrap_err().to_string()
    };

    let started_twice = refused(&|plan| plan.resume = false);
    let other_recipe = refused(&|plan| plan.recipe.learning_rate = 1.0);
    let other_data = refused(&|plan| plan.data = plan.validation.clone().unwrap());
    let weights = task.bundle.join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    // The last value of the last tensor.
    let end = bytes.len() - 1;
    bytes[end] ^= 1;
    fs::write(&weights, bytes).unwrap();
    // As if changed on purpose.
    fs::remove_file(task.bundle.join("checksums.txt")).unwrap();
    let other_bundle = refused(&|_| ());

    assert!(started_twice.contains("resume it"), "{started_twice}");
    assert!(other_recipe.contains("learning_rate"), "{other_recipe}");
    assert!(other_data.contains("videos: 8 entries"), "{other_data}");
    assert!(other_bundle.contains("bundle is"), "{other_bundle}");
}

#[test]
fn an_interrupted_evaluation_reads_only_what_is_left_and_comes_to_the_same() {
    for name in ["retrieval-custom", "multiple-choice-msrvtt"] {
        let task = SmallTask::new(name, &[]);
        let record = task.data.path("record.jsonl");
        let plan = EvaluationPlan {
            record: Some(record.clone()),
            ..task.evaluation(&task.bundle)
        };
        let unbroken = measure(&plan).unwrap();
        // The record of the first two items alone, as if the batch had been of two.
        let text = fs::read_to_string(&record).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let cut_short = || {
            let text = fs::read_to_string(&record).unwrap();
            let first: Vec<&str> = text.lines().take(3).collect();
            let cut = format!("{}\n{{\"done\":2}}\n", first.join("\n"));
            fs::write(&record, cut).unwrap();
        };
        cut_short();

        let resumed = measure(&plan).unwrap();

        assert_eq!(
            resumed.evaluation.metrics, unbroken.evaluation.metrics,
            "{name}"
        );
        assert_eq!(resumed.predictions, unbroken.predictions, "{name}");
        // The rest is there now; with another recipe it is of no use.
        assert_eq!(
            fs::read_to_string(&record).unwrap().lines().count(),
            lines.len() + 1
        );
        let mut other = plan.clone();
        other.recipe.seed = 1;
        let begun_again = |plan: &EvaluationPlan| {
            measure(plan).unwrap();
            fs::read_to_string(&record).unwrap().lines().count() == lines.len()
        };
        assert!(begun_again(&other), "{name}");
        // Neither is it with a bundle, made by hand, that reads texts or clips in another way.
        fs::remove_file(task.bundle.join("checksums.txt")).unwrap();
        for file in ["vocab.txt", "preprocess.json"] {
            let path = task.bundle.join(file);
            let read = fs::read_to_string(&path).unwrap();
            let changed = match (file, read.trim_end().rsplit_once('\n')) {
                ("vocab.txt", Some((words, _))) => format!("{words}\nnever-said\n"),
                _ => read + "\n",
            };
            fs::write(&path, changed).unwrap();
            cut_short();
            assert!(begun_again(&other), "{name}: {file}");
        }
    }
}

#[test]
fn a_batch_in_parts_makes_the_step_of_the_whole_batch() {
    if !is_alone("tasks::resumed::a_batch_in_parts_makes_the_step_of_the_whole_batch") {
        return;
    }
    for name in ["retrieval-didemo", "open-ended-msvd-qa"] {
        let losses = [0, 1, 3].map(|part| {
            let key = format!("micro_batch={part}");
            let task = SmallTask::new(name, &["epochs=2", &key]);
            let summary = tune(&task.finetuning("run")).unwrap();
            let steps = summary.metrics.iter();
            steps
                .map(|step| (step.loss, step.gradient_norm))
                .collect::<Vec<_>>()
        });

        let [whole, ones, threes] = losses;
        assert_eq!(whole.len(), 4, "{name}");
        for (whole, parts) in whole.iter().chain(&whole).zip(ones.iter().chain(&threes)) {
            // Sums in another order, over four steps of AdamW.
            assert!(
                (whole.0 - parts.0).abs() < 1e-3 * whole.0.abs().max(1.0),
                "{name}: {whole:?} {parts:?}"
            );
            assert!(
                (whole.1 - parts.1).abs() < 1e-2 * whole.1.max(1.0),
                "{name}: {whole:?} {parts:?}"
            );
        }
    }
}
