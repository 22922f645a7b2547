//! A program that is watched while it runs: how long it took, and the most memory it held.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How often memory is looked at.
const INTERVAL: Duration = Duration::from_millis(250);

/// What came of a program.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) output: String,
    pub(super) passed: bool,
    pub(super) took: Duration,
    /// Of the GPU where there is one, else of the process.
    pub(super) peak_mebibytes: Option<f64>,
}

/// Runs a program to its end, or to the limit, where it is ended.
pub(super) fn watch(command: &mut Command, limit: Duration, on_gpu: bool) -> Result<Outcome> {
    let started = Instant::now();
    let name = command.get_program().to_string_lossy().into_owned();
    // Both go to files: a pipe that nobody empties would stop the program.
    let output = tempfile()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .spawn()
        .with_context(|| format!("{name} could not be started"))?;
    let mut peak: Option<f64> = None;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            break None;
        }
        let held = if on_gpu {
            gpu_mebibytes()
        } else {
            process_mebibytes(child.id())
        };
        peak = peak.into_iter().chain(held).reduce(f64::max);
        sleep(INTERVAL);
    };
    let took = started.elapsed();
    let mut output = read(output)?;
    if status.is_none() {
        output.push_str(&format!(
            "\nended after its limit of {} s\n",
            limit.as_secs()
        ));
    }
    Ok(Outcome {
        output,
        passed: status.is_some_and(|status| status.success()),
        took,
        peak_mebibytes: peak,
    })
}

/// A file without a name.
fn tempfile() -> Result<fs::File> {
    let path = std::env::temp_dir().join(format!("clover-gpu-{}", std::process::id()));
    let mut options = fs::File::options();
    let file = options.read(true).write(true).create(true).truncate(true);
    let file = file.open(&path).context("a temporary file")?;
    fs::remove_file(path)?;
    Ok(file)
}

fn read(mut file: fs::File) -> Result<String> {
    std::io::Seek::rewind(&mut file)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn gpu_mebibytes() -> Option<f64> {
    let query = ["--query-gpu=memory.used", "--format=csv,noheader,nounits"];
    let output = Command::new("nvidia-smi").args(query).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// The most the process ever held (Linux).
fn process_mebibytes(id: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn output_and_success_are_kept_and_a_limit_ends_the_program() {
        let shell = |line: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", line]);
            command
        };

        let good = watch(
            &mut shell("echo one; echo two >&2"),
            Duration::from_secs(60),
            false,
        );
        let slow = watch(
            &mut shell("exec sleep 600"),
            Duration::from_millis(50),
            false,
        );

        let (good, slow) = (good.unwrap(), slow.unwrap());
        assert_eq!((good.passed, good.output.as_str()), (true, "one\ntwo\n"));
        assert!(!slow.passed && slow.output.contains("ended after its limit"));
    }
}
