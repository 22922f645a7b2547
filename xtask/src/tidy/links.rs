//! A code map that names a file which is not there is worse than none.

use super::finding::Finding;
use crate::workspace::TextFile;

const RULE: &str = "links";

/// Checks the relative links of a page against the files there are.
pub(crate) fn check(page: &TextFile, paths: &[&str]) -> Vec<Finding> {
    if !page.path.ends_with(".md") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        for link in relative_links(line) {
            let target = resolve(&page.path, link);
            let folder = format!("{target}/");
            let found = |path: &&str| **path == target || path.starts_with(&folder);
            if !target.is_empty() && !paths.iter().any(found) {
                let message = format!("the link to {link} leads nowhere");
                findings.push(Finding::failure(RULE, &page.path, index + 1, message));
            }
        }
    }
    findings
}

/// The targets of the links in a line, without addresses and without places in the same page.
fn relative_links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let (target, _) = rest.split_once(')')?;
        let (path, _) = target.split_once('#').unwrap_or((target, ""));
        (!path.is_empty() && !path.contains("://")).then_some(path)
    })
}

/// The link as seen from the workspace root; empty for the root itself.
fn resolve(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: &[&str] = &["README.md", "crates/README.md", "crates/a/src/lib.rs"];

    fn messages(path: &str, text: &str) -> Vec<String> {
        let page = TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let findings = check(&page, PATHS);
        findings
            .into_iter()
            .map(|finding| finding.to_string())
            .collect()
    }

    #[test]
    fn a_dead_link_is_named_with_its_line() {
        let text = "one\n[here](a/src/lib.rs), [gone](a/src/gone.rs)\n";

        assert_eq!(
            messages("crates/README.md", text),
            ["crates/README.md:2: [links] the link to a/src/gone.rs leads nowhere"]
        );
    }

    #[test]
    fn folders_parents_addresses_and_places_are_understood() {
        let text =
            "[a](a/src) [b](../README.md#use) [c](https://example.org/x) [d](#below) [e](..)";

        assert!(messages("crates/README.md", text).is_empty());
    }
}
