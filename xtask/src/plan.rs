//! Which steps each command consists of. Plans are data, so that a test can read them.
//!
//! Every test build selects the whole workspace, also where only some packages matter: the features
//! of the dependencies then unify in the same way each time, and no dependency is built twice.
//! The flex builds only add `test-flex`, which turns a type alias.

use crate::step::{Action, Step};

/// The packages whose tests are generic over the backend.
const BACKEND_GENERIC: &[&str] = &[
    "clover-kernels",
    "clover-model",
    "clover-losses",
    "clover-data",
    "clover-inference",
    "clover-trainer",
    "clover-tests",
];

/// The features that bring FFmpeg in, where its libraries are installed.
const FFMPEG: &[&str] = &[
    "clover-cli/ffmpeg",
    "clover-data/ffmpeg",
    "clover-tests/ffmpeg",
];

/// The name of the test program in `tests/`.
const SUITE: &str = "suite";

/// Everything; the second pass decodes through FFmpeg where it is installed.
pub(crate) fn test(ffmpeg: bool) -> Vec<Step> {
    let mut steps = source_checks(ffmpeg);
    steps.push(cargo(
        "tests on ndarray",
        &["test", "--workspace", "--no-fail-fast"],
    ));
    // `--tests` leaves the doc tests out: they name their backend themselves.
    let mut flex = vec!["test", "--workspace", "--tests", "--no-fail-fast"];
    let mut features = flex_features();
    if ffmpeg {
        features = format!("{features},{}", FFMPEG.join(","));
    }
    flex.extend(["--features", &features]);
    let name = if ffmpeg {
        "tests on flex, with FFmpeg"
    } else {
        "tests on flex"
    };
    steps.push(cargo(name, &flex));
    steps
}

pub(crate) fn filtered_test(filters: &[&str]) -> Vec<Step> {
    let features = flex_features();
    let ndarray = vec!["test", "--workspace", "--test", SUITE];
    let flex = [ndarray.as_slice(), &["--features", &features]].concat();
    let list = [ndarray.as_slice(), &["--", "--list"], filters].concat();
    let shown = [&["--", "--nocapture"], filters].concat();
    vec![
        Step::new("filter", Action::CargoListsATest(owned(&list))),
        cargo("suite on ndarray", &[ndarray, shown.clone()].concat()),
        cargo("suite on flex", &[flex, shown].concat()),
    ]
}

pub(crate) fn check(ffmpeg: bool) -> Vec<Step> {
    let mut steps = source_checks(ffmpeg);
    steps.extend(check_backends());
    steps
}

pub(crate) fn check_backends() -> Vec<Step> {
    let program = ["check", "--package", "clover-cli"];
    let with = |features: &[&'static str]| [program.as_slice(), features].concat();
    vec![
        cargo("check cuda", &with(&["--features", "cuda"])),
        cargo(
            "check wgpu, the dashboard and fetching",
            &with(&["--features", "dashboard,fetch,wgpu"]),
        ),
        cargo(
            "check ndarray alone",
            &with(&["--no-default-features", "--features", "ndarray"]),
        ),
    ]
}

/// What is checked without running a test, the quickest first.
fn source_checks(ffmpeg: bool) -> Vec<Step> {
    let mut clippy = vec!["clippy", "--workspace", "--all-targets"];
    let features = FFMPEG.join(",");
    if ffmpeg {
        clippy.extend(["--features", &features]);
    }
    clippy.extend(["--", "-D", "warnings"]);
    vec![
        cargo("format", &["fmt", "--all", "--check"]),
        Step::new("tidy", Action::Tidy),
        cargo("clippy", &clippy),
        Step::new(
            "docs",
            Action::Cargo {
                arguments: owned(&["doc", "--workspace", "--no-deps"]),
                environment: vec![("RUSTDOCFLAGS", "-D warnings")],
            },
        ),
    ]
}

fn flex_features() -> String {
    let features: Vec<String> = BACKEND_GENERIC
        .iter()
        .map(|package| format!("{package}/test-flex"))
        .collect();
    features.join(",")
}

fn cargo(name: &str, arguments: &[&str]) -> Step {
    let action = Action::Cargo {
        arguments: owned(arguments),
        environment: Vec::new(),
    };
    Step::new(name, action)
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command_lines(steps: &[Step]) -> Vec<String> {
        steps.iter().map(Step::describe).collect()
    }

    #[test]
    fn the_whole_suite_runs_once_on_each_backend() {
        let lines = command_lines(&test(false));

        let tests: Vec<_> = lines
            .iter()
            .filter(|line| line.starts_with("cargo test"))
            .collect();
        assert_eq!(tests.len(), 2);
        assert!(!tests[0].contains("test-flex"));
        for package in BACKEND_GENERIC {
            assert!(
                tests[1].contains(&format!("{package}/test-flex")),
                "{package}"
            );
        }
    }

    #[test]
    fn doc_tests_run_on_the_first_pass_only() {
        let lines = command_lines(&test(false));

        let with_doc_tests = lines
            .iter()
            .filter(|line| line.starts_with("cargo test") && !line.contains("--tests"));
        assert_eq!(with_doc_tests.count(), 1);
    }

    #[test]
    fn ffmpeg_is_linted_and_tested_where_it_is_installed() {
        let (with, without) = (command_lines(&test(true)), command_lines(&test(false)));

        let uses = |lines: &[String]| lines.iter().filter(|line| line.contains("/ffmpeg")).count();
        assert_eq!((uses(&with), uses(&without)), (2, 0));
    }

    #[test]
    fn warnings_are_denied_in_code_and_in_documentation() {
        let lines = command_lines(&check(false));

        assert!(
            lines
                .iter()
                .any(|line| line.ends_with("--all-targets -- -D warnings"))
        );
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("RUSTDOCFLAGS=-D warnings cargo doc"))
        );
    }

    #[test]
    fn a_filter_reaches_both_backends_with_output_shown() {
        let lines = command_lines(&filtered_test(&["parity", "losses"]));

        let shown = "-- --nocapture parity losses";
        assert_eq!(lines.len(), 3);
        assert!(lines[1].ends_with(shown) && !lines[1].contains("test-flex"));
        assert!(lines[2].ends_with(shown) && lines[2].contains("clover-model/test-flex"));
    }

    #[test]
    fn every_optional_backend_is_checked() {
        let lines = command_lines(&check_backends());

        for backend in ["cuda", "dashboard,fetch,wgpu", "ndarray"] {
            assert!(
                lines
                    .iter()
                    .any(|line| line.ends_with(&format!("--features {backend}")))
            );
        }
    }
}
