//! Whether FFmpeg's libraries are installed, with what is needed to build against them.

use anyhow::Result;
use std::io::Write;
use std::process::{Command, Stdio};

/// The libraries that the feature `ffmpeg` links.
const LIBRARIES: [&str; 4] = ["libavcodec", "libavformat", "libavutil", "libswscale"];

/// Asks `pkg-config`, and says so where something is missing.
pub(crate) fn is_installed(out: &mut impl Write) -> Result<bool> {
    let succeeds = |program: &str, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let libraries = [&["--exists"], LIBRARIES.as_slice()].concat();
    let installed = succeeds("pkg-config", &libraries) && succeeds("clang", &["--version"]);
    if !installed {
        writeln!(
            out,
            "SKIPPED: what needs FFmpeg; install {} (with headers), clang and pkg-config",
            LIBRARIES.join(", ")
        )?;
    }
    Ok(installed)
}
