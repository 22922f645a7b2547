//! Runs of a comparison in processes of their own, a few at a time.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;
use clover_trainer::ablation::{AblationFolder, Cell};

use crate::arguments::Ablate;
use crate::interrupt::Interrupt;

/// How often the processes are looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// The threads of the CPU backends.
const THREADS: &str = "RAYON_NUM_THREADS";

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// Its figures are kept.
    Done {
        /// Wall seconds.
        seconds: f64,
    },
    /// It was interrupted, and goes on next time.
    Stopped,
    /// With an error.
    Failed {
        /// The last it said.
        reason: String,
    },
}

/// Runs that wait, and how many go at a time.
pub(super) struct Processes<'a> {
    arguments: &'a Ablate,
    folder: &'a AblationFolder,
    waiting: std::vec::IntoIter<Cell>,
}

/// A run in progress.
struct Running {
    cell: Cell,
    child: Child,
    log: PathBuf,
    started: Instant,
}

impl<'a> Processes<'a> {
    pub(super) fn new(
        arguments: &'a Ablate,
        folder: &'a AblationFolder,
        waiting: Vec<Cell>,
    ) -> Self {
        Self {
            arguments,
            folder,
            waiting: waiting.into_iter(),
        }
    }

    /// Runs all of them, or, once interrupted, those begun to their next step; `ended` hears of each.
    pub(super) fn run(
        mut self,
        interrupt: &Interrupt,
        ended: &mut dyn FnMut(Cell, Ending) -> Result<()>,
    ) -> Result<()> {
        let mut running: Vec<Running> = Vec::new();
        loop {
            while !interrupt.asked() && running.len() < self.arguments.jobs {
                let Some(cell) = self.waiting.next() else {
                    break;
                };
                running.push(self.start(cell)?);
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
                if run.child.try_wait()?.is_some() {
                    let ending = self.ending(&mut run)?;
                    ended(run.cell, ending)?;
                } else {
                    still.push(run);
                }
            }
            running = still;
        }
    }

    fn start(&self, cell: Cell) -> Result<Running> {
        let folder = self.folder.run(cell);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let log = folder.join("log.txt");
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        let arguments = self.arguments;
        let device = arguments.device.to_possible_value();
        let mut command = Command::new(env::current_exe()?);
        command
            .arg("ablate")
            .args(["--recipe", &arguments.recipe, "--cell"])
            .arg(format!("{}:{}", cell.row.key(), cell.seed))
            .arg("--out")
            .arg(&arguments.out)
            .args(device.iter().flat_map(|name| ["--device", name.get_name()]))
            .args(&arguments.keys)
            .stdin(Stdio::piped())
            .stderr(file.try_clone()?)
            .stdout(file);
        if env::var_os(THREADS).is_none() {
            let processors = thread::available_parallelism().map_or(1, usize::from);
            let threads = (processors / arguments.jobs).max(1);
            command.env(THREADS, threads.to_string());
        }
        let child = command
            .spawn()
            .with_context(|| format!("{cell}: cannot be started"))?;
        Ok(Running {
            cell,
            child,
            log,
            started: Instant::now(),
        })
    }

    fn ending(&self, run: &mut Running) -> Result<Ending> {
        let status = run.child.wait()?;
        Ok(if !status.success() {
            let reason = last_line(&run.log).unwrap_or_else(|| status.to_string());
            Ending::Failed { reason }
        } else if self.folder.result(run.cell)?.is_some() {
            let seconds = run.started.elapsed().as_secs_f64();
            Ending::Done { seconds }
        } else {
            Ending::Stopped
        })
    }
}

fn last_line(log: &Path) -> Option<String> {
    let text = fs::read(log).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.strip_prefix("error: ").unwrap_or(line).to_owned())
}
