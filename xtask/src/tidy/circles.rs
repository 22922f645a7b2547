//! Folders of one crate that import each other in a circle cannot be read one after the other.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use super::source::{code_lines, is_library_code, words};
use crate::workspace::TextFile;

const RULE: &str = "circles";

/// A folder straight under a crate's `src`: the crate and its name.
type Folder<'f> = (&'f str, &'f str);

/// Where a folder names another one first: path and line.
type Imports<'f> = BTreeMap<Folder<'f>, BTreeMap<Folder<'f>, (&'f str, usize)>>;

/// Checks the folders of each crate; files that are compiled for tests alone are left out.
pub(crate) fn check(files: &[TextFile], test_modules: &BTreeSet<String>) -> Vec<Finding> {
    let code: Vec<&TextFile> = files
        .iter()
        .filter(|file| is_library_code(&file.path) && !test_modules.contains(&file.path))
        .collect();
    let folders: BTreeSet<Folder<'_>> = code.iter().filter_map(|file| folder(&file.path)).collect();
    let mut imports = Imports::new();
    for file in code {
        let Some(own) = folder(&file.path) else {
            continue;
        };
        for (line, name) in named(&file.text) {
            let other = (own.0, name);
            if let Some(&other) = folders.get(&other).filter(|other| **other != own) {
                let named = imports.entry(own).or_default();
                named.entry(other).or_insert((&file.path, line));
            }
        }
    }
    let in_circle = folders
        .iter()
        .filter(|folder| leads_to(&imports, folder, folder));
    let findings = in_circle.flat_map(|folder| {
        let imported = imports.get(folder).into_iter().flatten();
        let back = imported.filter(|(other, _)| leads_to(&imports, other, folder));
        back.map(|((_, other), (path, line))| {
            let message = format!("{} imports {other}, and {other} leads back to it", folder.1);
            Finding::failure(RULE, path, *line, message)
        })
    });
    findings.collect()
}

/// The folder straight under `src` that a file lies in, if it lies in one.
fn folder(path: &str) -> Option<Folder<'_>> {
    let (crate_name, below) = path.strip_prefix("crates/")?.split_once("/src/")?;
    Some((crate_name, below.split_once('/')?.0))
}

/// The modules of its own crate that a file names, and where: `crate::a`, `crate::{a, b::c}`.
fn named(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    // How many braces of a `crate::{..}` are open.
    let mut depth = 0_usize;
    for (number, line) in code_lines(text) {
        let mut rest = line;
        while !rest.is_empty() {
            if depth == 0 {
                let Some((_, behind)) = rest.split_once("crate::") else {
                    break;
                };
                match behind.strip_prefix('{') {
                    Some(group) => (depth, rest) = (1, group),
                    None => {
                        found.extend(words(behind).next().map(|name| (number, name)));
                        rest = behind;
                    }
                }
                continue;
            }
            // Of the group's own level, the word that each comma or the brace begins with.
            let end = rest.find(['{', '}', ',']).unwrap_or(rest.len());
            let (item, behind) = rest.split_at(end);
            if depth == 1 {
                let name = words(item.trim_start()).next();
                found.extend(
                    name.filter(|name| !name.is_empty())
                        .map(|name| (number, name)),
                );
            }
            depth = match behind.as_bytes().first() {
                Some(b'{') => depth + 1,
                Some(b'}') => depth - 1,
                _ => depth,
            };
            rest = behind.get(1..).unwrap_or_default();
        }
    }
    found
}

/// Whether a folder imports another one, itself or through others.
fn leads_to(imports: &Imports<'_>, from: &Folder<'_>, to: &Folder<'_>) -> bool {
    let mut seen = BTreeSet::new();
    let mut pending = vec![*from];
    while let Some(folder) = pending.pop() {
        for next in imports.get(&folder).into_iter().flat_map(BTreeMap::keys) {
            if next == to {
                return true;
            }
            if seen.insert(*next) {
                pending.push(*next);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<TextFile> = files
            .iter()
            .map(|&(path, text)| TextFile {
                path: path.to_owned(),
                text: text.to_owned(),
            })
            .collect();
        let findings = check(&files, &BTreeSet::new());
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn folders_that_lead_back_to_themselves_are_named() {
        let found = messages(&[
            (
                "crates/a/src/run/mod.rs",
                "use crate::{Error, task::Task};\n",
            ),
            ("crates/a/src/task/mod.rs", "\nuse crate::report::page;\n"),
            (
                "crates/a/src/report/mod.rs",
                "use crate::{\n    one,\n    run::Run,\n};\n",
            ),
            ("crates/a/src/one/mod.rs", "fn nothing() {}\n"),
        ]);

        assert_eq!(
            found,
            [
                "crates/a/src/report/mod.rs:3: [circles] report imports run, and run leads back to it",
                "crates/a/src/run/mod.rs:1: [circles] run imports task, and task leads back to it",
                "crates/a/src/task/mod.rs:2: [circles] task imports report, and report leads back to it",
            ]
        );
    }

    #[test]
    fn files_other_crates_tests_and_comments_make_no_circle() {
        let found = messages(&[
            ("crates/a/src/run/mod.rs", "use crate::task::Task;\n"),
            (
                "crates/a/src/task/mod.rs",
                "// crate::run\n#[cfg(test)]\nmod tests {\n    use crate::run::Run;\n}\n",
            ),
            ("crates/b/src/task/mod.rs", "use crate::run::Run;\n"),
            (
                "crates/b/src/run/mod.rs",
                "use crate::{error::{run, task}, one};\n",
            ),
            ("crates/a/src/error.rs", "use crate::run::Run;\n"),
        ]);

        assert_eq!(found, Vec::<String>::new());
    }
}
