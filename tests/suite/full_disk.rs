//! A disk that is full while a checkpoint is written: the one before stays, and the run goes on from it.
//!
//! A limit on the size of files, in a process of its own, fails the same calls as a full disk.

#![cfg(unix)]

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use clover_trainer::TrainerError;
use clover_trainer::pretrain::PretrainingPlan;
use clover_trainer::recipe::PretrainingRecipe;

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

    let output = Command::new("sh")
        // Without the trap the signal of a file too large would end the process.
        .args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", LIMIT])
        .arg(env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture"])
        .env(FOLDER, &plan.folder)
        .env(DATA, &data.files.train)
        .env(VOCABULARY, &data.files.vocabulary)
        .output()
        .unwrap();

    let [said, complaint] = [output.stdout, output.stderr].map(|text| {
        let text = String::from_utf8_lossy(&text);
        text.into_owned()
    });
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{complaint}"
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
