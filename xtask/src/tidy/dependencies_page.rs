//! Every direct dependency stands on one page, with what it does and why it was chosen.

use std::collections::BTreeSet;

use super::finding::Finding;
use crate::workspace::{Member, TextFile};

const RULE: &str = "dependencies-page";
const PAGE: &str = "crates/DEPENDENCIES.md";
/// Repeats what others depend on.
const UNIFIED_FEATURES: &str = "clover-unified-features";

pub(crate) fn check(members: &[Member], files: &[TextFile]) -> Vec<Finding> {
    let page = files.iter().find(|file| file.path == PAGE);
    let listed = page.map(|page| listed(&page.text)).unwrap_or_default();
    let used: BTreeSet<&str> = members
        .iter()
        .filter(|member| member.name != UNIFIED_FEATURES)
        .flat_map(|member| &member.dependencies)
        .filter(|dependency| !dependency.internal)
        .map(|dependency| dependency.name.as_str())
        .collect();
    let missing = used.difference(&listed).map(|name| {
        let message = format!("`{name}` is missing: what does it do, and why this crate?");
        Finding::failure(RULE, PAGE, 1, message)
    });
    let unused = listed
        .difference(&used)
        .map(|name| Finding::failure(RULE, PAGE, 1, format!("nothing depends on `{name}`")));
    missing.chain(unused).collect()
}

/// The names in the first column of the page's tables.
fn listed(page: &str) -> BTreeSet<&str> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| row.split(" |").next())
        .flat_map(|cell| cell.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    #[test]
    fn what_is_missing_and_what_is_unused_is_named() {
        let dependency = |name: &str| Dependency {
            name: name.to_owned(),
            development: false,
            internal: false,
            features: Vec::new(),
        };
        let member = Member {
            name: "clover-data".to_owned(),
            manifest: "crates/clover-data/Cargo.toml".to_owned(),
            license: None,
            dependencies: vec![dependency("csv"), dependency("tar")],
        };
        let page = TextFile {
            path: PAGE.to_owned(),
            text: "| crate | does |\n|---|---|\n| `csv`, `zip` | lists |\n".to_owned(),
        };

        let findings = check(&[member], &[page]);

        let messages: Vec<_> = findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(messages.len(), 2);
        assert!(messages[0].contains("`tar`") && messages[1].contains("`zip`"));
    }
}
