//! Where the code of others comes from: licences, sources and known faults, asked of cargo-deny, and a
//! list of all of it, written by cargo-cyclonedx. Both are installed by whoever wants them.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::workspace::cargo;

/// cargo-cyclonedx takes the workspace from any member's manifest.
const PROGRAM: &str = "crates/clover-cli/Cargo.toml";

/// Checks licences, bans and sources, and known faults where the list of them can be had. Says so
/// where cargo-deny is not installed.
///
/// # Errors
///
/// A dependency breaks a rule of `.cargo/deny.toml`, or has a known fault.
pub(crate) fn check(root: &Path, out: &mut impl Write) -> Result<()> {
    if !is_installed(root, "deny", out)? {
        return Ok(());
    }
    run(root, &["deny", "check", "licenses", "bans", "sources"])?;
    let fetched = cargo(root, &["deny", "fetch", "db"]).output();
    if !fetched
        .context("cargo could not be started")?
        .status
        .success()
    {
        let list = "https://github.com/RustSec/advisory-db";
        writeln!(out, "SKIPPED: known faults; {list} cannot be reached")?;
        return Ok(());
    }
    run(root, &["deny", "check", "advisories"])
}

/// Writes what each package consists of, a `*.cdx.json` beside its manifest, in CycloneDX's form.
///
/// # Errors
///
/// cargo-cyclonedx is not installed, or fails.
pub(crate) fn write_parts(root: &Path, out: &mut impl Write) -> Result<()> {
    if !is_installed(root, "cyclonedx", out)? {
        bail!("the list of parts is cargo-cyclonedx's to write");
    }
    let arguments = ["cyclonedx", "--manifest-path", PROGRAM, "--format", "json"];
    run(root, &[arguments.as_slice(), &["--all"]].concat())
}

fn is_installed(root: &Path, tool: &str, out: &mut impl Write) -> Result<bool> {
    let asked = cargo(root, &[tool, "--version"]).output();
    let installed = asked
        .context("cargo could not be started")?
        .status
        .success();
    if !installed {
        writeln!(
            out,
            "SKIPPED: cargo-{tool}; `cargo install --locked cargo-{tool}` installs it"
        )?;
    }
    Ok(installed)
}

fn run(root: &Path, arguments: &[&str]) -> Result<()> {
    let status = cargo(root, arguments).status();
    let status = status.context("cargo could not be started")?;
    ensure!(
        status.success(),
        "cargo {} ended with {status}",
        arguments.join(" ")
    );
    Ok(())
}
