//! `clover ablate`: the paper's comparison of objectives.
//!
//! Burn's source of chance belongs to the process, so every row with a seed runs in one of its own:
//! this program again, with `--cell`. What is done is never done again.

mod cell;
mod processes;

use anyhow::{Context, Result, bail};
use clover_data::synthetic::benchmark::write_benchmark;
use clover_trainer::ablation::{AblationFolder, AblationSummary, Cell};
use clover_trainer::recipe::AblationRecipe;

use self::processes::{Ending, Processes};
use crate::arguments::Ablate;
use crate::interrupt::Interrupt;
use crate::progress::{bar, say};

pub(super) fn run(arguments: Ablate) -> Result<()> {
    let recipe = AblationRecipe::open(&arguments.recipe)?.with_overrides(&arguments.keys)?;
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
        let mut done = all - waiting.len() as u64;
        say(&format!("{done} of {all} runs are done"));

        let mut failed = Vec::new();
        let processes = Processes::new(&self.arguments, &self.folder, waiting);
        processes.run(&self.interrupt, &mut |cell, ending| {
            match ending {
                Ending::Done { seconds } => {
                    done += 1;
                    say(&format!(
                        "{cell}: {}; {seconds:.0} s, {done} of {all} done",
                        self.figures(cell)?
                    ));
                    self.summarize()?;
                }
                Ending::Stopped => say(&format!("{cell}: stopped")),
                Ending::Failed { reason } => {
                    say(&format!("{cell}: failed: {reason}"));
                    failed.push(cell.to_string());
                }
            }
            Ok(())
        })?;
        self.close(&failed)
    }

    /// Draws the clips that are not there.
    fn render(&self) -> Result<()> {
        let config = &self.recipe.benchmark;
        let bar = bar("rendering", config.clips as u64);
        let written = write_benchmark(config, self.folder.benchmark(), |done, _| {
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        written?;
        Ok(())
    }

    fn figures(&self, cell: Cell) -> Result<String> {
        let Some(result) = self.folder.result(cell)? else {
            bail!("{cell}: left no figures");
        };
        Ok(format!(
            "R@1 {:.1} % and {:.1} %, open-ended {:.1} %, multiple choice {:.1} %",
            result.text_to_video.recall_at_1,
            result.video_to_text.recall_at_1,
            100.0 * result.open_ended.accuracy,
            100.0 * result.multiple_choice.accuracy,
        ))
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
        if summary.missing.is_empty() {
            say(&format!("the table is {}", table.display()));
        } else {
            say("stopped; the same command goes on from here");
        }
        Ok(())
    }
}

/// What makes the same table again.
fn command_line(arguments: &Ablate) -> String {
    let mut words = vec![
        "clover ablate --recipe".to_owned(),
        arguments.recipe.clone(),
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
