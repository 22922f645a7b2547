//! Telling code from tests and comments, line by line.
//!
//! This is no parser: it relies on the formatting that rustfmt gives every file.

use crate::workspace::TextFile;
use std::collections::BTreeSet;

/// Whether a path is source of a crate under `crates/`: benches and examples are not.
pub(crate) fn is_library_code(path: &str) -> bool {
    let mut parts = path.split('/');
    path.ends_with(".rs") && parts.next() == Some("crates") && parts.nth(1) == Some("src")
}

/// The words (identifiers and numbers) of a line.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|symbol: char| !symbol.is_alphanumeric() && symbol != '_')
}

/// The lines of a file, numbered from one, without comments and without items compiled for tests.
pub(crate) fn code_lines(text: &str) -> Vec<(usize, &str)> {
    let mut kept = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if is_test_attribute(line) {
            skip_item(indentation(line), lines.by_ref().map(|(_, line)| line));
            continue;
        }
        let code = without_comment(line);
        if !code.trim().is_empty() {
            kept.push((index + 1, code));
        }
    }
    kept
}

/// The files, and all below them, that a `#[cfg(test)] mod name;` declares.
pub(crate) fn test_only_modules(files: &[TextFile]) -> BTreeSet<String> {
    let mut modules = Vec::new();
    for file in files.iter().filter(|file| is_library_code(&file.path)) {
        let mut lines = file.text.lines();
        while let Some(line) = lines.next() {
            let declared = || declared_module(lines.clone().find(|line| !is_attribute(line))?);
            if let Some(name) = is_test_attribute(line).then(declared).flatten() {
                modules.push(format!("{}/{name}", module_folder(&file.path)));
            }
        }
    }
    let paths = files.iter().map(|file| &file.path);
    let is_test = |path: &&String| {
        let mut bases = modules.iter();
        bases.any(|base| {
            path.strip_prefix(base.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        })
    };
    paths.filter(is_test).cloned().collect()
}

fn is_attribute(line: &str) -> bool {
    line.trim_start().starts_with("#[")
}

fn is_test_attribute(line: &str) -> bool {
    let line = line.trim_start();
    ["#[cfg(test)]", "#[cfg(all(test"]
        .iter()
        .any(|start| line.starts_with(start))
}

/// Consumes the item that follows an attribute: up to its `;`, or to the brace that closes it.
fn skip_item<'a>(indent: usize, lines: impl Iterator<Item = &'a str>) {
    let mut braced = false;
    for line in lines {
        if is_attribute(line) {
            continue;
        }
        let code = without_comment(line).trim_end();
        let one_line = !braced && (code.ends_with(';') || code.ends_with('}'));
        let closes = braced && indentation(line) == indent && code.trim_start().starts_with('}');
        braced |= code.contains('{');
        if one_line || closes {
            break;
        }
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        return "";
    }
    line.split_once(" //").map_or(line, |(code, _)| code)
}

/// The name in `mod name;`, whatever its visibility.
fn declared_module(line: &str) -> Option<&str> {
    let declaration = line.trim().strip_suffix(';')?;
    let (visibility, name) = declaration.rsplit_once(' ')?;
    (visibility.split(' ').next_back() == Some("mod")).then_some(name)
}

/// The folder in which a file's submodules lie.
fn module_folder(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    match stem.rsplit_once('/') {
        Some((folder, "lib" | "main" | "mod")) => folder,
        _ => stem,
    }
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
    fn test_items_are_skipped_and_what_follows_them_is_kept() {
        let text = "\
use a;
#[cfg(test)]
use b::{
    c,
};
#[cfg(all(test, feature = \"x\"))]
pub(crate) type T =
    D;
#[cfg(test)]
#[expect(dead_code, reason = \"shown\")]
fn e(
    f: G,
) -> H {
    if i {
    }
}
fn j() {} // k
#[cfg(test)]
mod tests {
    fn l() {}
}
fn m() {}
";

        let kept = code_lines(text);

        assert_eq!(kept, [(1, "use a;"), (17, "fn j() {}"), (22, "fn m() {}")]);
    }

    #[test]
    fn modules_declared_for_tests_are_found_with_their_children() {
        let files = [
            file(
                "crates/a/src/lib.rs",
                "#[cfg(test)]\npub(crate) mod oracle;\nmod loss;\n",
            ),
            file("crates/a/src/loss.rs", "#[cfg(test)]\nmod tests;\n"),
            file("crates/a/src/loss/tests.rs", ""),
            file("crates/a/src/oracle/mod.rs", ""),
            file("crates/a/src/oracles.rs", ""),
        ];

        let found: Vec<String> = test_only_modules(&files).into_iter().collect();

        assert_eq!(
            found,
            ["crates/a/src/loss/tests.rs", "crates/a/src/oracle/mod.rs"]
        );
    }

    #[test]
    fn only_source_folders_hold_library_code() {
        assert!(is_library_code("crates/clover-model/src/heads/mlm.rs"));
        assert!(!is_library_code("crates/clover-model/benches/block.rs"));
        assert!(!is_library_code("xtask/src/main.rs"));
    }
}
