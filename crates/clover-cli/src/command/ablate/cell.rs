//! One row with one seed, in a process of its own.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use burn::tensor::backend::AutodiffBackend;
use clover_synthetic::{BenchmarkFiles, SplitFiles};
use clover_trainer::ablation::{
    AblationFiles, AblationFolder, AblationLists, AblationRow, Cell, CellEvent, CellResult,
    run_cell,
};
use clover_trainer::recipe::AblationRecipe;

use crate::arguments::Ablate;
use crate::device::Work;
use crate::interrupt::Interrupt;
use crate::output::print_line;
use crate::processes::stop_with_input;
use crate::progress::TrainingProgress;

/// Fine-tuning says a line this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Runs a cell and keeps its figures.
pub(super) fn run(
    arguments: &Ablate,
    recipe: &AblationRecipe,
    folder: &AblationFolder,
    name: &str,
) -> Result<()> {
    let cell = parse(name).with_context(|| format!("{name}: not `row:seed`"))?;
    let interrupt = Interrupt::listen()?;
    stop_with_input(&interrupt);
    let work = CellWork {
        recipe,
        folder,
        cell,
        interrupt,
    };
    let gradient_checkpointing = recipe.pretraining.gradient_checkpointing;
    match arguments.device.train(work, gradient_checkpointing)? {
        Some(result) => Ok(folder.keep(&result)?),
        None => {
            print_line("stopped");
            Ok(())
        }
    }
}

fn parse(name: &str) -> Option<Cell> {
    let (row, seed) = name.split_once(':')?;
    Some(Cell {
        row: AblationRow::ALL.into_iter().find(|one| one.key() == row)?,
        seed: seed.parse().ok()?,
    })
}

fn files(folder: &AblationFolder) -> AblationFiles {
    let files = BenchmarkFiles::in_folder(folder.benchmark());
    let lists = |files: SplitFiles| AblationLists {
        pairs: files.pairs,
        open_ended: files.open_ended,
        multiple_choice: files.multiple_choice,
    };
    AblationFiles {
        clips: files.clips,
        vocabulary: files.vocabulary,
        answers: files.answers,
        train: lists(files.train),
        test: lists(files.test),
    }
}

struct CellWork<'a> {
    recipe: &'a AblationRecipe,
    folder: &'a AblationFolder,
    cell: Cell,
    interrupt: Interrupt,
}

impl Work for CellWork<'_> {
    type Output = Option<CellResult>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Self::Output> {
        let (files, run) = (files(self.folder), self.folder.run(self.cell));
        let mut progress = TrainingProgress::new(None);
        let mut last_line = Instant::now();
        let mut observe = |event: CellEvent<'_>| {
            match &event {
                CellEvent::Pretraining(event) => progress.show(event),
                CellEvent::FineTuning { task, step } => {
                    if step.step == step.total_steps || last_line.elapsed() >= LINE_EVERY {
                        last_line = Instant::now();
                        let (done, all) = (step.step, step.total_steps);
                        print_line(&format!("{task}: step {done}/{all}, loss {:.3}", step.loss));
                    }
                }
                CellEvent::Measuring(what) => print_line(&format!("measuring {what}")),
            }
            if self.interrupt.asked() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let result = run_cell::<B>(self.recipe, &files, &run, self.cell, &device, &mut observe)?;
        progress.finish();
        Ok(result)
    }
}
