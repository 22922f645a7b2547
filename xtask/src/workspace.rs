//! The workspace as the rules see it: its members from `cargo metadata`, its files from git.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Relative to the workspace root, with forward slashes.
    pub(crate) manifest: String,
    pub(crate) license: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency entry of a manifest.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) development: bool,
    /// Whether it lies in this workspace.
    pub(crate) internal: bool,
    pub(crate) features: Vec<String>,
}

/// A text file of the workspace.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// Relative to the workspace root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The workspace root, from where cargo found this package.
///
/// # Errors
///
/// If the package does not lie in a folder.
pub(crate) fn root() -> Result<PathBuf> {
    // The folder at run time comes first: build folders are shared between checkouts and moved.
    let package = std::env::var_os("CARGO_MANIFEST_DIR");
    let package = package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package).parent().map(Path::to_path_buf);
    root.context("xtask lies in no workspace")
}

/// Asks cargo for the members.
///
/// # Errors
///
/// If cargo fails or answers in another form.
pub(crate) fn members(root: &Path) -> Result<Vec<Member>> {
    let arguments = ["metadata", "--no-deps", "--format-version", "1"];
    members_from(&cargo_output(root, &arguments)?)
}

/// The cargo that started this program, so that a chosen toolchain stays chosen, with these arguments
/// in the folder.
pub(crate) fn cargo(root: &Path, arguments: &[impl AsRef<OsStr>]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root);
    command
}

/// What cargo prints.
///
/// # Errors
///
/// If cargo fails; its own message is passed on.
pub(crate) fn cargo_output(root: &Path, arguments: &[&str]) -> Result<String> {
    let command = format!("cargo {}", arguments.join(" "));
    let output = cargo(root, arguments)
        .output()
        .with_context(|| format!("`{command}` could not be started"))?;
    ensure!(
        output.status.success(),
        "`{command}` failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).with_context(|| format!("`{command}` printed no text"))
}

fn members_from(metadata: &str) -> Result<Vec<Member>> {
    let metadata: Value = serde_json::from_str(metadata).context("cargo metadata is not json")?;
    let root = text(&metadata, "workspace_root")?;
    list(&metadata, "packages")?
        .iter()
        .map(|package| {
            let manifest = text(package, "manifest_path")?;
            Ok(Member {
                name: text(package, "name")?,
                manifest: manifest
                    .strip_prefix(&root)
                    .unwrap_or(&manifest)
                    .replace('\\', "/")
                    .trim_start_matches('/')
                    .to_owned(),
                license: text(package, "license").ok(),
                dependencies: list(package, "dependencies")?
                    .iter()
                    .map(dependency_from)
                    .collect::<Result<_>>()?,
            })
        })
        .collect()
}

fn dependency_from(value: &Value) -> Result<Dependency> {
    let features = list(value, "features")?.iter().filter_map(Value::as_str);
    Ok(Dependency {
        name: text(value, "name")?,
        development: value["kind"] == "dev",
        internal: value["path"].is_string(),
        features: features.map(str::to_owned).collect(),
    })
}

fn text(value: &Value, key: &str) -> Result<String> {
    let found = value[key].as_str().map(str::to_owned);
    found.with_context(|| format!("cargo metadata has no text `{key}`"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    let found = value[key].as_array();
    found.with_context(|| format!("cargo metadata has no list `{key}`"))
}

/// The paths git tracks, or nothing where the tree is no git checkout.
pub(crate) fn tracked_paths(root: &Path) -> Option<Vec<String>> {
    git_paths(root, &["ls-files", "-z"])
}

/// The paths of every file that is tracked or could be added: what git ignores is left out.
///
/// # Errors
///
/// If a folder or file cannot be read.
pub(crate) fn file_paths(root: &Path) -> Result<Vec<String>> {
    let known = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let mut paths = match git_paths(root, &known) {
        Some(paths) => paths,
        None => walk(root)?,
    };
    paths.sort();
    paths.dedup();
    // Git still lists a deleted file until the deletion is staged.
    paths.retain(|path| root.join(path).is_file());
    Ok(paths)
}

/// Reads those of the files that hold text.
///
/// # Errors
///
/// If a file cannot be read.
pub(crate) fn text_files(root: &Path, paths: &[String]) -> Result<Vec<TextFile>> {
    let mut files = Vec::new();
    for path in paths {
        let full = root.join(path);
        let bytes = std::fs::read(&full).with_context(|| format!("{path} cannot be read"))?;
        if let Some(text) = String::from_utf8(bytes)
            .ok()
            .filter(|text| !text.contains('\0'))
        {
            files.push(TextFile {
                path: path.clone(),
                text,
            });
        }
    }
    Ok(files)
}

fn git_paths(root: &Path, arguments: &[&str]) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .output()
        .ok()?;
    let listing = output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout))?
        .ok()?;
    let paths = listing.split('\0').filter(|path| !path.is_empty());
    Some(paths.map(str::to_owned).collect())
}

/// The fallback for an unpacked archive: everything but build output and git's own folder.
fn walk(root: &Path) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut pending = vec![String::new()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            match entry.file_type()?.is_dir() {
                true if ["target", "runs", ".git"].contains(&path.as_str()) => {}
                true => pending.push(path),
                false => paths.push(path),
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_from_metadata() {
        let metadata = r#"{"workspace_root": "/w", "packages": [{
            "name": "clover-model", "manifest_path": "/w/crates/clover-model/Cargo.toml",
            "license": "Apache-2.0",
            "dependencies": [
                {"name": "clover-kernels", "kind": "dev", "path": "/w/crates/clover-kernels",
                 "features": ["flex"]},
                {"name": "burn", "kind": null, "features": []}
            ]}]}"#;

        let members = members_from(metadata).unwrap();

        let [member] = members.as_slice() else {
            panic!("one member expected")
        };
        assert_eq!(member.manifest, "crates/clover-model/Cargo.toml");
        assert_eq!(member.license.as_deref(), Some("Apache-2.0"));
        let [kernels, burn] = member.dependencies.as_slice() else {
            panic!("two expected")
        };
        assert!(kernels.internal && kernels.development);
        assert_eq!(kernels.features, ["flex"]);
        assert!(!burn.internal && !burn.development);
    }

    #[test]
    fn the_files_of_this_package_are_found_without_git() {
        let root = root().unwrap();

        let paths = walk(&root.join("xtask")).unwrap();

        assert!(paths.iter().any(|path| path == "src/tidy/mod.rs"));
    }
}
