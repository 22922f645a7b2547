//! Libraries are generic over the backend: programs, tests and benches choose one.
//!
//! `clover-kernels` is the exception; it holds what is specialised per backend.

use super::finding::Finding;
use super::source;
use crate::workspace::{Member, TextFile};

const RULE: &str = "backend-names";
const BACKEND_CRATES: &[&str] = &["burn-cuda", "burn-flex", "burn-ndarray", "burn-wgpu"];
const BACKEND_TYPES: &[&str] = &["NdArray", "Flex", "Cuda", "Wgpu"];
const BACKEND_FEATURES: &[&str] = &["cuda", "flex", "ndarray", "vulkan", "metal", "wgpu"];

/// May name backends: the specialised kernels, the program, the tests.
const EXEMPT: &[&str] = &[
    "clover-kernels",
    "clover-cli",
    "clover-tests",
    "clover-test-backend",
];

pub(crate) fn check(file: &TextFile) -> Vec<Finding> {
    if EXEMPT
        .iter()
        .any(|package| file.path.starts_with(&format!("crates/{package}/")))
    {
        return Vec::new();
    }
    source::code_lines(&file.text)
        .into_iter()
        .filter_map(|(line, code)| {
            let name = source::words(code).find(|word| is_backend(word))?;
            let message = format!("`{name}` in a library: be generic over the backend");
            Some(Finding::failure(RULE, &file.path, line, message))
        })
        .collect()
}

fn is_backend(word: &str) -> bool {
    let crate_name = word.replace('_', "-");
    let type_name = word.strip_suffix("Device").unwrap_or(word);
    BACKEND_CRATES.contains(&crate_name.as_str()) || BACKEND_TYPES.contains(&type_name)
}

/// A library neither depends on a backend nor enables one in `burn`, except for its own tests.
pub(crate) fn check_manifests(members: &[Member]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in members
        .iter()
        .filter(|member| !EXEMPT.contains(&member.name.as_str()))
    {
        for dependency in member
            .dependencies
            .iter()
            .filter(|dependency| !dependency.development)
        {
            let name = &dependency.name;
            if BACKEND_CRATES.contains(&name.as_str()) {
                let message = format!("{} depends on the backend {name}", member.name);
                findings.push(Finding::failure(RULE, &member.manifest, 1, message));
            }
            let enabled = dependency.features.iter();
            let mut enabled = enabled.filter(|word| BACKEND_FEATURES.contains(&word.as_str()));
            if let Some(feature) = enabled.next().filter(|_| name == "burn") {
                let message = format!("{} enables burn's backend `{feature}`", member.name);
                findings.push(Finding::failure(RULE, &member.manifest, 1, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn lines_reported(package: &str, text: &str) -> Vec<usize> {
        let file = TextFile {
            path: format!("crates/{package}/src/lib.rs"),
            text: text.to_owned(),
        };
        check(&file).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_backend_in_library_code_is_reported_with_its_line() {
        let text = "use burn::prelude::*;\ntype Device = burn_ndarray::NdArrayDevice;\n";

        assert_eq!(lines_reported("clover-model", text), [2]);
        assert_eq!(lines_reported("clover-kernels", text), [0; 0]);
    }

    #[test]
    fn the_test_alias_and_the_documentation_may_name_one() {
        let text = "\
//! Runs on `burn_flex::Flex`.
#[cfg(test)]
pub(crate) type TestBackend = burn_ndarray::NdArray<f32>;
fn flexible() -> Flexible {}
#[cfg(test)]
mod tests {
    type B = Flex;
}
";

        assert!(lines_reported("clover-model", text).is_empty());
    }

    #[test]
    fn a_library_manifest_chooses_no_backend() {
        let dependency = |name: &str, feature: &str, development| Dependency {
            name: name.to_owned(),
            development,
            internal: false,
            features: vec![feature.to_owned()],
        };
        let member = Member {
            name: "clover-losses".to_owned(),
            manifest: "crates/clover-losses/Cargo.toml".to_owned(),
            license: None,
            dependencies: vec![
                dependency("burn", "ndarray", false),
                dependency("burn-flex", "std", false),
                dependency("burn-ndarray", "std", true),
            ],
        };

        let findings = check_manifests(&[member]);

        let messages: Vec<_> = findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(
            messages,
            [
                "clover-losses enables burn's backend `ndarray`",
                "clover-losses depends on the backend burn-flex"
            ]
        );
    }
}
