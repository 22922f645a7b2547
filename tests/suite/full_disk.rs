//! A disk that is full while a checkpoint is written: the one before stays, and the run goes on from it.
//! Nothing is left by half.
//!
//! A limit on the size of files, in a process of its own, fails the same calls as a full disk.

#![cfg(unix)]

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use clover_data::text::Tokenizer;
use clover_inference::{Bundle, InferenceError};
use clover_model::CloverConfig;
use clover_synthetic::{BenchmarkConfig, write_benchmark};
use clover_trainer::TrainerError;
use clover_trainer::pretrain::PretrainingPlan;
use clover_trainer::recipe::PretrainingRecipe;

use crate::TestBackend;
use crate::small_run::{SmallData, recipe, run};

const TEST: &str = "full_disk::a_full_disk_costs_the_checkpoint_being_written_and_no_other";
const FOLDER: &str = "CLOVER_TEST_FULL_DISK_FOLDER";
const DATA: &str = "CLOVER_TEST_FULL_DISK_DATA";
const VOCABULARY: &str = "CLOVER_TEST_FULL_DISK_VOCABULARY";
/// Clips, of which four make a step; one epoch does not end with the first step.
const CLIPS: usize = 8;
const STEPS: usize = 4;
/// Larger than every file of the run but the model's and the optimizer's, in blocks of 512 bytes.
const LIMIT: &str = "128";

#[test]
fn a_full_disk_costs_the_checkpoint_being_written_and_no_other() {
    if let [Some(data), Some(vocabulary), Some(folder)] =
        [DATA, VOCABULARY, FOLDER].map(env::var_os)
    {
        let plan = PretrainingPlan {
            resume: true,
            ..PretrainingPlan::new(every_step(), data, vocabulary, folder)
        };
        fails_to_write(&plan);
        return;
    }
    let data = SmallData::rendered(CLIPS);
    let plan = data.plan(every_step(), "run");
    run(&PretrainingPlan {
        max_steps: Some(1),
        ..plan.clone()
    })
    .unwrap();
    let checkpoints = plan.folder.join("checkpoints");
    let before = files(&checkpoints.join("step-00000001"));

    on_a_full_disk(
        Command::new(env::current_exe().unwrap())
            .arg(TEST)
            .env(FOLDER, &plan.folder)
            .env(DATA, &data.files.train)
            .env(VOCABULARY, &data.files.vocabulary),
        LIMIT,
    );
    assert_eq!(names(&checkpoints), ["step-00000001"]);
    assert!(files(&checkpoints.join("step-00000001")) == before);
    let (summary, refused) = run(&PretrainingPlan {
        resume: true,
        ..plan
    })
    .unwrap();
    assert!(refused.is_empty(), "{refused:?}");
    assert!(summary.finished && summary.metrics.len() == STEPS);
}

#[test]
fn a_full_disk_leaves_no_half_of_a_bundle_or_a_clip() {
    if let Some(folder) = env::var_os(FOLDER) {
        let folder = Path::new(&folder);
        let [bundle, clips] = ["bundle", "clips"].map(|name| folder.join(name));
        untrained_bundle(&env::var_os(VOCABULARY).unwrap(), &bundle).unwrap_err();
        let config = BenchmarkConfig {
            size: 224,
            ..BenchmarkConfig::one_shape(8, 0.01)
        };
        write_benchmark(&config, &clips, |_, _| ()).unwrap_err();
        return;
    }
    let data = SmallData::rendered(4);
    let folder = data.path("full");
    let test = "full_disk::a_full_disk_leaves_no_half_of_a_bundle_or_a_clip";

    on_a_full_disk(
        Command::new(env::current_exe().unwrap())
            .arg(test)
            .env(FOLDER, &folder)
            .env(VOCABULARY, &data.files.vocabulary),
        "8",
    );

    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for name in names(&folder) {
            let path = folder.join(&name);
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::metadata(&path).unwrap().len();
            let half = name.starts_with('.') || name.contains("partial") || bytes == 0;
            assert!(!half, "{} has {bytes} bytes", path.display());
        }
    }
}

/// Writes the least model, with its starting values.
fn untrained_bundle(vocabulary: &OsStr, folder: &Path) -> Result<(), InferenceError> {
    let tokenizer = Tokenizer::read(vocabulary)?;
    let config = CloverConfig::nano(tokenizer.vocabulary().len())
        .with_image_size(28)
        .with_frames(2);
    Bundle::<TestBackend>::init(config, tokenizer, 16, &Default::default()).write(folder)
}

/// Runs a test, which must pass, where no file may have more than `limit` blocks of 512 bytes.
fn on_a_full_disk(test: &Command, limit: &str) {
    let mut limited = Command::new("sh");
    limited
        // Without the trap the signal of a file too large would end the process.
        .args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", limit])
        .arg(test.get_program())
        .args(test.get_args())
        .args(["--exact", "--nocapture"]);
    for (key, value) in test.get_envs() {
        limited.env(key, value.unwrap());
    }

    let output = limited.output().unwrap();

    let [said, complaint] = [output.stdout, output.stderr].map(|text| {
        let text = String::from_utf8_lossy(&text);
        text.into_owned()
    });
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{complaint}"
    );
}

fn every_step() -> PretrainingRecipe {
    PretrainingRecipe {
        checkpoint_every: 1,
        ..recipe()
    }
}

/// In the process with the limit.
fn fails_to_write(plan: &PretrainingPlan) {
    let error = run(plan).unwrap_err();
    let TrainerError::Write { path, source } = &error else {
        panic!("{error}")
    };
    let path = path.display().to_string();
    assert!(path.contains(".step-00000002.partial"), "{path}: {source}");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = names(folder)
        .into_iter()
        .map(|name| (name.clone(), fs::read(folder.join(name)).unwrap()))
        .collect();
    files.sort();
    files
}
