//! This program again, in processes of its own, a few at a time.
//!
//! Burn's source of chance belongs to the process, so runs side by side that are to come out the same
//! each time need one of their own.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::interrupt::Interrupt;

/// How often the processes are looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// The threads of the CPU backends.
const THREADS: &str = "RAYON_NUM_THREADS";

/// What one process is to do.
#[derive(Debug)]
pub(crate) struct Job {
    /// What users know it by.
    pub(crate) name: String,
    /// The arguments of this program.
    pub(crate) arguments: Vec<OsString>,
    /// The file that takes all it says.
    pub(crate) log: PathBuf,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// By itself, or because it was asked to.
    Ended {
        /// Wall seconds.
        seconds: f64,
    },
    /// With an error.
    Failed {
        /// The last it said.
        reason: String,
    },
}

/// Hears of processes.
pub(crate) trait Watch {
    /// The process of the job at this place among all goes on; called several times a second.
    fn goes_on(&mut self, _place: usize, _job: &Job) {}

    /// That process has ended.
    fn ended(&mut self, place: usize, job: &Job, ending: Ending) -> Result<()>;
}

/// A process and its place among the jobs.
struct Running<'a> {
    place: usize,
    job: &'a Job,
    child: Child,
    started: Instant,
}

/// Does all jobs, `at_a_time` of them side by side, or, once interrupted, those begun to their next
/// step.
pub(crate) fn run_jobs(
    jobs: &[Job],
    at_a_time: usize,
    interrupt: &Interrupt,
    watch: &mut impl Watch,
) -> Result<()> {
    let mut waiting = jobs.iter().enumerate();
    let mut running: Vec<Running<'_>> = Vec::new();
    loop {
        while !interrupt.asked() && running.len() < at_a_time {
            let Some((place, job)) = waiting.next() else {
                break;
            };
            running.push(start(place, job, at_a_time)?);
        }
        if running.is_empty() {
            return Ok(());
        }
        if interrupt.asked() {
            // The end of its input tells a process to stop.
            for run in &mut running {
                run.child.stdin = None;
            }
        }
        thread::sleep(PAUSE);
        let mut still = Vec::new();
        for mut run in running {
            if let Some(status) = run.child.try_wait()? {
                watch.ended(run.place, run.job, ending(&run, status))?;
            } else {
                watch.goes_on(run.place, run.job);
                still.push(run);
            }
        }
        running = still;
    }
}

/// The end of the input means that the command that started this process has ended or wants to: this
/// process stops, too.
pub(crate) fn stop_with_input(interrupt: &Interrupt) {
    let interrupt = interrupt.clone();
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        interrupt.ask();
    });
}

/// The last line of a log that says something.
pub(crate) fn last_line(log: &Path) -> Option<String> {
    let text = fs::read(log).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.to_owned())
}

/// The error a process ended with; one that was killed could not tell it.
fn reason(log: &Path, status: &str) -> String {
    match last_line(log) {
        None => status.to_owned(),
        Some(line) => match line.strip_prefix("error: ") {
            Some(error) => error.to_owned(),
            None => format!("{status}, after: {line}"),
        },
    }
}

/// The processors that this process may use.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn start(place: usize, job: &Job, at_a_time: usize) -> Result<Running<'_>> {
    let of_log = || job.log.display().to_string();
    if let Some(folder) = job.log.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let file = File::create(&job.log).with_context(of_log)?;
    let mut command = Command::new(env::current_exe()?);
    command
        .args(&job.arguments)
        .stdin(Stdio::piped())
        .stderr(file.try_clone().with_context(of_log)?)
        .stdout(file);
    if env::var_os(THREADS).is_none() {
        let threads = (processors() / at_a_time).max(1);
        command.env(THREADS, threads.to_string());
    }
    let child = command
        .spawn()
        .with_context(|| format!("{}: cannot be started", job.name))?;
    Ok(Running {
        place,
        job,
        child,
        started: Instant::now(),
    })
}

fn ending(run: &Running<'_>, status: ExitStatus) -> Ending {
    if status.success() {
        let seconds = run.started.elapsed().as_secs_f64();
        Ending::Ended { seconds }
    } else {
        let reason = reason(&run.job.log, &status.to_string());
        Ending::Failed { reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_failed_by_its_error_or_by_its_status() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.txt");

        assert_eq!(reason(&log, "signal: 9"), "signal: 9");
        fs::write(&log, "step 1\n\n").unwrap();
        assert_eq!(reason(&log, "signal: 9"), "signal: 9, after: step 1");
        fs::write(&log, "step 1\nerror: no such file\n\n").unwrap();
        assert_eq!(reason(&log, "exit status: 1"), "no such file");
    }
}
