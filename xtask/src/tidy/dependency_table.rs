//! Which crate may import which. An edge that is not in this table is argued for before it is added.

use super::finding::Finding;
use crate::workspace::Member;

const RULE: &str = "dependency-table";

/// Each member with the members it may depend on.
const TABLE: &[(&str, &[&str])] = &[
    ("clover-kernels", &[]),
    // Reads without executing; knows neither tensors nor annotations.
    ("clover-pickle", &[]),
    ("clover-model", &["clover-kernels", "clover-pickle"]),
    ("clover-losses", &["clover-kernels"]),
    ("clover-data", &["clover-pickle"]),
    // Gives files alone; a library gets the paths of files, whoever wrote them.
    (SYNTHETIC, &[]),
    ("clover-inference", &["clover-model", "clover-data"]),
    (
        "clover-trainer",
        &[
            "clover-model",
            "clover-losses",
            "clover-data",
            "clover-inference",
            // An optimizer's step walks every parameter: as hot as the model's own operations.
            "clover-kernels",
        ],
    ),
    (
        "clover-server",
        &[
            "clover-inference",
            "clover-data",
            // Only for the bundles of its tests and its bench.
            "clover-model",
        ],
    ),
    (
        "clover-cli",
        &[
            "clover-model",
            "clover-data",
            "clover-inference",
            "clover-trainer",
            "clover-server",
            SYNTHETIC,
            // Only to switch its backend features on.
            "clover-kernels",
        ],
    ),
    ("xtask", &[]),
    // Names the backends of tests, and switches the kernels of theirs on.
    (TEST_BACKEND, &["clover-kernels"]),
    (UNIFIED_FEATURES, &[]),
];

/// For the tests of every crate.
const TEST_BACKEND: &str = "clover-test-backend";
/// Draws the clips of the program, and of every crate's tests.
const SYNTHETIC: &str = "clover-synthetic";
/// For every crate, inside this workspace; holds no code.
const UNIFIED_FEATURES: &str = "clover-unified-features";

/// The one package that may test every crate together.
const TESTS: &str = "clover-tests";

pub(crate) fn check(members: &[Member]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in members {
        let Member { name, manifest, .. } = member;
        if name == TESTS {
            continue;
        }
        let Some((_, allowed)) = TABLE.iter().find(|(package, _)| package == name) else {
            let message = format!("{name} is not in the dependency table");
            findings.push(Finding::failure(RULE, manifest, 1, message));
            continue;
        };
        // A development dependency may repeat an edge, to switch features on, but add none.
        for dependency in &member.dependencies {
            let to = dependency.name.as_str();
            let for_tests = dependency.development && [TEST_BACKEND, SYNTHETIC].contains(&to);
            let for_all = to == UNIFIED_FEATURES || for_tests;
            if dependency.internal && !for_all && !allowed.contains(&to) {
                let message = format!("{name} must not import {to}");
                findings.push(Finding::failure(RULE, manifest, 1, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn member(name: &str, dependencies: &[(&str, bool)]) -> Member {
        let dependencies = dependencies.iter().map(|&(name, development)| Dependency {
            name: name.to_owned(),
            development,
            internal: name.starts_with("clover-"),
            features: Vec::new(),
        });
        Member {
            name: name.to_owned(),
            manifest: format!("crates/{name}/Cargo.toml"),
            license: None,
            dependencies: dependencies.collect(),
        }
    }

    #[test]
    fn an_edge_outside_the_table_is_named() {
        let members = [member(
            "clover-losses",
            &[("clover-model", false), ("burn", false)],
        )];

        let findings = check(&members);

        assert_eq!(findings.len(), 1);
        assert_eq!(
            findings[0].message,
            "clover-losses must not import clover-model"
        );
        assert_eq!(findings[0].path, "crates/clover-losses/Cargo.toml");
    }

    #[test]
    fn a_development_dependency_may_repeat_an_edge_but_add_none() {
        let repeated = member("clover-model", &[("clover-kernels", true)]);
        let added = member("clover-model", &[("clover-data", true)]);

        assert!(check(&[repeated]).is_empty());
        assert_eq!(check(&[added]).len(), 1);
    }

    #[test]
    fn the_backend_and_the_clips_of_tests_are_for_tests_alone() {
        let tests = [(TEST_BACKEND, true), (SYNTHETIC, true)];
        let tests = member(
            "clover-data",
            &[&tests[..], &[(UNIFIED_FEATURES, false)]].concat(),
        );
        let library = member("clover-data", &[(TEST_BACKEND, false), (SYNTHETIC, false)]);

        assert!(check(&[tests]).is_empty());
        assert_eq!(check(&[library]).len(), 2);
    }

    #[test]
    fn the_tests_package_may_import_everything() {
        let tests = member(TESTS, &[("clover-kernels", true), ("clover-trainer", true)]);

        assert!(check(&[tests]).is_empty());
    }

    #[test]
    fn a_member_without_a_row_is_reported() {
        let findings = check(&[member("clover-extras", &[])]);

        assert_eq!(
            findings[0].message,
            "clover-extras is not in the dependency table"
        );
    }
}
