//! Every selection of packages builds the shared dependencies with the same features, so that none
//! of them is built twice. `xtask/unified-features/Cargo.toml` holds what it takes.

use super::finding::Finding;
use crate::workspace::{self, Member};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const RULE: &str = "unified-features";
const MANIFEST: &str = "xtask/unified-features/Cargo.toml";

/// Optional features of the program that add crates, and must not change those that are there.
/// The GPU backends and the dashboard are not among them: they turn on features of Burn itself that
/// bring more crates, which no other build should pay for.
const OPTIONAL: &str = "collective,fetch,ffmpeg,ndarray";

/// The dependencies of a selection: the feature sets each of them is built with. There are several
/// where it is built for procedural macros or build scripts too.
type Features = BTreeMap<String, BTreeSet<String>>;

/// Compares the other selections with the one that the tests are built from.
///
/// # Errors
///
/// If cargo fails.
pub(crate) fn check(root: &Path, members: &[Member]) -> Result<Vec<Finding>> {
    let everything = dependencies(root, &["--workspace"])?;
    let mut findings = Vec::new();
    for selection in selections(members) {
        let words: Vec<&str> = selection.split(' ').collect();
        findings.extend(compare(
            &everything,
            &selection,
            &dependencies(root, &words)?,
        ));
    }
    Ok(findings)
}

fn selections(members: &[Member]) -> Vec<String> {
    let packages = members
        .iter()
        .map(|member| format!("--package {}", member.name));
    let with_tests = packages.clone();
    // What `cargo build` and `cargo run` build.
    let without_tests = packages.map(|package| format!("{package} --edges normal,build"));
    let optional = format!("--package clover-cli --features {OPTIONAL}");
    with_tests.chain(without_tests).chain([optional]).collect()
}

fn dependencies(root: &Path, selection: &[&str]) -> Result<Features> {
    let arguments = ["tree", "--prefix", "none", "--format", "{p}|{f}"];
    let tree = workspace::cargo_output(root, &[&arguments, selection].concat())?;
    Ok(features_in(&tree))
}

/// Reads lines such as `serde v1.0.0|default,std`; the members themselves, which have a path, are
/// left out.
fn features_in(tree: &str) -> Features {
    let mut found = Features::new();
    for line in tree.lines() {
        let line = line.trim_end_matches(" (*)");
        let Some((package, features)) = line.split_once('|') else {
            continue;
        };
        let package = package.trim_end_matches(" (proc-macro)");
        if !package.contains('(') {
            let sets = found.entry(package.to_owned()).or_default();
            sets.insert(features.to_owned());
        }
    }
    found
}

fn compare(everything: &Features, selection: &str, found: &Features) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (package, sets) in found {
        let Some(known) = everything.get(package) else {
            continue;
        };
        for features in sets.difference(known) {
            let message = format!(
                "{package} is built again for `{selection}`, with the features [{features}] in \
                 the place of {known:?}"
            );
            findings.push(Finding::failure(RULE, MANIFEST, 1, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYTHING: &str = "\
clover-model v0.1.0 (/w/crates/clover-model)|default
serde v1.0.1|default,std
serde_derive v1.0.1 (proc-macro)|default
serde v1.0.1|default,std (*)
libc v0.2.0|std
libc v0.2.0|
";

    #[test]
    fn a_dependency_with_other_features_is_named_with_its_selection() {
        let everything = features_in(EVERYTHING);
        let found = features_in("serde v1.0.1|std\nlibc v0.2.0|\n");

        let findings = compare(&everything, "--package clover-model", &found);

        let [finding] = findings.as_slice() else {
            panic!("one finding expected: {findings:?}")
        };
        let named = ["serde v1.0.1", "--package clover-model", "[std]"];
        assert!(named.iter().all(|word| finding.message.contains(word)));
    }

    #[test]
    fn members_and_crates_of_one_selection_alone_are_left_out() {
        let everything = features_in(EVERYTHING);
        let found = features_in("clover-model v0.1.0 (/w/crates/clover-model)|\ntokio v1.0.0|rt\n");

        assert!(compare(&everything, "--package clover-model", &found).is_empty());
        assert_eq!(everything.len(), 3);
    }
}
