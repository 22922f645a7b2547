//! The top level of the repository is fixed.

use super::finding::Finding;
use std::collections::BTreeSet;

const RULE: &str = "top-level";
const ALLOWED: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE",
    "README.md",
    "crates",
    "tests",
    "xtask",
];

pub(crate) fn check(tracked: &[String]) -> Vec<Finding> {
    let entries: BTreeSet<&str> = tracked
        .iter()
        .filter_map(|path| path.split('/').next())
        .filter(|entry| !entry.starts_with('.') && !ALLOWED.contains(entry))
        .collect();
    entries
        .into_iter()
        .map(|entry| {
            let message = "does not belong at the top level".to_owned();
            Finding::failure(RULE, entry, 1, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_folder_is_reported_once() {
        let tracked = [
            "README.md",
            ".ci/run",
            "docs/a.md",
            "docs/b.md",
            "tests/suite/main.rs",
        ];

        let findings = check(&tracked.map(str::to_owned));

        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].path, "docs");
    }
}
