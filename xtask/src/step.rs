//! A step of a plan: how it runs, how long it took, and the table at the end.

use crate::tidy;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// One line of the table printed at the end.
#[derive(Debug)]
pub(crate) struct Step {
    name: String,
    action: Action,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Action {
    /// Runs cargo and passes its output through.
    Cargo {
        arguments: Vec<String>,
        environment: Vec<(&'static str, &'static str)>,
    },
    /// Runs a `cargo test -- --list` and fails when it lists no test: a mistyped filter is no success.
    CargoListsATest(Vec<String>),
    /// Runs the house rules.
    Tidy,
}

struct Timing {
    name: String,
    took: Duration,
    passed: bool,
}

impl Step {
    pub(crate) fn new(name: &str, action: Action) -> Self {
        Self {
            name: name.to_owned(),
            action,
        }
    }

    /// The step as a shell would be told.
    pub(crate) fn describe(&self) -> String {
        match &self.action {
            Action::Cargo {
                arguments,
                environment,
            } => {
                let mut line = String::new();
                for (key, value) in environment {
                    line.push_str(&format!("{key}={value} "));
                }
                line + "cargo " + &arguments.join(" ")
            }
            Action::CargoListsATest(arguments) => format!("cargo {}", arguments.join(" ")),
            Action::Tidy => "cargo xtask tidy".to_owned(),
        }
    }

    fn run(&self, root: &Path, out: &mut impl Write) -> Result<()> {
        match &self.action {
            Action::Cargo {
                arguments,
                environment,
            } => run_cargo(root, arguments, environment),
            Action::CargoListsATest(arguments) => require_a_listed_test(root, arguments, out),
            Action::Tidy => tidy::run(root, out),
        }
    }
}

/// Runs the steps in order up to the first that fails, then prints what each took.
///
/// # Errors
///
/// The first failing step's error, with its name.
pub(crate) fn run_all(root: &Path, steps: &[Step], out: &mut impl Write) -> Result<()> {
    let mut timings = Vec::new();
    let mut outcome = Ok(());
    for step in steps {
        writeln!(out, "\n== {}: {}", step.name, step.describe())?;
        // A child process writes to the same place: what stands before it must be out first.
        out.flush()?;
        let start = Instant::now();
        let result = step.run(root, out);
        timings.push(Timing {
            name: step.name.clone(),
            took: start.elapsed(),
            passed: result.is_ok(),
        });
        if let Err(error) = result {
            outcome = Err(error.context(format!("step `{}` failed", step.name)));
            break;
        }
    }
    out.write_all(table(&timings)?.as_bytes())?;
    outcome
}

fn run_cargo(root: &Path, arguments: &[String], environment: &[(&str, &str)]) -> Result<()> {
    let status = Command::new(cargo_program())
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root)
        .status()
        .context("cargo could not be started")?;
    ensure!(status.success(), "cargo ended with {status}");
    Ok(())
}

fn require_a_listed_test(root: &Path, arguments: &[String], out: &mut impl Write) -> Result<()> {
    let output = Command::new(cargo_program())
        .args(arguments)
        .current_dir(root)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cargo could not be started")?;
    ensure!(
        output.status.success(),
        "cargo ended with {}",
        output.status
    );
    let found = listed_tests(&String::from_utf8_lossy(&output.stdout));
    ensure!(found > 0, "no test of the suite matches the filter");
    writeln!(out, "tests that match: {found}")?;
    Ok(())
}

fn listed_tests(listing: &str) -> usize {
    listing
        .lines()
        .filter(|line| line.ends_with(": test"))
        .count()
}

/// The cargo that started this program, so that a chosen toolchain stays chosen.
fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

fn table(timings: &[Timing]) -> Result<String> {
    let mut text = format!("\n{:<24}{:>9}\n", "step", "seconds");
    for timing in timings {
        let result = if timing.passed { "ok" } else { "FAILED" };
        let seconds = timing.took.as_secs_f64();
        writeln!(text, "{:<24}{seconds:>9.1}  {result}", timing.name)?;
    }
    let total: Duration = timings.iter().map(|timing| timing.took).sum();
    writeln!(text, "{:<24}{:>9.1}", "total", total.as_secs_f64())?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_is_named_and_ends_the_plan() {
        let lists_nothing = || Action::CargoListsATest(vec!["--version".to_owned()]);
        let steps = [
            Step::new("first", lists_nothing()),
            Step::new("later", lists_nothing()),
        ];
        let mut out = Vec::new();

        let error = run_all(Path::new("."), &steps, &mut out).unwrap_err();

        let out = String::from_utf8(out).unwrap();
        assert_eq!(error.to_string(), "step `first` failed");
        assert!(out.contains("FAILED") && !out.contains("later"), "{out}");
    }

    #[test]
    fn the_table_lists_each_step_and_the_total() {
        let timings =
            [("format", 1.25, true), ("clippy", 10.0, false)].map(|(name, seconds, passed)| {
                Timing {
                    name: name.to_owned(),
                    took: Duration::from_secs_f64(seconds),
                    passed,
                }
            });

        let text = table(&timings).unwrap();

        let words: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(words[2], ["format", "1.2", "ok"]);
        assert_eq!(words[3], ["clippy", "10.0", "FAILED"]);
        assert_eq!(words[4], ["total", "11.2"]);
    }

    #[test]
    fn only_tests_are_counted_in_a_listing() {
        let listing = "parity::losses: test\nspeed: benchmark\n\n1 test, 1 benchmark\n";

        assert_eq!(listed_tests(listing), 1);
    }
}
