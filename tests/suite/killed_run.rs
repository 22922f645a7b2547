//! A run that is killed, not asked to stop, and then resumed ends as one that was never killed.
//!
//! A real process and, on Unix, a real SIGKILL: nothing of the run gets to clean up.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clover_trainer::pretrain::{PretrainingPlan, StepMetrics};
use clover_trainer::recipe::PretrainingRecipe;

use crate::small_run::{SmallData, recipe, run, without_time};

const TEST: &str = "killed_run::a_run_killed_again_and_again_ends_as_an_unbroken_one";
/// What the process that trains is told.
const FOLDER: &str = "CLOVER_TEST_RUN_FOLDER";
const DATA: &str = "CLOVER_TEST_RUN_DATA";
const VOCABULARY: &str = "CLOVER_TEST_RUN_VOCABULARY";

/// Clips, of which four make a step.
const CLIPS: usize = 12;
const STEPS: usize = 9;
/// The run is killed so long after the step of this number was written down, or after its start
/// where that is 0: while it reads, while it trains, and while it writes a checkpoint.
const KILLS: [(usize, Duration); 6] = [
    (0, Duration::from_millis(30)),
    (1, Duration::ZERO),
    (2, Duration::from_millis(10)),
    (3, Duration::from_millis(25)),
    (4, Duration::from_millis(100)),
    (5, Duration::from_millis(3)),
];
/// Longer than any step here takes.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_run_killed_again_and_again_ends_as_an_unbroken_one() {
    if let Some(plan) = plan_of_this_process() {
        run(&plan).unwrap();
        return;
    }
    let data = SmallData::rendered(CLIPS);
    let [unbroken, killed] = ["unbroken", "killed"].map(|name| data.path(name));
    finish(start(&data, &unbroken));

    for (step, delay) in KILLS {
        kill(start(&data, &killed), &killed, step, delay);
    }
    let steps_before = metrics(&killed).len();
    finish(start(&data, &killed));

    assert!((1..STEPS).contains(&steps_before), "{steps_before}");
    assert_eq!(
        without_time(&metrics(&killed)),
        without_time(&metrics(&unbroken))
    );
    let last = format!("checkpoints/step-{STEPS:08}");
    for file in [
        "bundle/model.safetensors",
        &format!("{last}/model.safetensors"),
        &format!("{last}/optimizer.safetensors"),
        &format!("{last}/state.json"),
    ] {
        let [one, other] = [&killed, &unbroken].map(|run| fs::read(run.join(file)).unwrap());
        assert!(one == other, "{file} differs");
    }
}

/// What this process is to train, where it was started for that.
fn plan_of_this_process() -> Option<PretrainingPlan> {
    let recipe = PretrainingRecipe {
        checkpoint_every: 1,
        epochs: 3,
        ..recipe()
    };
    let [data, vocabulary, folder] = [DATA, VOCABULARY, FOLDER].map(env::var_os);
    Some(PretrainingPlan {
        resume: true,
        ..PretrainingPlan::new(recipe, data?, vocabulary?, folder?)
    })
}

fn start(data: &SmallData, folder: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([TEST, "--exact"])
        .env(FOLDER, folder)
        .env(DATA, &data.files.train)
        .env(VOCABULARY, &data.files.vocabulary)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn finish(run: Child) {
    let output = run.wait_with_output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
}

/// Waits until the step was written down, a little longer, and kills.
fn kill(mut run: Child, folder: &Path, step: usize, delay: Duration) {
    let started = Instant::now();
    while metrics(folder).len() < step {
        let ended = run.try_wait().unwrap();
        assert!(ended.is_none(), "ended before it was killed: {ended:?}");
        assert!(started.elapsed() < PATIENCE, "step {step} never came");
        sleep(Duration::from_millis(1));
    }
    sleep(delay);
    run.kill().unwrap();
    let status = run.wait().unwrap();
    assert!(!status.success(), "ended before it was killed");
}

/// The steps on file; a line that is just being written does not count yet.
fn metrics(folder: &Path) -> Vec<StepMetrics> {
    let lines = fs::read_to_string(folder.join("metrics.jsonl")).unwrap_or_default();
    let steps = lines.lines().map(serde_json::from_str);
    steps.map_while(Result::ok).collect()
}
