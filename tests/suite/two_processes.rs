//! Two processes that train as one do what one does with the whole batch, and neither outlives the
//! other for long.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clover_trainer::devices::{Group, Nodes};
use clover_trainer::pretrain::{PretrainingPlan, StepMetrics, pretrain_on};
use clover_trainer::recipe::PretrainingRecipe;

use crate::small_run::{SmallData, recipe, run};
use crate::{TestAutodiffBackend, TestBackend};

/// What a process that trains is told.
const NODE: &str = "CLOVER_TEST_NODE";
const ORCHESTRATOR: &str = "CLOVER_TEST_ORCHESTRATOR";
const FOLDER: &str = "CLOVER_TEST_RUN_FOLDER";
const DATA: &str = "CLOVER_TEST_RUN_DATA";
const VOCABULARY: &str = "CLOVER_TEST_RUN_VOCABULARY";
const STEPS: &str = "CLOVER_TEST_RUN_STEPS";

/// Clips, of which four make a step: two on each node.
const CLIPS: usize = 8;
/// How long a node waits for the other.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than a node takes to start and to make its first step.
const START: Duration = Duration::from_secs(120);
/// The largest part of a figure by which two ways to compute it may differ.
const TOLERANCE: f64 = 1e-5;

#[test]
fn two_processes_train_as_one() {
    const TEST: &str = "two_processes::two_processes_train_as_one";
    if train_as_told() {
        return;
    }
    let data = SmallData::rendered(CLIPS);
    let steps = 4;
    let (alone, _) = run(&plan(&data, "one", steps)).unwrap();

    let orchestrator = free_address();
    let folder = data.path("two");
    let nodes = [0, 1].map(|node| start(TEST, node, &orchestrator, &data, &folder, steps));
    for node in nodes {
        let output = node.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", complaint(&output));
    }

    let together = metrics(&folder);
    assert_eq!(together.len() as u64, steps);
    for (one, two) in alone.metrics.iter().zip(&together) {
        assert_eq!((one.step, one.pairs), (two.step, two.pairs));
        for (what, one, two) in [
            ("loss", one.total, two.total),
            ("word loss", one.word, two.word),
            ("alignment", one.video_alignment, two.video_alignment),
            ("ranking", one.text_ranking, two.text_ranking),
            ("gradient norm", one.gradient_norm, two.gradient_norm),
        ] {
            let difference = (one - two).abs();
            assert!(
                difference <= TOLERANCE * one.abs(),
                "{what} of a step: {one} and {two}"
            );
        }
    }
}

#[test]
fn a_process_that_is_killed_ends_the_other_and_leaves_a_whole_checkpoint() {
    const TEST: &str =
        "two_processes::a_process_that_is_killed_ends_the_other_and_leaves_a_whole_checkpoint";
    if train_as_told() {
        return;
    }
    let data = SmallData::rendered(CLIPS);
    for killed in [1, 0] {
        let folder = data.path(&format!("without-{killed}"));
        let orchestrator = free_address();
        let endless = 1_000;
        let [zero, one] =
            [0, 1].map(|node| start(TEST, node, &orchestrator, &data, &folder, endless));
        let (mut victim, survivor) = if killed == 0 {
            (zero, one)
        } else {
            (one, zero)
        };

        wait_for_a_checkpoint(&folder);
        victim.kill().unwrap();
        victim.wait().unwrap();
        let since = Instant::now();
        let output = survivor.wait_with_output().unwrap();

        assert!(!output.status.success(), "went on without node {killed}");
        let took = since.elapsed();
        assert!(took < 2 * TIMEOUT + Duration::from_secs(5), "{took:?}");
        let complaint = complaint(&output);
        assert!(complaint.contains(&format!("node {killed}")), "{complaint}");
        let steps = metrics(&folder).len() as u64 + 1;
        let resumed = PretrainingPlan {
            resume: true,
            folder,
            ..plan(&data, "unused", steps)
        };
        let (summary, refused) = run(&resumed).unwrap();
        assert_eq!(refused, Vec::<String>::new());
        assert_eq!(summary.metrics.last().unwrap().step, steps);
    }
}

/// At less than the published learning rate: AdamW divides tiny gradients by their own size, so that a larger
/// one amplifies what the order of summation leaves in their last bits.
fn small_recipe() -> PretrainingRecipe {
    PretrainingRecipe {
        learning_rate: 2e-5,
        checkpoint_every: 1,
        epochs: 1_000,
        ..recipe()
    }
}

fn plan(data: &SmallData, folder: &str, steps: u64) -> PretrainingPlan {
    PretrainingPlan {
        max_steps: Some(steps),
        ..data.plan(small_recipe(), folder)
    }
}

/// Trains, where this process was started for that.
fn train_as_told() -> bool {
    let Some(plan) = told_plan() else {
        return false;
    };
    let told = |key| env::var(key).unwrap();
    let group = Group::<TestBackend> {
        devices: vec![Default::default()],
        nodes: Some(Nodes {
            count: 2,
            node: told(NODE).parse().unwrap(),
            orchestrator: told(ORCHESTRATOR),
        }),
        timeout: TIMEOUT,
    };
    let observe =
        &mut |_: clover_trainer::pretrain::PretrainingEvent<'_>| ControlFlow::Continue(());
    if let Err(error) = pretrain_on::<TestAutodiffBackend>(&plan, &group, observe) {
        panic!("{error}");
    }
    true
}

fn told_plan() -> Option<PretrainingPlan> {
    let [data, vocabulary, folder] = [DATA, VOCABULARY, FOLDER].map(env::var_os);
    let steps = env::var(STEPS).ok()?.parse().ok();
    Some(PretrainingPlan {
        max_steps: steps,
        ..PretrainingPlan::new(small_recipe(), data?, vocabulary?, folder?)
    })
}

fn start(
    test: &str,
    node: usize,
    orchestrator: &str,
    data: &SmallData,
    folder: &Path,
    steps: u64,
) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(NODE, node.to_string())
        .env(ORCHESTRATOR, orchestrator)
        .env(FOLDER, folder)
        .env(DATA, &data.files.train)
        .env(VOCABULARY, &data.files.vocabulary)
        .env(STEPS, steps.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Where nobody listens yet.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("ws://127.0.0.1:{}", listener.local_addr().unwrap().port())
}

fn wait_for_a_checkpoint(folder: &Path) {
    let started = Instant::now();
    while metrics(folder).len() < 2 {
        assert!(started.elapsed() < START, "no checkpoint came");
        sleep(Duration::from_millis(2));
    }
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The steps on file; a line that is just being written does not count yet.
fn metrics(folder: &Path) -> Vec<StepMetrics> {
    let lines = fs::read_to_string(folder.join("metrics.jsonl")).unwrap_or_default();
    let steps = lines.lines().map(serde_json::from_str);
    steps.map_while(Result::ok).collect()
}
