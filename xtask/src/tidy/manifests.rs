//! Every member carries the workspace's licence and inherits its lints.

use super::finding::Finding;
use crate::workspace::{Member, TextFile};

const RULE: &str = "manifests";
const LICENSE: &str = "Apache-2.0";

pub(crate) fn check(members: &[Member], files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in members {
        let Member { name, manifest, .. } = member;
        if member.license.as_deref() != Some(LICENSE) {
            let message = format!("{name} has no license field equal to {LICENSE}");
            findings.push(Finding::failure(RULE, manifest, 1, message));
        }
        let text = files.iter().find(|file| &file.path == manifest);
        if !text.is_some_and(|file| inherits_lints(&file.text)) {
            let message = format!("{name} does not inherit the lints: [lints] workspace = true");
            findings.push(Finding::failure(RULE, manifest, 1, message));
        }
    }
    findings
}

fn inherits_lints(manifest: &str) -> bool {
    let mut section = "";
    manifest.lines().map(str::trim).any(|line| {
        if line.starts_with('[') {
            section = line;
        }
        let compact = line.replace(' ', "");
        section == "[lints]" && compact == "workspace=true"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(license: Option<&str>, manifest: &str) -> Vec<Finding> {
        let path = "crates/clover-model/Cargo.toml";
        let member = Member {
            name: "clover-model".to_owned(),
            manifest: path.to_owned(),
            license: license.map(str::to_owned),
            dependencies: Vec::new(),
        };
        let file = TextFile {
            path: path.to_owned(),
            text: manifest.to_owned(),
        };
        check(&[member], &[file])
    }

    #[test]
    fn a_complete_manifest_passes() {
        let manifest = "[package]\nname = \"clover-model\"\n\n[lints]\nworkspace = true\n";

        assert!(check_one(Some("Apache-2.0"), manifest).is_empty());
    }

    #[test]
    fn another_or_no_licence_fails() {
        let manifest = "[lints]\nworkspace = true\n";

        assert_eq!(check_one(Some("MIT"), manifest).len(), 1);
        assert_eq!(check_one(None, manifest).len(), 1);
    }

    #[test]
    fn inheritance_of_something_else_does_not_count_as_lints() {
        let manifest = "[lints]\n\n[dependencies.burn]\nworkspace = true\n";

        assert_eq!(check_one(Some("Apache-2.0"), manifest).len(), 1);
    }
}
