//! The public items of each library, in a file beside it: what a change adds to or takes from a
//! crate's interface is seen in review.
//!
//! They are read from the index that rustdoc writes, so the documentation comes first.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::workspace::{cargo_output, members};

/// Beside the manifest of each library.
const FILE: &str = "public-items.txt";
/// Where the libraries lie.
const LIBRARIES: &str = "crates/";

/// Compares each library's items with its file.
///
/// # Errors
///
/// A file differs, or the documentation is not there.
pub(crate) fn check(root: &Path, out: &mut impl Write) -> Result<()> {
    let mut differing = Vec::new();
    for (file, items) in lists(root)? {
        let written = fs::read_to_string(&file).unwrap_or_default();
        if written == items {
            continue;
        }
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (old, new) = (lines(&written), lines(&items));
        for gone in old.iter().filter(|line| !new.contains(line)) {
            writeln!(out, "{}: - {gone}", file.display())?;
        }
        for added in new.iter().filter(|line| !old.contains(line)) {
            writeln!(out, "{}: + {added}", file.display())?;
        }
        differing.push(file.display().to_string());
    }
    ensure!(
        differing.is_empty(),
        "public items differ from {}; `cargo xtask public-items` writes them",
        differing.join(", ")
    );
    Ok(())
}

/// Writes each library's items to its file.
///
/// # Errors
///
/// A file cannot be written, or the documentation is not there.
pub(crate) fn write(root: &Path) -> Result<()> {
    for (file, items) in lists(root)? {
        fs::write(&file, items).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// The file of each library, and what it is to hold.
fn lists(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let metadata = cargo_output(root, &["metadata", "--no-deps", "--format-version", "1"])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let target = metadata["target_directory"].as_str();
    let documentation = Path::new(target.context("cargo names no target folder")?).join("doc");
    let mut lists = Vec::new();
    for member in members(root)? {
        let Some(folder) = member.manifest.strip_suffix("Cargo.toml") else {
            continue;
        };
        let folder = root.join(folder);
        if !member.manifest.starts_with(LIBRARIES) || !folder.join("src/lib.rs").exists() {
            continue;
        }
        let index = documentation
            .join(member.name.replace('-', "_"))
            .join("all.html");
        let page = fs::read_to_string(&index)
            .with_context(|| format!("{}: run `cargo xtask check` first", index.display()))?;
        lists.push((folder.join(FILE), items(&page)));
    }
    Ok(lists)
}

/// `kind path` of each item in the index, one a line.
fn items(page: &str) -> String {
    let links = page.split("<li><a href=\"").skip(1);
    let mut items: Vec<String> = links.filter_map(item).collect();
    items.sort();
    items.dedup();
    items.into_iter().map(|item| item + "\n").collect()
}

/// Of `module/kind.Name.html">module::Name</a>`.
fn item(link: &str) -> Option<String> {
    let (address, rest) = link.split_once("\">")?;
    let (path, _) = rest.split_once("</a>")?;
    let page = address.rsplit('/').next()?;
    let (kind, name) = page.strip_suffix(".html")?.split_once('.')?;
    path.ends_with(name).then(|| format!("{kind} {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_from_the_index_and_other_links_are_not() {
        let page = "<li><a href=\"#structs\">Structs</a></li>\
            <ul class=\"all-items\"><li><a href=\"portable/fn.gelu.html\">portable::gelu</a></li>\
            <li><a href=\"struct.Noise.html\">Noise</a></li></ul>";

        assert_eq!(items(page), "fn portable::gelu\nstruct Noise\n");
    }
}
