//! Pre-training on videos and still images in turn.

use std::fs;
use std::path::{Path, PathBuf};

use clover_trainer::TrainerError;
use clover_trainer::pretrain::{PretrainingPlan, PretrainingSummary, StepKind};
use clover_trainer::recipe::{Crop, PretrainingRecipe};

use crate::small_run::{SmallData, is_alone, recipe, run, without_time};

/// Clips, of which four make a step; the images are fewer, so that they are restarted.
const CLIPS: usize = 12;
const IMAGES: usize = 6;

/// Images of one colour each, and their list.
fn write_images(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let mut list = "path,caption\n".to_owned();
    let names = ["red", "green", "blue", "white", "cyan", "yellow"];
    for (number, name) in names.iter().enumerate().take(IMAGES) {
        let level = |bit: usize| {
            if ((number + 1) >> bit) & 1 == 1 {
                230
            } else {
                20
            }
        };
        let colour = image::Rgb([level(0), level(1), level(2)]);
        let image = image::RgbImage::from_pixel(40, 30, colour);
        image.save(folder.join(format!("{name}.png"))).unwrap();
        list += &format!("{name}.png,a big {name} square\n");
    }
    let path = folder.join("images.csv");
    fs::write(&path, list).unwrap();
    path
}

fn mixed(data: &SmallData, out: &str) -> PretrainingPlan {
    let recipe = PretrainingRecipe {
        crop: Crop::RandomResizedCrop,
        checkpoint_every: 2,
        warmup_epochs: 1.0,
        ..recipe()
    };
    PretrainingPlan {
        images: Some(write_images(&data.path("images"))),
        ..data.plan(recipe, out)
    }
}

fn weights(summary: &PretrainingSummary) -> Vec<u8> {
    fs::read(summary.bundle.join("model.safetensors")).unwrap()
}

#[test]
fn each_iteration_steps_on_videos_and_then_on_images_at_one_learning_rate() {
    let data = SmallData::rendered(CLIPS);
    let plan = mixed(&data, "run");

    let (summary, _) = run(&plan).unwrap();

    // Two epochs of three iterations, the length of the longer side.
    assert_eq!(summary.metrics.len(), 2 * 3 * 2);
    let schedule = plan.recipe.schedule(3);
    for (iteration, steps) in summary.metrics.chunks(2).enumerate() {
        let kinds = [steps[0].kind, steps[1].kind];
        assert_eq!(kinds, [StepKind::Video, StepKind::Image]);
        let expected = schedule.learning_rate(iteration);
        for step in steps {
            assert!((step.learning_rate - expected).abs() <= 1e-12 * expected);
            assert_eq!((step.pairs, step.epoch), (4, iteration as u64 / 3));
        }
    }
    let lines = fs::read_to_string(plan.folder.join("metrics.jsonl")).unwrap();
    assert_eq!(lines.matches("\"kind\":\"image\"").count(), 6);
}

#[test]
fn an_interrupted_mixed_run_ends_as_an_unbroken_one() {
    if !is_alone("mixed_run::an_interrupted_mixed_run_ends_as_an_unbroken_one") {
        return;
    }
    let data = SmallData::rendered(CLIPS);
    let (unbroken, _) = run(&mixed(&data, "unbroken")).unwrap();

    // A limit in the middle of an iteration lets it end; later both sides are in another epoch.
    let broken = mixed(&data, "broken");
    let mut steps = Vec::new();
    for max_steps in [Some(1), Some(8), None] {
        let (part, _) = run(&PretrainingPlan {
            resume: true,
            max_steps,
            ..broken.clone()
        })
        .unwrap();
        steps.push(part.metrics.len());
        if part.finished {
            assert_eq!(without_time(&part.metrics), without_time(&unbroken.metrics));
            assert!(weights(&part) == weights(&unbroken), "weights differ");
        }
    }

    assert_eq!(steps, [2, 8, 12]);
}

#[test]
fn other_lists_are_refused_with_the_difference_named() {
    let data = SmallData::rendered(CLIPS);
    let plan = PretrainingPlan {
        max_steps: Some(1),
        ..mixed(&data, "run")
    };
    run(&plan).unwrap();
    let resumed = PretrainingPlan {
        resume: true,
        ..plan
    };
    let refusal = |plan: &PretrainingPlan| {
        let error = run(plan).unwrap_err();
        assert!(matches!(error, TrainerError::OtherData { .. }), "{error}");
        error.to_string()
    };

    let without_images = refusal(&PretrainingPlan {
        images: None,
        ..resumed.clone()
    });
    let text = fs::read_to_string(&data.files.train).unwrap();
    fs::write(&data.files.train, text.replacen("a ", "the ", 1)).unwrap();
    let other_caption = refusal(&resumed);
    let line = text.lines().last().unwrap();
    fs::write(&data.files.train, format!("{text}{line}\n")).unwrap();
    let one_more = refusal(&resumed);

    assert!(
        without_images.contains("images: 6 entries"),
        "{without_images}"
    );
    assert!(without_images.contains("none here"), "{without_images}");
    assert!(
        other_caption.contains("videos: 12 entries"),
        "{other_caption}"
    );
    assert!(one_more.contains("13 entries"), "{one_more}");
}
