//! Zero-shot retrieval while a run trains.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use clover_data::dataset::ManifestColumns;
use clover_inference::Bundle;
use clover_trainer::TrainerError;
use clover_trainer::devices::Peer;
use clover_trainer::pretrain::{
    PretrainingEvent, PretrainingPlan, PretrainingSummary, ValidationMetrics, pretrain,
};
use clover_trainer::recipe::PretrainingRecipe;

use crate::small_run::{SmallData, is_alone, recipe, run, run_until, without_time};
use crate::{TestAutodiffBackend, TestBackend};

/// Clips, of which four make a step: two epochs of three steps.
const CLIPS: usize = 12;

fn validated(data: &SmallData, out: &str) -> PretrainingPlan {
    let recipe = PretrainingRecipe {
        validate_every: 2,
        checkpoint_every: 1,
        keep_checkpoints: 3,
        ..recipe()
    };
    PretrainingPlan {
        validation: Some(data.files.held_out.clone()),
        ..data.plan(recipe, out)
    }
}

fn weights(summary: &PretrainingSummary) -> Vec<u8> {
    fs::read(summary.bundle.join("model.safetensors")).unwrap()
}

/// The figures on file, without what the clock says.
fn figures(plan: &PretrainingPlan) -> Vec<ValidationMetrics> {
    let lines = fs::read_to_string(plan.folder.join("validation.jsonl")).unwrap();
    let read = |line| ValidationMetrics {
        seconds: 0.0,
        ..serde_json::from_str(line).unwrap()
    };
    lines.lines().map(read).collect()
}

#[test]
fn chosen_columns_hold_for_every_list() {
    let data = SmallData::rendered(CLIPS);
    let files = &data.files;
    for list in [&files.train, &files.held_out] {
        let text = fs::read_to_string(list).unwrap();
        let (_, rows) = text.split_once('\n').unwrap();
        fs::write(list, format!("where,words\n{rows}")).unwrap();
    }
    let columns = ManifestColumns {
        path: Some("where".to_owned()),
        caption: Some("words".to_owned()),
        ..ManifestColumns::default()
    };
    let plan = PretrainingPlan {
        images: Some(files.train.clone()),
        max_steps: Some(2),
        columns,
        ..validated(&data, "run")
    };

    let (summary, _) = run(&plan).unwrap();

    assert_eq!((summary.metrics.len(), figures(&plan).len()), (2, 1));
}

#[test]
fn a_run_with_validation_ends_bit_for_bit_as_one_without() {
    if !is_alone("validated_run::a_run_with_validation_ends_bit_for_bit_as_one_without") {
        return;
    }
    let data = SmallData::rendered(CLIPS);
    let with = validated(&data, "with");
    let without = PretrainingPlan {
        validation: None,
        folder: data.path("without"),
        ..with.clone()
    };

    let [with, without] = [with, without].map(|plan| run(&plan).unwrap().0);

    assert_eq!(without_time(&with.metrics), without_time(&without.metrics));
    assert!(weights(&with) == weights(&without), "weights differ");
    assert!(with.best.is_some() && without.best.is_none());
}

#[test]
fn the_list_is_measured_on_the_way_and_at_the_end_and_the_best_model_is_kept() {
    let data = SmallData::rendered(CLIPS);
    let plan = validated(&data, "run");
    let (mut heard, mut embedded) = (Vec::new(), 0);

    let summary =
        pretrain::<TestAutodiffBackend>(&plan, &Peer::alone(), &Default::default(), &mut |event| {
            match event {
                PretrainingEvent::Validated { metrics, best } => {
                    heard.push((metrics.clone(), best));
                }
                PretrainingEvent::Validating { done, total } => {
                    assert!(done <= total);
                    embedded += done;
                }
                _ => {}
            }
            ControlFlow::Continue(())
        })
        .unwrap();

    let steps: Vec<u64> = figures(&plan).iter().map(|line| line.step).collect();
    assert_eq!(steps, [2, 4, 6]);
    assert_eq!((heard.len(), embedded), (3, 3 * 4));
    let retrieval = &heard[0].0.retrieval;
    let texts = &retrieval.text_to_video;
    assert_eq!((texts.queries, texts.candidates), (4, 4));
    // Four candidates: all are among the first five.
    assert!((texts.recall_at_5 - 100.0).abs() < 1e-9 && texts.mean_rank >= 1.0);
    let best = summary.best.unwrap();
    let sums = heard.iter().map(|(line, _)| line.retrieval.recall_sum);
    let highest = sums.fold(0.0, f64::max);
    assert!((best.metrics.retrieval.recall_sum - highest).abs() < 1e-9);
    let last_best = heard.iter().rev().find(|(_, best)| *best).unwrap();
    assert_eq!(best.metrics, last_best.0);

    // The folder is a bundle, and says what it holds, as the last one does.
    assert_eq!(best.folder, plan.folder.join("checkpoints/best"));
    Bundle::<TestBackend>::read(&best.folder, &Default::default()).unwrap();
    let trained = |folder: &std::path::Path| {
        let text = fs::read_to_string(folder.join("trained.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let kept = trained(&best.folder);
    assert_eq!(
        (&kept["model"], &kept["step"]),
        (&"best".into(), &best.metrics.step.into())
    );
    assert!(kept["validation"]["text_to_video"]["recall_at_1"].is_number());
    let last = trained(&summary.bundle);
    assert_eq!((&last["model"], &last["step"]), (&"last".into(), &6.into()));
}

#[test]
fn a_clip_with_twenty_captions_is_read_and_encoded_once() {
    let data = SmallData::rendered(CLIPS);
    let list = &data.files.held_out;
    let mut lines = fs::read_to_string(list).unwrap();
    let first = lines.lines().nth(1).unwrap().to_owned();
    let (path, caption) = first.split_once(',').unwrap();
    for number in 1..20 {
        lines.push_str(&format!("{path},{caption} {number}\n"));
    }
    fs::write(list, lines).unwrap();
    let plan = PretrainingPlan {
        max_steps: Some(2),
        ..validated(&data, "run")
    };
    let mut encoded = Vec::new();

    pretrain::<TestAutodiffBackend>(&plan, &Peer::alone(), &Default::default(), &mut |event| {
        if let PretrainingEvent::Validating { done, total } = event {
            encoded.push((done, total));
        }
        ControlFlow::Continue(())
    })
    .unwrap();

    // Four clips pass the video encoder, whatever is said about them.
    assert_eq!(encoded, [(4, 4)]);
    let retrieval = &figures(&plan)[0].retrieval;
    let (texts, clips) = (&retrieval.text_to_video, &retrieval.video_to_text);
    assert_eq!((texts.queries, texts.candidates), (4 + 19, 4));
    assert_eq!((clips.queries, clips.candidates), (4, 4 + 19));
}

#[test]
fn pair_tests_are_scored_by_skill_and_change_nothing() {
    let data = SmallData::rendered(CLIPS);
    let without = PretrainingPlan {
        max_steps: Some(2),
        ..validated(&data, "without")
    };
    let plan = PretrainingPlan {
        videos: Some(data.path("clips/clips")),
        pair_tests: Some(data.files.held_out.with_file_name("pair_tests.jsonl")),
        folder: data.path("run"),
        ..without.clone()
    };
    let alone = PretrainingPlan {
        validation: None,
        folder: data.path("alone"),
        ..plan.clone()
    };

    let [with, without] = [&plan, &without].map(|plan| weights(&run(plan).unwrap().0));
    let refused = run(&alone).unwrap_err().to_string();

    assert!(with == without);
    let line = &figures(&plan)[0];
    let skills: Vec<_> = line.skills.iter().map(|one| &*one.skill).collect();
    assert_eq!(skills, ["color", "shape", "size", "direction"]);
    // A block of combinations is held out, and each has a clip.
    assert!(line.skills.iter().all(|one| one.total == 16));
    assert!(refused.contains("--validation"), "{refused}");
    let resumed = PretrainingPlan {
        pair_tests: Some(data.files.held_out.with_file_name("fewer.jsonl")),
        max_steps: Some(3),
        resume: true,
        ..plan
    };
    let [all, fewer] =
        ["pair_tests.jsonl", "fewer.jsonl"].map(|name| data.files.held_out.with_file_name(name));
    let lines = fs::read_to_string(all).unwrap();
    fs::write(&fewer, lines.lines().next().unwrap()).unwrap();
    let other = run(&resumed).unwrap_err().to_string();
    assert!(other.contains("pair tests: 64 entries"), "{other}");
}

#[test]
fn validation_obeys_the_share_of_broken_clips_of_the_recipe() {
    let data = SmallData::rendered(CLIPS);
    // Twenty items must have been read before the share counts: copies of a clip, then broken ones.
    let held_out = &data.files.held_out;
    let lines = fs::read_to_string(held_out).unwrap();
    let (path, caption) = lines.lines().nth(1).unwrap().split_once(',').unwrap();
    let folder = held_out.parent().unwrap();
    let mut list = "path,caption\n".to_owned();
    for number in 0..24 {
        let copy = Path::new(path).with_file_name(format!("copy{number:02}.gif"));
        if number < 18 {
            fs::copy(folder.join(path), folder.join(&copy)).unwrap();
        } else {
            fs::write(folder.join(&copy), "not a video").unwrap();
        }
        list.push_str(&format!("{},{caption}\n", copy.display()));
    }
    fs::write(held_out, list).unwrap();
    let plan = |share, out| {
        let mut plan = validated(&data, out);
        plan.recipe.max_failed_share = share;
        plan.max_steps = Some(2);
        plan
    };

    let lenient = plan(0.5, "lenient");
    run(&lenient).unwrap();
    let strict = run(&plan(0.1, "strict")).unwrap_err().to_string();

    assert_eq!(figures(&lenient)[0].skipped, 6);
    assert!(strict.contains("items read are broken"), "{strict}");
}

#[test]
fn a_resumed_run_measures_the_same_and_keeps_the_same_best_model() {
    if !is_alone("validated_run::a_resumed_run_measures_the_same_and_keeps_the_same_best_model") {
        return;
    }
    let data = SmallData::rendered(CLIPS);
    let [unbroken, broken] = ["unbroken", "broken"].map(|out| validated(&data, out));
    run(&unbroken).unwrap();

    run_until(&broken, 5);
    // As if the run had been killed before it wrote the checkpoints of steps 4 and 5.
    for step in ["step-00000004", "step-00000005"] {
        fs::remove_dir_all(broken.folder.join("checkpoints").join(step)).unwrap();
    }
    run(&PretrainingPlan {
        resume: true,
        ..broken.clone()
    })
    .unwrap();

    assert_eq!(figures(&broken), figures(&unbroken));
    let best = |plan: &PretrainingPlan, file: &str| {
        fs::read(plan.folder.join("checkpoints/best").join(file)).unwrap()
    };
    assert!(best(&broken, "model.safetensors") == best(&unbroken, "model.safetensors"));
}

#[test]
fn a_step_limit_measures_at_its_end_and_a_lower_one_trains_nothing() {
    let data = SmallData::rendered(CLIPS);
    let rarely = PretrainingRecipe {
        validate_every: 100,
        ..validated(&data, "run").recipe
    };
    let plan = PretrainingPlan {
        recipe: rarely,
        max_steps: Some(4),
        ..validated(&data, "run")
    };
    let steps = |plan| {
        let lines: Vec<ValidationMetrics> = figures(plan);
        lines.iter().map(|line| line.step).collect::<Vec<_>>()
    };

    let (limited, _) = run(&plan).unwrap();
    let mut trained = 0;
    let mut told = None;
    let lower = PretrainingPlan {
        max_steps: Some(3),
        resume: true,
        ..plan.clone()
    };
    pretrain::<TestAutodiffBackend>(&lower, &Peer::alone(), &Default::default(), &mut |event| {
        match event {
            PretrainingEvent::Step(_) => trained += 1,
            PretrainingEvent::EnoughSteps { done, max } => told = Some((done, max)),
            _ => {}
        }
        ControlFlow::Continue(())
    })
    .unwrap();

    assert_eq!(limited.best.unwrap().metrics.step, 4);
    assert_eq!((trained, told), (0, Some((4, 3))));
    assert_eq!(steps(&plan), [4]);
    let (whole, _) = run(&PretrainingPlan {
        max_steps: None,
        resume: true,
        ..plan.clone()
    })
    .unwrap();
    assert!(whole.finished);
    assert_eq!(steps(&plan), [4, 6]);
}

#[test]
fn a_list_that_would_never_be_used_or_is_another_one_is_refused() {
    let data = SmallData::rendered(CLIPS);
    let plan = validated(&data, "run");
    let never = PretrainingPlan {
        recipe: PretrainingRecipe {
            validate_every: 0,
            ..plan.recipe.clone()
        },
        ..plan.clone()
    };

    let unused = run(&never).unwrap_err().to_string();
    run(&PretrainingPlan {
        max_steps: Some(1),
        ..plan.clone()
    })
    .unwrap();
    let other = run(&PretrainingPlan {
        validation: Some(data.files.train.clone()),
        resume: true,
        ..plan
    })
    .unwrap_err();

    assert!(unused.contains("validate_every"), "{unused}");
    assert!(matches!(other, TrainerError::OtherData { .. }), "{other}");
    assert!(
        other.to_string().contains("validation: 4 entries"),
        "{other}"
    );
}
