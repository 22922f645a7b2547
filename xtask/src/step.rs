//! A step of a plan: how it runs, how long it took, and the table at the end.

use crate::workspace::cargo;
use crate::{public_items, supply_chain, tidy};
use anyhow::{Context, Result, anyhow, ensure};
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::Output;
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
    /// Runs cargo several times at once: the first one's output is passed through, that of the
    /// others follows when all have ended.
    CargoTogether(Vec<Vec<String>>),
    /// Asks where the code of others comes from.
    Dependencies,
    /// Compares the libraries' public items with their lists.
    PublicItems,
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
                line + &command_line(arguments)
            }
            Action::CargoListsATest(arguments) => command_line(arguments),
            Action::CargoTogether(commands) => {
                let lines: Vec<String> = commands.iter().map(|words| command_line(words)).collect();
                lines.join(" & ")
            }
            Action::Dependencies => "cargo deny check".to_owned(),
            Action::PublicItems => "compare with public-items.txt".to_owned(),
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
            Action::CargoTogether(commands) => run_together(root, commands, out),
            Action::Dependencies => supply_chain::check(root, out),
            Action::PublicItems => public_items::check(root, out),
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
    let status = cargo(root, arguments)
        .envs(environment.iter().copied())
        .status()
        .context("cargo could not be started")?;
    ensure!(status.success(), "cargo ended with {status}");
    Ok(())
}

/// Every command runs to its end, also where another fails.
fn run_together(root: &Path, commands: &[Vec<String>], out: &mut impl Write) -> Result<()> {
    let Some((first, others)) = commands.split_first() else {
        return Ok(());
    };
    let mut failures = Vec::new();
    std::thread::scope(|scope| {
        let captured: Vec<_> = others
            .iter()
            .map(|arguments| scope.spawn(move || captured_cargo(root, arguments)))
            .collect();
        if let Err(error) = run_cargo(root, first, &[]) {
            failures.push(format!("`{}`: {error:#}", command_line(first)));
        }
        for (run, arguments) in captured.into_iter().zip(others) {
            let line = command_line(arguments);
            let run = run.join().map_err(|_| anyhow!("a thread panicked"))??;
            writeln!(out, "\n-- {line}")?;
            out.write_all(&run.stderr)?;
            out.write_all(&run.stdout)?;
            if !run.status.success() {
                failures.push(format!("`{line}`: cargo ended with {}", run.status));
            }
        }
        anyhow::Ok(())
    })?;
    ensure!(failures.is_empty(), "{}", failures.join("; "));
    Ok(())
}

fn captured_cargo(root: &Path, arguments: &[String]) -> Result<Output> {
    let output = cargo(root, arguments).output();
    output.context("cargo could not be started")
}

fn command_line(arguments: &[String]) -> String {
    format!("cargo {}", arguments.join(" "))
}

fn require_a_listed_test(root: &Path, arguments: &[String], out: &mut impl Write) -> Result<()> {
    let output = cargo(root, arguments)
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
    fn commands_run_together_all_end_and_every_failure_is_named() {
        fn words(text: &str) -> Vec<String> {
            vec![text.to_owned()]
        }
        let mut out = Vec::new();

        let good = [words("--version"), words("--version")];
        let good = run_together(Path::new("."), &good, &mut out);
        let bad = [
            words("no-such-command"),
            words("--version"),
            words("neither-this"),
        ];
        let bad = run_together(Path::new("."), &bad, &mut out).unwrap_err();

        good.unwrap();
        let message = format!("{bad:#}");
        assert!(
            message.contains("cargo no-such-command") && message.contains("cargo neither-this")
        );
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.matches("\ncargo 1.").count(), 2, "{out}");
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
