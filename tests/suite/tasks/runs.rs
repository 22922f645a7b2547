//! Every task is learned from its files and measured on them.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use clover_data::dataset::{ClipTable, PackConfig, PackFrames, pack};
use clover_inference::Bundle;
use clover_trainer::evaluate::{Prediction, RankedPrediction, Seeking, TaskMetrics};
use clover_trainer::recipe::TaskKind;
use clover_trainer::run::BestModel;
use clover_trainer::task_items::ItemsLocation;

use super::attention::{check_attention, check_without_attention};
use super::{SmallTask, measure, tune};
use crate::TestBackend;

/// Clips of the test split.
const CLIPS: usize = 4;

/// Learns a task for an epoch, and measures it with the bundle that came out.
fn learn_and_measure(name: &'static str, keys: &[&str]) {
    let task = SmallTask::new(name, keys);

    let summary = tune(&task.finetuning("run")).unwrap();
    let found = measure(&task.evaluation(&summary.bundle)).unwrap();

    assert!(
        summary.finished && summary.skipped.is_empty(),
        "{name}: {:?}",
        summary.skipped
    );
    assert!(!summary.metrics.is_empty(), "{name}");
    assert!(
        summary
            .metrics
            .iter()
            .all(|step| step.loss.is_finite() && step.gradient_norm > 0.0)
    );
    let BestModel {
        folder,
        metrics: best,
    } = summary.best.unwrap();
    assert_eq!(
        (best.split.as_str(), summary.validations.len()),
        ("test", 1),
        "{name}"
    );
    let evaluation = &found.evaluation;
    // The model in memory and the bundle on the disk are measured alike.
    assert_eq!(evaluation.metrics, best.metrics, "{name}");
    let mut plan = task.evaluation(&folder);
    if !task.recipe.task.is_retrieval() {
        plan.attention = vec!["3".to_owned()];
    }
    let looked_into = measure(&plan).unwrap();
    assert_eq!(looked_into.evaluation.metrics, best.metrics);
    if task.recipe.task.is_retrieval() {
        check_without_attention(&plan, &looked_into);
    } else {
        check_attention(&task, &plan, &looked_into);
    }
    assert!(found.fine_tuned && evaluation.skipped.is_empty(), "{name}");
    assert_eq!(
        (evaluation.items, evaluation.unusable_rows),
        (CLIPS, 0),
        "{name}"
    );
    assert!(evaluation.clips_per_second > 0.0 && evaluation.waiting_share <= 1.0);
    match (&evaluation.metrics, task.recipe.task) {
        (TaskMetrics::Retrieval(metrics), TaskKind::Retrieval) => {
            for one in [&metrics.text_to_video, &metrics.video_to_text] {
                assert_eq!(
                    (one.metrics.queries, one.metrics.candidates),
                    (CLIPS, CLIPS)
                );
                assert!((1.0..=4.0).contains(&one.metrics.mean_rank), "{one:?}");
                let [low, high] = one.intervals.recall_at_1;
                assert!((low..=high).contains(&one.metrics.recall_at_1), "{one:?}");
            }
            assert_eq!(found.predictions.len(), 2 * CLIPS);
        }
        (TaskMetrics::Answers(metrics), _) => {
            assert_eq!(
                (metrics.accuracy.questions, metrics.accuracy.skipped),
                (CLIPS, 0)
            );
            let right = found.predictions.iter().filter(
                |prediction| matches!(prediction, Prediction::Answered(one) if one.correct),
            );
            let share = right.count() as f64 / CLIPS as f64;
            assert!((metrics.accuracy.accuracy - share).abs() < 1e-12, "{name}");
            for prediction in &found.predictions {
                let Prediction::Answered(one) = prediction else {
                    panic!("{name}: {prediction:?}")
                };
                assert_eq!(one.answer, one.probabilities[0].name, "{name}");
                let sum: f32 = one.probabilities.iter().map(|answer| answer.score).sum();
                assert!((sum - 1.0).abs() < 1e-4, "{name}: {sum}");
            }
        }
        other => panic!("{name}: {other:?}"),
    }
    let bundle = Bundle::<TestBackend>::read(&summary.bundle, &Default::default()).unwrap();
    let head = bundle.answers.map(|(answers, _)| answers.task());
    let expected = (!task.recipe.task.is_retrieval()).then(|| task.recipe.task.name());
    assert_eq!(head, expected, "{name}");
}

#[test]
fn msrvtt_retrieval_is_learned_and_measured() {
    learn_and_measure("retrieval-msrvtt", &[]);
}

#[test]
fn didemo_retrieval_is_learned_and_measured() {
    learn_and_measure("retrieval-didemo", &[]);
}

#[test]
fn lsmdc_retrieval_is_learned_and_measured() {
    learn_and_measure("retrieval-lsmdc", &[]);
}

#[test]
fn msrvtt_multiple_choice_is_learned_as_retrieval_and_ranked() {
    learn_and_measure("multiple-choice-msrvtt", &[]);
}

#[test]
fn tgif_action_is_learned_and_measured_with_four_views() {
    learn_and_measure(
        "multiple-choice-tgif-action",
        &["text_len=40", "test_text_len=40"],
    );
}

#[test]
fn tgif_transition_is_learned_in_parts_and_measured() {
    learn_and_measure("multiple-choice-tgif-transition", &["micro_batch=2"]);
}

#[test]
fn lsmdc_multiple_choice_is_learned_and_measured() {
    learn_and_measure("multiple-choice-lsmdc", &[]);
}

#[test]
fn msrvtt_questions_are_learned_and_measured() {
    learn_and_measure("open-ended-msrvtt-qa", &[]);
}

#[test]
fn msvd_questions_are_learned_and_measured() {
    learn_and_measure("open-ended-msvd-qa", &[]);
}

#[test]
fn tgif_frame_questions_are_learned_and_measured() {
    learn_and_measure("open-ended-tgif-frame", &[]);
}

#[test]
fn lsmdc_blanks_are_learned_and_measured() {
    learn_and_measure("open-ended-lsmdc-fib", &[]);
}

#[test]
fn own_questions_are_learned_and_measured() {
    learn_and_measure("multiple-choice-custom", &[]);
    learn_and_measure("open-ended-custom", &[]);
}

#[test]
fn tasks_are_learned_and_measured_from_shards_as_from_files() {
    for name in [
        "retrieval-custom",
        "multiple-choice-custom",
        "open-ended-custom",
    ] {
        let mut task = SmallTask::new(name, &[]);
        let out = ["train", "test"].map(|split| task.data.path(split));
        let locations = [&mut task.files.train, &mut task.files.test];
        for (location, out) in locations.into_iter().zip(out) {
            let clips = location.clips.as_deref();
            let table = ClipTable::open_as(&location.request, clips, &|_, _| ()).unwrap();
            let config = PackConfig::new(PackFrames::Evenly(8));
            pack(&table, &config, &out, &|_| (), &AtomicBool::new(false)).unwrap();
            *location = ItemsLocation::new(out, &location.split);
        }

        let summary = tune(&task.finetuning("run")).unwrap();
        let found = measure(&task.evaluation(&summary.bundle)).unwrap();

        assert!(summary.finished && summary.skipped.is_empty(), "{name}");
        let evaluation = &found.evaluation;
        assert_eq!((evaluation.items, evaluation.skipped.len()), (CLIPS, 0));
        let best = summary.best.unwrap().metrics;
        assert_eq!(evaluation.metrics, best.metrics, "{name}");
    }
}

#[test]
fn several_sentences_of_a_clip_are_no_competitors_and_zero_shot_needs_no_training() {
    let task = SmallTask::new("retrieval-custom", &[]);
    let mut plan = task.evaluation(&task.bundle);
    plan.dual_softmax = true;

    let found = measure(&plan).unwrap();

    let TaskMetrics::Retrieval(metrics) = &found.evaluation.metrics else {
        panic!("{:?}", found.evaluation)
    };
    let [texts, clips] = [
        &metrics.text_to_video.metrics,
        &metrics.video_to_text.metrics,
    ];
    assert_eq!((texts.queries, texts.candidates), (2 * CLIPS, CLIPS));
    assert_eq!((clips.queries, clips.candidates), (CLIPS, 2 * CLIPS));
    assert!(!found.fine_tuned && metrics.dual_softmax.is_some());
    let ranked = found
        .predictions
        .iter()
        .filter_map(|prediction| match prediction {
            Prediction::Ranked(one) => Some(one),
            Prediction::Answered(_) => None,
        });
    let texts = ranked.filter(|one| one.direction == Seeking::TextToVideo);
    let texts: Vec<&RankedPrediction> = texts.collect();
    let ranks: usize = texts.iter().map(|one| one.rank).sum();
    let mean = ranks as f64 / (2 * CLIPS) as f64;
    assert!((mean - metrics.text_to_video.metrics.mean_rank).abs() < 1e-9);
    let queries: BTreeSet<&str> = texts.iter().map(|one| one.query.as_str()).collect();
    assert_eq!(queries.len(), 2 * CLIPS);
}

#[test]
fn questions_about_one_clip_are_learned_alike_whole_and_in_micro_batches_at_once() {
    let losses = |keys: &[&str], out: &str| {
        let task = SmallTask::new("open-ended-custom", keys);
        let losses = tune(&task.finetuning(out)).unwrap().metrics;
        losses.iter().map(|step| step.loss).collect::<Vec<f64>>()
    };

    let whole = losses(&["group_size=2", "answer_head_dropout=0.0"], "whole");
    let at_once = [
        "group_size=2",
        "answer_head_dropout=0.0",
        "micro_batch=2",
        "micro_batches_at_once=2",
    ];
    let parts = losses(&at_once, "parts");

    assert!(whole.len() > 1 && whole.len() == parts.len());
    for (whole, parts) in whole.iter().zip(&parts) {
        assert!((whole - parts).abs() < 1e-3 * whole, "{whole} {parts}");
    }
}
