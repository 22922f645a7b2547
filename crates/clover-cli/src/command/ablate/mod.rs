//! `clover ablate`: the paper's comparison of objectives.
//!
//! Burn's source of chance belongs to the process, so every row with a seed runs in one of its own:
//! this program again, with `--cell`. What is done is never done again.

mod cell;

use std::ffi::OsString;

use anyhow::{Context, Result, bail};
use clover_trainer::ablation::{AblationFolder, AblationSummary, Cell, CellResult};
use clover_trainer::recipe::{AblationRecipe, Recipe};

use super::render::{benchmark_of, with_bar};
use crate::arguments::Ablate;
use crate::interrupt::{Interrupt, Interrupted};
use crate::output::note;
use crate::processes::{Ending, Job, Watch, run_jobs};

pub(super) fn run(arguments: Ablate) -> Result<()> {
    let recipe = AblationRecipe::open(&arguments.recipe)?.with_overrides(&arguments.keys)?;
    benchmark_of(&recipe)?;
    let folder = AblationFolder::claim(&arguments.out, &recipe)
        .with_context(|| format!("{}: another --out starts anew", arguments.out.display()))?;
    if let Some(name) = &arguments.cell {
        return cell::run(&arguments, &recipe, &folder, name);
    }
    if arguments.jobs == 0 {
        bail!("--jobs must be positive");
    }
    let comparison = Comparison {
        interrupt: Interrupt::listen()?,
        arguments,
        recipe,
        folder,
    };
    comparison.run()
}

/// A comparison with what it is made from.
struct Comparison {
    arguments: Ablate,
    recipe: AblationRecipe,
    folder: AblationFolder,
    interrupt: Interrupt,
}

impl Comparison {
    fn run(&self) -> Result<()> {
        self.render()?;
        let mut waiting = Vec::new();
        // Seed by seed, so that a comparison cut short has every row.
        for seed in self.recipe.run_seeds() {
            for &row in &self.recipe.rows {
                let cell = Cell { row, seed };
                if self.folder.result(cell)?.is_none() {
                    waiting.push(cell);
                }
            }
        }
        let all = self.recipe.rows.len() as u64 * self.recipe.seeds;
        let done = all - waiting.len() as u64;
        note(&format!("{done} of {all} runs are done"));

        let jobs: Vec<Job> = waiting.iter().map(|&cell| self.job(cell)).collect();
        let mut runs = Runs {
            comparison: self,
            cells: waiting,
            done,
            all,
            failed: Vec::new(),
        };
        run_jobs(&jobs, self.arguments.jobs, &self.interrupt, &mut runs)?;
        self.close(&runs.failed)
    }

    fn job(&self, cell: Cell) -> Job {
        let arguments = &self.arguments;
        let recipe = arguments.recipe.clone().into();
        let mut words: Vec<OsString> = vec!["ablate".into(), "--recipe".into(), recipe];
        words.push("--cell".into());
        words.push(format!("{}:{}", cell.row.key(), cell.seed).into());
        words.extend(["--out".into(), arguments.out.clone().into()]);
        words.extend(arguments.device.arguments());
        words.extend(arguments.keys.iter().map(OsString::from));
        Job {
            name: cell.to_string(),
            arguments: words,
            log: self.folder.run(cell).join("log.txt"),
        }
    }

    /// Draws the clips that are not there.
    fn render(&self) -> Result<()> {
        with_bar(&benchmark_of(&self.recipe)?, &self.folder.benchmark())?;
        Ok(())
    }

    fn summarize(&self) -> Result<AblationSummary> {
        let device = format!("{:?}", self.arguments.device).to_lowercase();
        let command = command_line(&self.arguments);
        let summary = AblationSummary::read(&self.folder, &self.recipe, command, device)?;
        self.folder.write_summary(&summary)?;
        Ok(summary)
    }

    fn close(&self, failed: &[String]) -> Result<()> {
        let summary = self.summarize()?;
        let table = self.arguments.out.join("ablation.md");
        if !failed.is_empty() {
            bail!(
                "{} failed; the same command tries again; the table so far is {}",
                failed.join(", "),
                table.display()
            );
        }
        if !summary.missing.is_empty() {
            let words = "stopped; the same command goes on from here";
            bail!(Interrupted(words.to_owned()));
        }
        note(&format!("the table is {}", table.display()));
        Ok(())
    }
}

/// The runs of a comparison in progress.
struct Runs<'a> {
    comparison: &'a Comparison,
    /// Of the jobs, in their order.
    cells: Vec<Cell>,
    done: u64,
    all: u64,
    failed: Vec<String>,
}

impl Watch for Runs<'_> {
    fn ended(&mut self, place: usize, job: &Job, ending: Ending) -> Result<()> {
        let name = &job.name;
        let seconds = match ending {
            Ending::Ended { seconds } => seconds,
            Ending::Failed { reason } => {
                note(&format!("{name}: failed: {reason}"));
                self.failed.push(name.clone());
                return Ok(());
            }
        };
        let Some(result) = self.comparison.folder.result(self.cells[place])? else {
            note(&format!("{name}: stopped"));
            return Ok(());
        };
        self.done += 1;
        note(&format!(
            "{name}: {}; {seconds:.0} s, {} of {} done",
            figures(&result),
            self.done,
            self.all
        ));
        self.comparison.summarize()?;
        Ok(())
    }
}

fn figures(result: &CellResult) -> String {
    format!(
        "R@1 {:.1} % and {:.1} %, open-ended {:.1} %, multiple choice {:.1} %",
        result.text_to_video.recall_at_1,
        result.video_to_text.recall_at_1,
        100.0 * result.open_ended.accuracy,
        100.0 * result.multiple_choice.accuracy,
    )
}

/// What makes the same table again.
fn command_line(arguments: &Ablate) -> String {
    let mut words = vec![
        "clover ablate --recipe".to_owned(),
        arguments.recipe.display().to_string(),
        format!("--jobs {}", arguments.jobs),
    ];
    words.extend(arguments.keys.iter().map(|key| {
        if key.contains(['[', ' ']) {
            format!("'{key}'")
        } else {
            key.clone()
        }
    }));
    words.join(" ")
}
