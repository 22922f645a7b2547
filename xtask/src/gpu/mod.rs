//! One prepared run for a machine with an NVIDIA GPU: built here, carried there as one folder, and
//! run there without cargo or a registry. It ends with one table in Markdown.

mod build;
mod cases;
mod process;

use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use build::build;
use cases::{GPU_CASES, REHEARSAL_CASES, StepCase};
use process::{Outcome, watch};

/// What the folder to carry holds.
const PROGRAM: &str = "clover";
const SUITE: &str = "suite";
const STEP_TIME: &str = "step_time";
const TABLE: &str = "table.md";

/// The whole run takes at most this long; what does not fit any more is left out by name.
const BUDGET: Duration = Duration::from_secs(8 * 60);

/// Where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On an NVIDIA GPU, at the sizes that matter.
    Gpu,
    /// On this machine's processors, at the least sizes: shows that the run itself works.
    Rehearsal,
}

impl Place {
    fn feature(self) -> &'static str {
        match self {
            Self::Gpu => "cuda",
            Self::Rehearsal => "flex",
        }
    }

    fn cases(self) -> &'static [StepCase] {
        match self {
            Self::Gpu => &GPU_CASES,
            Self::Rehearsal => &REHEARSAL_CASES,
        }
    }

    fn is_gpu(self) -> bool {
        self == Self::Gpu
    }
}

/// What the arguments after `gpu` ask for.
///
/// # Errors
///
/// A build or a part of the run fails, or the arguments are others.
pub(crate) fn run(root: &Path, arguments: &[&str], out: &mut impl Write) -> Result<()> {
    match arguments {
        [] => {
            let folder = build(root, Place::Gpu, out)?;
            let folder = folder.display();
            writeln!(
                out,
                "carry the checkout with {folder}, and run there: {folder}/xtask gpu --run {folder}"
            )?;
            Ok(())
        }
        ["--rehearse"] => {
            let folder = build(root, Place::Rehearsal, out)?;
            measure(root, &folder, Place::Rehearsal, out)
        }
        // There this program was not started by cargo, and was built elsewhere.
        ["--run", folder] => {
            let root = std::env::current_dir()?;
            measure(&root, Path::new(folder), Place::Gpu, out)
        }
        _ => anyhow::bail!("`gpu` takes nothing, --rehearse, or --run FOLDER"),
    }
}

/// Runs all parts and writes the table.
fn measure(root: &Path, folder: &Path, place: Place, out: &mut impl Write) -> Result<()> {
    let run = Run {
        root,
        folder: folder
            .canonicalize()
            .context("the folder of the programs")?,
        place,
        started: Instant::now(),
    };
    let (parity, demo) = (run.parity()?, run.demo()?);
    let mut table = format!(
        "{}\n\n| part | result | seconds |\n|---|---|---|\n",
        device(place)
    );
    for (name, outcome) in [("parity and gradients", &parity), ("demo", &demo)] {
        let last = outcome
            .output
            .lines()
            .rev()
            .find(|line| line.contains("result") || line.contains("R@1"));
        let result = last.map_or(if outcome.passed { "passed" } else { "failed" }, str::trim);
        writeln!(
            table,
            "| {name} | {result} | {:.0} |",
            outcome.took.as_secs_f64()
        )?;
    }
    table.push_str("\n| step | precision | clips (in parts of) | ms | clips/s | peak MiB | PyTorch eager, ms | compiled, ms | ratio |\n");
    table.push_str("|---|---|---|---|---|---|---|---|---|\n");
    let mut passed = parity.passed && demo.passed;
    for case in place.cases() {
        passed &= run.step(case, &mut table)?;
    }
    let path = run.folder.join(TABLE);
    fs::write(&path, &table)?;
    writeln!(
        out,
        "\n{table}\n{} took {:.0} s",
        path.display(),
        run.started.elapsed().as_secs_f64()
    )?;
    ensure!(
        passed,
        "a part of the run failed:\n{}\n{}",
        parity.output,
        demo.output
    );
    Ok(())
}

fn device(place: Place) -> String {
    let query = [
        "--query-gpu=name,driver_version,memory.total",
        "--format=csv,noheader",
    ];
    match place {
        Place::Rehearsal => {
            "A rehearsal on this machine's processors, at the least sizes.".to_owned()
        }
        Place::Gpu => Command::new("nvidia-smi").args(query).output().map_or_else(
            |error| format!("nvidia-smi could not be run: {error}"),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        ),
    }
}

struct Run<'r> {
    root: &'r Path,
    folder: PathBuf,
    place: Place,
    started: Instant,
}

impl Run<'_> {
    /// At most so long, and no longer than the whole run may still take.
    fn limit(&self, seconds: u64) -> Duration {
        Duration::from_secs(seconds).min(BUDGET.saturating_sub(self.started.elapsed()))
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join(name));
        command.current_dir(self.root);
        command
    }

    fn watch(&self, command: &mut Command, seconds: u64) -> Result<Outcome> {
        watch(command, self.limit(seconds), self.place.is_gpu())
    }

    fn parity(&self) -> Result<Outcome> {
        let mut suite = self.program(SUITE);
        suite.args(["parity", "gradients", "--nocapture"]);
        // Where the recordings lie; the program was built in another folder.
        suite.env("CARGO_MANIFEST_DIR", self.root.join("tests"));
        suite.env("RUST_TEST_THREADS", "1");
        self.watch(&mut suite, 150)
    }

    fn demo(&self) -> Result<Outcome> {
        let mut demo = self.program(PROGRAM);
        let results = self.folder.join("demo");
        if results.exists() {
            fs::remove_dir_all(&results)?;
        }
        demo.args(["demo", "--quick", "--out"]).arg(results);
        demo.args(["--device", self.place.feature()]);
        if self.place == Place::Rehearsal {
            demo.args(["--epochs", "1", "--train-clips", "64"]);
        }
        self.watch(&mut demo, 120)
    }

    /// Measures a step and adds its row; whether it passed.
    fn step(&self, case: &StepCase, table: &mut String) -> Result<bool> {
        let StepCase {
            preset,
            precision,
            batch,
            micro_batch,
            frames,
            size,
            repetitions,
            ..
        } = *case;
        let numbers = [batch, micro_batch, 1, frames, size, repetitions].map(|n| n.to_string());
        let mut ours = self.program(STEP_TIME);
        ours.args([preset, precision]).args(numbers);
        let ours = self.watch(&mut ours, 90)?;
        let found = ours
            .output
            .lines()
            .rev()
            .find_map(|line| serde_json::from_str::<Value>(line).ok());
        let figure = |name: &str| found.as_ref().and_then(|found| found[name].as_f64());
        let milliseconds = figure("best_seconds").map(|seconds| seconds * 1e3);
        let [eager, compiled] = [false, true].map(|compile| {
            let compile = compile.then_some("--compile");
            case.beside_pytorch
                .then(|| self.pytorch(case, compile))
                .flatten()
        });
        let best = eager.into_iter().chain(compiled).reduce(f64::min);
        let ratio = milliseconds.zip(best).map(|(ours, theirs)| ours / theirs);
        let shown = |value: Option<f64>, digits: usize| {
            value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
        };
        writeln!(
            table,
            "| {preset}, {frames} x {size} px | {precision} | {batch} ({micro_batch}) | {} | {} | {} | {} | {} | {} |",
            shown(milliseconds, 1),
            shown(figure("clips_per_second"), 1),
            shown(ours.peak_mebibytes, 0),
            shown(eager, 1),
            shown(compiled, 1),
            shown(ratio, 2),
        )?;
        if !ours.passed {
            writeln!(
                table,
                "\n`{preset}` in {precision} failed: {}\n",
                ours.output.trim()
            )?;
        }
        Ok(ours.passed)
    }

    /// The best time of the same step in PyTorch, in milliseconds, where that is installed.
    fn pytorch(&self, case: &StepCase, compile: Option<&str>) -> Option<f64> {
        let device = if self.place.is_gpu() { "cuda" } else { "cpu" };
        let numbers = [2, case.repetitions, case.batch, case.frames, case.size];
        let mut command = Command::new("python3");
        command
            .arg(self.root.join("xtask/pytorch/pretraining_step.py"))
            .args(numbers.map(|n| n.to_string()))
            .args(["--step-only", "--preset", case.preset])
            .args(["--precision", case.precision, "--device", device])
            .args(compile);
        let outcome = self.watch(&mut command, 60).ok()?;
        let (_, time) = outcome.output.split_once("training step: best ")?;
        time.split_once(" ms")?.0.parse().ok()
    }
}
