//! Fine-tuning on several tasks at once, each in a process of its own.
//!
//! A model as small as the demonstration's hardly keeps a second processor busy; two such models do.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::tasks::DemoTask;
use crate::arguments::Demo;
use crate::interrupt::Interrupt;
use crate::processes::{Ending, Job, Watch, last_line, run_jobs};
use crate::progress::print_line;

/// Without a terminal, what the processes say is repeated this often.
const LINE_EVERY: Duration = Duration::from_secs(20);
/// With one, this often.
const SHOWN_EVERY: Duration = Duration::from_secs(1);

/// Fine-tunes on all tasks; each leaves its run where fine-tuning in this process finds it done.
pub(super) fn tune_side_by_side(
    tasks: &[&DemoTask],
    arguments: &Demo,
    interrupt: &Interrupt,
) -> Result<()> {
    let jobs: Vec<Job> = tasks.iter().map(|task| job(task, arguments)).collect();
    let names: Vec<&str> = jobs.iter().map(|job| &*job.name).collect();
    print_line(&format!("{}: side by side", names.join(", ")));
    let mut lines = Lines::new(&jobs, interrupt);
    let run = run_jobs(&jobs, jobs.len(), interrupt, &mut lines);
    lines.finish();
    run?;
    match lines.failed {
        // A process may end with an error where it was interrupted before it listened.
        Some(reason) if !interrupt.asked() => bail!("{reason}"),
        _ => Ok(()),
    }
}

fn job(task: &DemoTask, arguments: &Demo) -> Job {
    let mut words: Vec<OsString> = ["demo", "--full", "--task", task.name, "--seed"]
        .map(OsString::from)
        .into();
    words.push(arguments.seed.to_string().into());
    words.extend(["--out".into(), arguments.out.clone().into()]);
    words.extend(arguments.device.arguments());
    let folder = super::folder(arguments);
    Job {
        name: task.name.to_owned(),
        arguments: words,
        log: folder.join(format!("{}.log", task.name)),
    }
}

/// The last line of each process, on the terminal or, without one, now and then.
struct Lines<'a> {
    interrupt: &'a Interrupt,
    all: MultiProgress,
    /// A bar for each job, which turns and has a message.
    bars: Vec<ProgressBar>,
    last: Vec<Instant>,
    /// What the first that failed said.
    failed: Option<String>,
}

impl<'a> Lines<'a> {
    fn new(jobs: &[Job], interrupt: &'a Interrupt) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{spinner} {prefix}: {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bars = jobs.iter().map(|job| {
            let bar = all.add(ProgressBar::new_spinner().with_style(style.clone()));
            bar.set_prefix(job.name.clone());
            bar
        });
        Self {
            bars: bars.collect(),
            interrupt,
            all,
            last: vec![Instant::now(); jobs.len()],
            failed: None,
        }
    }

    /// One line, above the bars where there are any.
    fn line(&self, line: &str) {
        if self.all.is_hidden() || self.all.println(line).is_err() {
            print_line(line);
        }
    }

    fn finish(&self) {
        for bar in &self.bars {
            bar.finish_and_clear();
        }
    }
}

impl Watch for Lines<'_> {
    fn goes_on(&mut self, place: usize, job: &Job) {
        let hidden = self.all.is_hidden();
        let every = if hidden { LINE_EVERY } else { SHOWN_EVERY };
        if self.last[place].elapsed() < every {
            return;
        }
        self.last[place] = Instant::now();
        let Some(line) = last_line(&job.log) else {
            return;
        };
        if hidden {
            print_line(&format!("{}: {line}", job.name));
        } else {
            self.bars[place].tick();
            self.bars[place].set_message(line);
        }
    }

    fn ended(&mut self, place: usize, job: &Job, ending: Ending) -> Result<()> {
        let name = &job.name;
        self.bars[place].finish_and_clear();
        match ending {
            Ending::Ended { .. } if self.interrupt.asked() => {
                self.line(&format!("{name}: stopped"));
            }
            Ending::Ended { seconds } => {
                self.line(&format!("{name}: done after {seconds:.0} s"));
            }
            Ending::Failed { reason } => {
                // Now, as the others go on for a while; what they learn is kept.
                self.line(&format!("{name}: failed: {reason}"));
                let log = job.log.display();
                self.failed
                    .get_or_insert(format!("{name}: {reason}; all it said is in {log}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::iter::once;

    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn demo(words: &[&str]) -> Demo {
        match Arguments::try_parse_from(words).unwrap().command {
            Command::Demo(demo) => demo,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_process_is_asked_for_one_task_with_the_same_seed_and_folder() {
        let arguments = demo(&[
            "clover",
            "demo",
            "--full",
            "--seed",
            "7",
            "--out",
            "some where",
        ]);

        let job = job(&super::super::tasks::CHOICES, &arguments);

        let words = once("clover").chain(job.arguments.iter().map(|word| word.to_str().unwrap()));
        let asked = demo(&words.collect::<Vec<_>>());
        assert_eq!(asked.task.as_deref(), Some("multiple-choice-custom"));
        assert_eq!((asked.seed, asked.out), (7, arguments.out));
        assert_eq!((asked.full, asked.device), (true, arguments.device));
    }
}
