//! What this machine has of what some steps need. What is missing is named, and its steps are skipped.

use anyhow::Result;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The libraries that the feature `ffmpeg` links.
const LIBRARIES: [&str; 4] = ["libavcodec", "libavformat", "libavutil", "libswscale"];

/// What a web page's programs are compiled for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// What is there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Machine {
    /// FFmpeg's libraries, with what is needed to build against them.
    pub(crate) ffmpeg: bool,
    /// The standard library for [`WASM`].
    pub(crate) wasm: bool,
}

impl Machine {
    /// Looks, and says what is missing.
    pub(crate) fn look(out: &mut impl Write) -> Result<Self> {
        let libraries = [&["--exists"], LIBRARIES.as_slice()].concat();
        let machine = Self {
            ffmpeg: succeeds("pkg-config", &libraries) && succeeds("clang", &["--version"]),
            wasm: has_target(WASM),
        };
        if !machine.ffmpeg {
            let libraries = LIBRARIES.join(", ");
            writeln!(
                out,
                "SKIPPED: what needs FFmpeg; install {libraries} (with headers), clang and pkg-config"
            )?;
        }
        if !machine.wasm {
            writeln!(
                out,
                "SKIPPED: the build for web pages; `rustup target add {WASM}`"
            )?;
        }
        Ok(machine)
    }
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn has_target(target: &str) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(rustc);
    let folder = rustc.args(["--print", "target-libdir", "--target", target]);
    folder.output().is_ok_and(|answer| {
        let folder = String::from_utf8_lossy(&answer.stdout);
        answer.status.success() && Path::new(folder.trim()).is_dir()
    })
}
