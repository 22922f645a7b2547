//! Broken files, texts and folders: named, counted, and the run goes on with the rest.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use clover_data::DataError;
use clover_data::text::Tokenizer;
use clover_inference::Bundle;
use clover_trainer::TrainerError;
use clover_trainer::pretrain::PretrainingPlan;
use clover_trainer::recipe::{PretrainingRecipe, Recipe};
use image::codecs::gif::GifEncoder;
use image::{Frame, RgbaImage};

use crate::TestBackend;
use crate::small_run::{SmallData, recipe, run, truncate};

const CLIPS: usize = 4;
/// For a handful of tiny files; a decoder that spins would take for ever.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Where a GIF's header states width and height.
const GIF_SIZE: std::ops::Range<usize> = 6..10;
/// 12,336 twice, little-endian: what text read as a header gives.
const HUGE_SIZE: [u8; 4] = *b"0000";

/// One file of each kind of damage, beside the good clips; returns their names.
fn write_broken_files(clips: &Path) -> Vec<&'static str> {
    let good = fs::read(clips.join("000/000000.gif")).unwrap();
    let mut huge = good.clone();
    huge[GIF_SIZE].copy_from_slice(&HUGE_SIZE);
    let files: [(&str, &[u8]); 4] = [
        ("zero-bytes.mp4", b""),
        ("text.mp4", b"this is not a video, whatever its name says"),
        ("truncated.gif", &good[..good.len() / 3]),
        ("huge.gif", &huge),
    ];
    for (name, bytes) in files {
        fs::write(clips.join(name), bytes).unwrap();
    }
    let mut names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
    names.push("missing.mp4");
    names
}

#[test]
fn broken_files_and_captions_are_skipped_by_name_and_the_rest_is_trained_on() {
    let data = SmallData::rendered(CLIPS);
    let folder = data.path("clips");
    let broken = write_broken_files(&folder.join("clips"));
    let mut manifest = fs::read_to_string(&data.files.train).unwrap();
    for name in &broken {
        manifest += &format!("../clips/{name},a small red circle\n");
    }
    let lines = manifest.lines().count();
    manifest += "../clips/000/000000.gif,\n";
    manifest += &format!("../clips/000/000000.gif,{}\n", "word ".repeat(10_000));
    fs::write(&data.files.train, manifest).unwrap();
    let recipe = PretrainingRecipe {
        max_failed_share: 0.9,
        ..recipe()
    };
    let started = Instant::now();

    let (summary, _) = run(&data.plan(recipe, "run")).unwrap();

    // As the list names them: relative to its own folder.
    let listed = folder.join("train/../clips");
    let mut expected: Vec<String> = broken
        .iter()
        .map(|name| listed.join(name).display().to_string())
        .collect();
    let manifest = data.files.train.display();
    expected.extend([1, 2].map(|past| format!("{manifest}: line {}", lines + past)));
    expected.sort_unstable();
    let mut skipped: Vec<&str> = summary.skipped.iter().map(|item| &*item.name).collect();
    skipped.sort_unstable();
    assert_eq!(skipped, expected);
    assert!(summary.finished && !summary.metrics.is_empty());
    assert!(summary.metrics.iter().all(|step| step.pairs == CLIPS));
    assert!(started.elapsed() < TIME_LIMIT, "{:?}", started.elapsed());
}

/// Of a rendered clip.
const RENDERED_FRAMES: usize = 8;

#[test]
fn a_file_above_the_limits_of_the_recipe_is_skipped_by_name() {
    let data = SmallData::rendered(CLIPS);
    let long = data.path("clips/clips/long.gif");
    let mut encoder = GifEncoder::new(fs::File::create(&long).unwrap());
    for _ in 0..RENDERED_FRAMES + 1 {
        let frame = Frame::new(RgbaImage::new(28, 28));
        encoder.encode_frame(frame).unwrap();
    }
    drop(encoder);
    let manifest = fs::read_to_string(&data.files.train).unwrap();
    let manifest = manifest + "../clips/long.gif,a small red circle\n";
    fs::write(&data.files.train, manifest).unwrap();
    let skipped = |limit: &str| {
        let recipe = recipe().with_overrides(&[limit, "max_failed_share=0.9"]);
        let (summary, _) = run(&data.plan(recipe.unwrap(), limit)).unwrap();
        assert!(summary.finished);
        summary.skipped
    };

    let [none, one] = ["limits.max_frames=9", "limits.max_frames=8"].map(skipped);

    assert_eq!(none, []);
    assert_eq!(one.len(), 1, "{one:?}");
    assert!(one[0].name.ends_with("clips/long.gif"), "{one:?}");
    let reason = &one[0].reason;
    assert!(
        reason.contains("number of frames is 9, at most 8"),
        "{reason}"
    );
}

#[test]
fn a_run_whose_files_are_mostly_broken_stops() {
    let data = SmallData::rendered(1);
    let mut manifest = fs::read_to_string(&data.files.train).unwrap();
    for missing in 0..30 {
        manifest += &format!("../clips/missing-{missing}.gif,a small red circle\n");
    }
    fs::write(&data.files.train, manifest).unwrap();

    let error = run(&data.plan(recipe(), "run")).unwrap_err();

    let message = error.to_string();
    assert!(
        matches!(error, TrainerError::Data(DataError::TooManyFailures { .. })),
        "{message}"
    );
    assert!(message.contains("missing-"), "{message}");
}

#[test]
fn an_image_of_one_pixel_is_an_image() {
    let data = SmallData::rendered(3);
    let one = image::RgbImage::from_pixel(1, 1, image::Rgb([255, 0, 0]));
    one.save(data.path("clips/clips/one.png")).unwrap();
    let manifest = fs::read_to_string(&data.files.train).unwrap();
    let manifest = manifest + "../clips/one.png,a small red square\n";
    fs::write(&data.files.train, manifest).unwrap();
    let plan = PretrainingPlan {
        max_steps: Some(1),
        ..data.plan(recipe(), "run")
    };

    let (summary, _) = run(&plan).unwrap();

    assert!(summary.skipped.is_empty(), "{:?}", summary.skipped);
    assert_eq!(summary.metrics[0].pairs, 4);
}

#[test]
fn a_manifest_without_the_column_is_refused_by_name() {
    let data = SmallData::rendered(1);
    fs::write(&data.files.train, "path,words\nclips/a.gif,a circle\n").unwrap();

    let message = run(&data.plan(recipe(), "run")).unwrap_err().to_string();

    let manifest = data.files.train.display().to_string();
    for part in [&*manifest, "\"caption\"", "path, words"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_vocabulary_with_lower_cased_special_tokens_is_refused_by_name() {
    let data = SmallData::rendered(1);
    let words = fs::read_to_string(&data.files.vocabulary).unwrap();
    fs::write(&data.files.vocabulary, words.to_lowercase()).unwrap();

    let message = run(&data.plan(recipe(), "run")).unwrap_err().to_string();
    let direct = Tokenizer::read(&data.files.vocabulary).unwrap_err();

    let vocabulary = data.files.vocabulary.display().to_string();
    assert!(
        message.contains(&vocabulary) && message.contains("lower-cased"),
        "{message}"
    );
    assert_eq!(direct.to_string(), message);
}

#[test]
fn a_truncated_bundle_is_refused_by_name() {
    let data = SmallData::rendered(4);
    let plan = PretrainingPlan {
        max_steps: Some(1),
        ..data.plan(recipe(), "run")
    };
    let (summary, _) = run(&plan).unwrap();
    let read = || Bundle::<TestBackend>::read(&summary.bundle, &Default::default());
    assert!(read().is_ok());

    // In turn: each is read before those already damaged.
    for name in ["model.safetensors", "vocab.txt", "config.json"] {
        truncate(&summary.bundle.join(name));
        let message = read().unwrap_err().to_string();
        assert!(message.contains(name), "{name}: {message}");
    }
}
