//! The folder to carry: programs without symbols.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{PROGRAM, Place, STEP_TIME, SUITE};
use crate::workspace::{cargo, cargo_output};

/// Where the folder is made.
const FOLDER: &str = "target/gpu";

/// Builds the programs and puts them into one folder, without symbols.
pub(super) fn build(root: &Path, place: Place, out: &mut impl Write) -> Result<PathBuf> {
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder)?;
    let backend = format!("clover-test-backend/{}", place.feature());
    let program = [
        "build",
        "--release",
        "--package",
        "clover-cli",
        "--features",
        place.feature(),
    ];
    let example = [
        "--package",
        "clover-trainer",
        "--example",
        STEP_TIME,
        "--features",
        &backend,
    ];
    let example = [&["build", "--release"], example.as_slice()].concat();
    let suite = [
        "--package",
        "clover-tests",
        "--test",
        SUITE,
        "--features",
        &backend,
    ];
    let suite = [&["test", "--no-run"], suite.as_slice()].concat();
    for (arguments, name) in [
        (&program[..], PROGRAM),
        (&example, STEP_TIME),
        (&suite, SUITE),
    ] {
        writeln!(out, "== cargo {}", arguments.join(" "))?;
        out.flush()?;
        ensure!(
            cargo(root, arguments).status()?.success(),
            "the build failed"
        );
        // Asked again, cargo says where the result lies.
        let messages = cargo_output(root, &[arguments, &["--message-format", "json"]].concat())?;
        let built = executable(&messages, name).with_context(|| format!("no program {name}"))?;
        copy_stripped(&built, &folder.join(name))?;
    }
    copy_stripped(&std::env::current_exe()?, &folder.join("xtask"))?;
    Ok(folder)
}

/// The path of the program `name` in cargo's messages.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

fn copy_stripped(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("{} could not be copied", from.display()))?;
    // Symbols are for debugging; where there is no `strip`, the folder is larger.
    let _ = Command::new("strip").arg(to).status();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_in_cargos_messages() {
        let messages = "not json\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"clover\"},\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"clover\"},\"executable\":\"/a/clover\"}\n";

        assert_eq!(
            executable(messages, "clover"),
            Some(PathBuf::from("/a/clover"))
        );
        assert_eq!(executable(messages, "suite"), None);
    }
}
