//! `clover ablate`: the paper's comparison of objectives, a few runs side by side.
//!
//! What is done is never done again.

use std::ops::ControlFlow;

use anyhow::{Context, Result, bail};
use burn::tensor::backend::AutodiffBackend;
use clover_synthetic::{BenchmarkFiles, SplitFiles};
use clover_trainer::ablation::{
    AblationFiles, AblationFolder, AblationLists, AblationSummary, Cell, CellEvent, CellResult,
    run_cell,
};
use clover_trainer::evaluate::QuestionAccuracy;
use clover_trainer::pretrain::PretrainingEvent;
use clover_trainer::recipe::{AblationRecipe, Recipe};

use super::render::{benchmark_of, with_bar};
use crate::arguments::Ablate;
use crate::device::Work;
use crate::interrupt::{Interrupt, Interrupted};
use crate::output::note;
use crate::side_by_side::{Ended, Lane, side_by_side};

pub(crate) fn run(arguments: Ablate) -> Result<()> {
    let recipe = AblationRecipe::open(&arguments.recipe)?.with_overrides(&arguments.keys)?;
    benchmark_of(&recipe)?;
    let folder = AblationFolder::claim(&arguments.out, &recipe)
        .with_context(|| format!("{}: another --out starts anew", arguments.out.display()))?;
    if arguments.jobs == 0 {
        bail!("--jobs must be positive");
    }
    let (device, checkpointing) = (arguments.device, recipe.pretraining.gradient_checkpointing);
    let comparison = Comparison {
        interrupt: Interrupt::listen()?,
        arguments,
        recipe,
        folder,
    };
    device.train(comparison, checkpointing)
}

/// A comparison with what it is made from.
struct Comparison {
    arguments: Ablate,
    recipe: AblationRecipe,
    folder: AblationFolder,
    interrupt: Interrupt,
}

impl Work for Comparison {
    type Output = ();

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<()> {
        let files = self.render()?;
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
        note(&format!("{done} of {all} runs are done"));
        let mut failed = Vec::new();
        let run = |cell: &Cell, lane: &mut Lane| self.run_cell::<B>(*cell, &files, &device, lane);
        let (jobs, interrupt) = (self.arguments.jobs, &self.interrupt);
        side_by_side(&waiting, jobs, interrupt, run, |ended| {
            let Ended {
                job: cell,
                result,
                seconds,
            } = ended;
            match result {
                Ok(Some(result)) => {
                    done += 1;
                    let metrics = metrics_line(&result);
                    note(&format!(
                        "{cell}: {metrics}; {seconds:.0} s, {done} of {all} done"
                    ));
                    self.summarize().map(drop)
                }
                Ok(None) => {
                    note(&format!("{cell}: stopped"));
                    Ok(())
                }
                Err(error) => {
                    note(&format!("{cell}: failed: {error:#}"));
                    failed.push(cell.to_string());
                    Ok(())
                }
            }
        })?;
        self.close(&failed)
    }
}

impl Comparison {
    /// Runs a cell and keeps its metrics; nothing comes out when it was interrupted.
    fn run_cell<B: AutodiffBackend>(
        &self,
        cell: Cell,
        files: &AblationFiles,
        device: &B::Device,
        lane: &mut Lane,
    ) -> Result<Option<CellResult>> {
        let mut total = 0;
        let mut observe = |event: CellEvent<'_>| {
            match event {
                CellEvent::Pretraining(PretrainingEvent::Started { total_steps, .. }) => {
                    total = total_steps;
                }
                CellEvent::Pretraining(PretrainingEvent::Step(step)) => lane.tell(|| {
                    format!(
                        "pre-training, step {}/{total} loss {:.3}",
                        step.step, step.total
                    )
                }),
                CellEvent::Pretraining(_) => {}
                CellEvent::FineTuning {
                    task,
                    step,
                    total_steps,
                } => lane.tell(|| {
                    format!(
                        "{task}, step {}/{} loss {:.3}",
                        step.step, total_steps, step.loss
                    )
                }),
                CellEvent::Measuring(what) => lane.tell(|| format!("measuring {what}")),
            }
            if self.interrupt.asked() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let folder = self.folder.run(cell);
        let result = run_cell::<B>(&self.recipe, files, &folder, cell, device, &mut observe)?;
        if let Some(result) = &result {
            self.folder.keep(result)?;
        }
        Ok(result)
    }

    /// Draws the clips that are not there.
    fn render(&self) -> Result<AblationFiles> {
        let files = with_bar(&benchmark_of(&self.recipe)?, &self.folder.benchmark())?;
        let lists = |files: SplitFiles| AblationLists {
            pairs: files.pairs,
            open_ended: files.open_ended,
            multiple_choice: files.multiple_choice,
        };
        let BenchmarkFiles {
            clips,
            vocabulary,
            answers,
            train,
            test,
            ..
        } = files;
        let pair_tests = test.pair_tests.clone();
        let files = AblationFiles {
            clips,
            vocabulary,
            answers,
            train: lists(train),
            test: lists(test),
            pair_tests,
        };
        let preset = self.recipe.pretraining.model(1)?;
        Ok(match preset.is_clip() {
            true => files.with_end_last()?,
            false => files,
        })
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

fn metrics_line(result: &CellResult) -> String {
    let mut line = format!(
        "R@1 {:.1} % and {:.1} %",
        result.text_to_video.recall_at_1, result.video_to_text.recall_at_1,
    );
    let accuracy = |found: &Option<QuestionAccuracy>| found.as_ref().map(|found| found.accuracy);
    for (what, share) in [
        ("among companions", result.hard_negatives),
        ("open-ended", accuracy(&result.open_ended)),
        ("multiple choice", accuracy(&result.multiple_choice)),
    ] {
        if let Some(share) = share {
            line += &format!(", {what} {:.1} %", 100.0 * share);
        }
    }
    for one in &result.skills {
        line += &format!(", {} {:.1} %", one.skill, 100.0 * one.accuracy);
    }
    line
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
