//! Fine-tunings at the same time in one process end as they do one after another: of the RNG that the
//! process has once, each takes its starting values alone.

use std::fs;
use std::thread;

use super::{SmallTask, tune};
use crate::small_run::is_alone;

#[test]
fn fine_tunings_side_by_side_end_bit_for_bit_as_one_after_another() {
    if !is_alone(
        "tasks::side_by_side::fine_tunings_side_by_side_end_bit_for_bit_as_one_after_another",
    ) {
        return;
    }
    let tasks = [
        SmallTask::new("open-ended-msrvtt-qa", &[]),
        SmallTask::new("multiple-choice-msrvtt", &["seed=3"]),
    ];

    let alone = tasks
        .each_ref()
        .map(|task| tune(&task.finetuning("alone")).unwrap());
    let together = thread::scope(|scope| {
        tasks
            .each_ref()
            .map(|task| scope.spawn(move || tune(&task.finetuning("together")).unwrap()))
            .map(|run| run.join().unwrap())
    });

    for (alone, together) in alone.iter().zip(&together) {
        let [alone_weights, together_weights] =
            [alone, together].map(|run| fs::read(run.bundle.join("model.safetensors")).unwrap());
        assert!(alone_weights == together_weights);
        let losses = |run: &clover_trainer::finetune::FinetuningSummary| {
            run.metrics.iter().map(|step| step.loss).collect::<Vec<_>>()
        };
        assert_eq!(losses(alone), losses(together));
    }
}
