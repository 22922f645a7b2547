//! The house rules that neither the compiler nor clippy knows; one file a rule.

mod backend_names;
mod circles;
mod dependencies_page;
mod dependency_table;
mod file_length;
mod file_names;
mod finding;
mod links;
mod machine_paths;
mod manifests;
mod printing;
mod source;
mod top_level;
mod unified_features;

use crate::workspace::{self, TextFile};
use anyhow::{Result, bail};
use finding::{Finding, Severity};
use std::io::Write;
use std::path::Path;

/// Checks every rule and prints each finding as `file:line: [rule] message`.
///
/// # Errors
///
/// If a rule is broken, or the workspace cannot be read.
pub(crate) fn run(root: &Path, out: &mut impl Write) -> Result<()> {
    let members = workspace::members(root)?;
    let paths = workspace::file_paths(root)?;
    let files = workspace::text_files(root, &paths)?;

    let mut findings = Vec::new();
    findings.extend(dependencies_page::check(&members, &files));
    findings.extend(dependency_table::check(&members));
    findings.extend(manifests::check(&members, &files));
    findings.extend(backend_names::check_manifests(&members));
    findings.extend(unified_features::check(root, &members)?);
    if let Some(tracked) = workspace::tracked_paths(root) {
        findings.extend(top_level::check(&tracked));
    }
    findings.extend(check_files(&files, &paths));

    report(&findings, files.len(), out)
}

/// `paths` are those of all files, text or not.
fn check_files(files: &[TextFile], paths: &[String]) -> Vec<Finding> {
    let test_modules = source::test_only_modules(files);
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut findings = circles::check(files, &test_modules);
    for file in files {
        findings.extend(links::check(file, &paths));
        findings.extend(file_names::check(file));
        findings.extend(file_length::check(file));
        findings.extend(machine_paths::check(file));
        if source::is_library_code(&file.path) && !test_modules.contains(&file.path) {
            findings.extend(backend_names::check(file));
            findings.extend(printing::check(file));
        }
    }
    findings
}

fn report(findings: &[Finding], files: usize, out: &mut impl Write) -> Result<()> {
    let failures = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Failure)
        .count();
    for finding in findings {
        writeln!(out, "{finding}")?;
    }
    let warnings = findings.len() - failures;
    writeln!(
        out,
        "tidy: {files} files, {failures} failures, {warnings} warnings"
    )?;
    if failures > 0 {
        bail!("{failures} house rules are broken");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_test_only_file_may_print_and_name_a_backend() {
        let text = "fn oracle() {\n    println!(\"{}\", NdArray::default());\n}\n";
        let files = [
            file(
                "crates/clover-losses/src/lib.rs",
                "#[cfg(test)]\nmod oracle;\n",
            ),
            file("crates/clover-losses/src/oracle.rs", text),
            file("crates/clover-losses/src/loss.rs", text),
        ];

        let paths: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
        let findings = check_files(&files, &paths);

        let places: Vec<_> = findings
            .iter()
            .map(|finding| finding.path.as_str())
            .collect();
        assert_eq!(places, ["crates/clover-losses/src/loss.rs"; 2]);
    }

    #[test]
    fn warnings_alone_are_no_error() {
        let warning = Finding::warning("file-length", "a.rs", 301, "long".to_owned());
        let failure = Finding::failure("file-names", "utils.rs", 1, "named".to_owned());

        assert!(report(&[warning], 1, &mut Vec::new()).is_ok());
        assert!(report(&[failure], 1, &mut Vec::new()).is_err());
    }
}
