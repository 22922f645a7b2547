//! Which steps each command consists of. Plans are data, so that a test can read them.
//!
//! Every build of tests selects the whole workspace or so many packages that the features of the
//! dependencies are the same (`tidy` checks it): no dependency is built twice. Another backend of
//! the tests is a feature of the one crate that names it, and builds the test programs alone again.

use crate::gpu_backend::GpuBackend;
use crate::machine::{Machine, WASM};
use crate::step::{Action, Step};

/// The packages that have no test on tensors: one pass is enough.
const WITHOUT_TENSORS: &[&str] = &["clover-cli", "clover-pickle", "clover-synthetic", "xtask"];

/// What chooses the backend of tests; without it, ndarray.
const ON_FLEX: &str = "clover-test-backend/flex";

/// What brings FFmpeg into the tests, where its libraries are installed.
const WITH_FFMPEG: &str = "clover-tests/ffmpeg";

/// The program's optional parts, which the tests do not build: their types and lints are checked.
const OPTIONAL: &[&str] = &[
    "clover-cli/collective",
    "clover-cli/cuda",
    "clover-cli/dashboard",
    "clover-cli/fetch",
    "clover-cli/ndarray",
    "clover-cli/wgpu",
];

/// What leaves Burn's fusion of operations out of a GPU's backend.
const UNFUSED: &str = "clover-test-backend/unfused";

/// The packages whose tests run on a GPU's backend.
const ON_A_GPU: &[&str] = &["clover-kernels", "clover-losses", "clover-model"];

/// What of the suite runs on a GPU's backend, where no filter is given: what computes, and not
/// what is read, written or refused.
const SUITE_ON_A_GPU: &[&str] = &["parity", "gradients", "learned_in_parts"];

/// The packages that no registry gets.
const UNPUBLISHED: &[&str] = &["clover-test-backend", "clover-tests", "xtask"];

/// A program that uses the crates from outside of the workspace.
const OF_EMBEDDING: &[&str] = &[
    "--manifest-path",
    "tests/embedding/Cargo.toml",
    "--target-dir",
    "target",
];

/// The name of the test program in `tests/`.
const SUITE: &str = "suite";

/// The name of the tests that run `clover` as a process.
const PROCESSES: &str = "program";

/// Everything on the CPU's backends; the second pass decodes through FFmpeg where it is installed.
pub(crate) fn test(machine: Machine) -> Vec<Step> {
    // `--tests` leaves out the examples, which clippy has seen, and the doc tests.
    let ndarray = ["test", "--workspace", "--tests", "--no-fail-fast"];
    let mut flex = ndarray.to_vec();
    for package in WITHOUT_TENSORS {
        flex.extend(["--exclude", package]);
    }
    let mut features = ON_FLEX.to_owned();
    if machine.ffmpeg {
        features = format!("{ON_FLEX},{WITH_FFMPEG}");
    }
    flex.extend(["--features", &features]);

    let mut steps = check(machine);
    steps.push(cargo("build tests on ndarray", &without_running(&ndarray)));
    steps.push(cargo("build tests on flex", &without_running(&flex)));
    // In one process one test runs at a time, for Burn's random numbers belong to the process:
    // several programs at once keep the cores busy. The suite takes longest, so it starts first.
    let on_ndarray = ["test", "--workspace", "--no-fail-fast"];
    let together = vec![
        owned(&[on_ndarray.as_slice(), &["--test", SUITE]].concat()),
        owned(
            &[
                on_ndarray.as_slice(),
                &["--lib", "--bins", "--test", PROCESSES],
            ]
            .concat(),
        ),
        owned(&flex),
    ];
    steps.push(Step::new("tests on both", Action::CargoTogether(together)));
    steps.push(cargo(
        "tests in the docs",
        &["test", "--workspace", "--doc"],
    ));
    // A program of its own, with a lock file of its own: it must build as any other would.
    let embedding = [&["run"], OF_EMBEDDING].concat();
    steps.push(cargo("a program that embeds", &embedding));
    steps
}

pub(crate) fn filtered_test(filters: &[&str]) -> Vec<Step> {
    let ndarray = vec!["test", "--package", "clover-tests", "--test", SUITE];
    let flex = [ndarray.as_slice(), &["--features", ON_FLEX]].concat();
    let list = [ndarray.as_slice(), &["--", "--list"], filters].concat();
    let shown = [&["--", "--nocapture"], filters].concat();
    vec![
        Step::new("filter", Action::CargoListsATest(owned(&list))),
        cargo("suite on ndarray", &[ndarray, shown.clone()].concat()),
        cargo("suite on flex", &[flex, shown].concat()),
    ]
}

/// Tests on a GPU's backend: all that compute, or those of the suite that match a filter.
pub(crate) fn gpu_test(backend: GpuBackend, filters: &[&str]) -> Vec<Step> {
    let without_fusion = match backend {
        GpuBackend::Wgpu => Some(format!("{},{UNFUSED}", backend.feature())),
        // Burn does not name CUDA's backend without fusion.
        GpuBackend::Cuda => None,
    };
    let fused = ("fused", backend.feature().to_owned());
    let without_fusion = without_fusion.map(|features| ("not fused", features));
    let mut steps = Vec::new();
    for (kind, features) in [Some(fused), without_fusion].into_iter().flatten() {
        let features = ["--features", &features];
        if filters.is_empty() {
            let packages = ON_A_GPU.iter().flat_map(|package| ["--package", package]);
            let packages: Vec<&str> = packages.collect();
            let libraries = [&["test", "--lib"], packages.as_slice(), &features].concat();
            steps.push(cargo(&format!("{backend:?} {kind}: libraries"), &libraries));
        }
        let shown = if filters.is_empty() {
            SUITE_ON_A_GPU
        } else {
            filters
        };
        let suite = ["test", "--package", "clover-tests", "--test", SUITE];
        let suite = [suite.as_slice(), &features, &["--", "--nocapture"], shown].concat();
        steps.push(cargo(&format!("{backend:?} {kind}: suite"), &suite));
    }
    steps
}

/// Every package made as for a registry, and built from that alone.
pub(crate) fn package() -> Vec<Step> {
    let package = ["package", "--workspace", "--allow-dirty"];
    let mut package = package.to_vec();
    for member in UNPUBLISHED {
        package.extend(["--exclude", member]);
    }
    vec![cargo("package", &package)]
}

/// What is checked without running a test, the quickest first. Clippy and the documentation share
/// one set of features, so that what they need of the dependencies is read once.
pub(crate) fn check(machine: Machine) -> Vec<Step> {
    let mut of_program = OPTIONAL.join(",");
    let mut of_all = of_program.clone();
    if machine.ffmpeg {
        of_program.push_str(",clover-cli/ffmpeg");
        of_all = format!("{of_program},{WITH_FFMPEG}");
    }
    let everything = ["--workspace", "--features", &of_all];
    let clippy = [&["clippy", "--all-targets"], everything.as_slice()].concat();
    let without_flex = ["--package", "clover-cli", "--no-default-features"];
    let without_flex = [
        &["clippy"],
        without_flex.as_slice(),
        &["--features", &of_program],
    ]
    .concat();
    let no_warnings = ["--", "-D", "warnings"];
    let mut steps = vec![
        cargo("format", &["fmt", "--all", "--check"]),
        Step::new("tidy", Action::Tidy),
        Step::new("dependencies", Action::Dependencies),
        cargo("clippy", &[&clippy, no_warnings.as_slice()].concat()),
        cargo(
            "clippy without flex",
            &[&without_flex, no_warnings.as_slice()].concat(),
        ),
        Step::new(
            "docs",
            Action::Cargo {
                arguments: owned(&[&["doc", "--no-deps"], everything.as_slice()].concat()),
                environment: vec![("RUSTDOCFLAGS", "-D warnings")],
            },
        ),
        Step::new("public items", Action::PublicItems),
    ];
    if machine.wasm {
        let page = [&["check"], OF_EMBEDDING, &["--target", WASM]].concat();
        steps.push(cargo("embedding in a web page", &page));
    }
    steps
}

fn cargo(name: &str, arguments: &[&str]) -> Step {
    let action = Action::Cargo {
        arguments: owned(arguments),
        environment: Vec::new(),
    };
    Step::new(name, action)
}

fn without_running<'a>(tests: &[&'a str]) -> Vec<&'a str> {
    [tests, &["--no-run"]].concat()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without anything that steps could be left out for.
    const BARE: Machine = Machine {
        ffmpeg: false,
        wasm: false,
    };

    fn command_lines(steps: &[Step]) -> Vec<String> {
        steps.iter().map(Step::describe).collect()
    }

    #[test]
    fn the_whole_suite_runs_once_on_each_backend() {
        let lines = command_lines(&test(BARE));

        let built: Vec<_> = lines
            .iter()
            .filter_map(|line| line.strip_suffix(" --no-run"))
            .collect();
        let [ndarray, flex] = built.as_slice() else {
            panic!("two builds expected: {lines:?}")
        };
        assert!(!ndarray.contains(ON_FLEX) && !ndarray.contains("--exclude"));
        assert!(flex.contains(ON_FLEX));
        let run: Vec<_> = lines.iter().filter(|line| line.contains(" & ")).collect();
        let [run] = run.as_slice() else {
            panic!("one step expected: {lines:?}")
        };
        let run: Vec<_> = run.split(" & ").collect();
        let everything = ["--test suite", "--lib --bins", "--tests"];
        assert_eq!(run.len(), everything.len());
        for (command, selection) in run.iter().zip(everything) {
            assert!(command.contains(selection), "{command}");
            assert_eq!(command.contains(ON_FLEX), *command == *flex, "{command}");
        }
    }

    #[test]
    fn doc_tests_run_once() {
        let lines = command_lines(&test(BARE));

        assert_eq!(
            lines.iter().filter(|line| line.contains("--doc")).count(),
            1
        );
    }

    #[test]
    fn ffmpeg_is_linted_and_tested_where_it_is_installed() {
        let (with, without) = (
            command_lines(&test(Machine {
                ffmpeg: true,
                ..BARE
            })),
            command_lines(&test(BARE)),
        );

        let uses = |lines: &[String]| lines.iter().filter(|line| line.contains("/ffmpeg")).count();
        assert_eq!((uses(&with), uses(&without)), (5, 0));
    }

    #[test]
    fn warnings_are_denied_in_code_and_in_documentation() {
        let lines = command_lines(&check(BARE));

        let clippy: Vec<_> = lines
            .iter()
            .filter(|line| line.starts_with("cargo clippy"))
            .collect();
        assert_eq!(clippy.len(), 2);
        assert!(clippy.iter().all(|line| line.ends_with("-- -D warnings")));
        assert!(clippy[0].contains("--all-targets"));
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
        assert!(lines[1].ends_with(shown) && !lines[1].contains(ON_FLEX));
        assert!(lines[2].ends_with(shown) && lines[2].contains(ON_FLEX));
    }

    #[test]
    fn on_a_gpu_libraries_and_suite_run_with_fusion_and_without() {
        let lines = command_lines(&gpu_test(GpuBackend::Wgpu, &[]));

        assert_eq!(lines.len(), 4);
        assert!(
            lines[0].contains("--lib") && lines[1].ends_with("parity gradients learned_in_parts")
        );
        assert!(
            lines
                .iter()
                .all(|line| line.contains("clover-test-backend/wgpu"))
        );
        assert!(lines[2].contains(UNFUSED) && lines[3].contains(UNFUSED));
        let on_the_cpu = command_lines(&test(BARE));
        assert!(lines.iter().all(|line| !on_the_cpu.contains(line)));
        let filtered = command_lines(&gpu_test(GpuBackend::Cuda, &["losses"]));
        assert_eq!(filtered.len(), 1);
        assert!(filtered[0].ends_with("-- --nocapture losses"));
    }

    #[test]
    fn every_optional_part_is_linted_with_flex_and_without() {
        let lines = command_lines(&check(BARE));

        for feature in OPTIONAL {
            let clippy = lines.iter().filter(|line| line.starts_with("cargo clippy"));
            assert!(
                clippy.clone().all(|line| line.contains(feature)),
                "{feature}"
            );
        }
        assert!(
            lines
                .iter()
                .any(|line| line.contains("--no-default-features"))
        );
    }
}
