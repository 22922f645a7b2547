//! `clover finetune`.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::backend::AutodiffBackend;
use clover_trainer::finetune::{FinetuningPlan, FinetuningSummary, finetune};
use clover_trainer::recipe::TaskRecipe;
use clover_trainer::report::Report;

use super::figures;
use crate::arguments::{Finetune, Resume, task_name};
use crate::device::Work;
use crate::interrupt::Interrupt;
use crate::output::note;
use crate::task_progress::TuningProgress;

/// A run with its progress on the terminal.
pub(super) struct Tuning {
    pub(super) plan: FinetuningPlan,
    pub(super) interrupt: Interrupt,
}

impl Work for Tuning {
    type Output = FinetuningSummary;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<FinetuningSummary> {
        let mut progress = TuningProgress::new(self.plan.max_steps);
        let summary = finetune::<B>(&self.plan, &device, &mut |event| {
            progress.show(&event);
            if self.interrupt.asked() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        progress.finish();
        summary.with_context(|| format!("in {}", self.plan.folder.display()))
    }
}

pub(super) fn run(arguments: Finetune) -> Result<()> {
    let mut keys = arguments.keys.clone();
    if let Some(Resume::Key(key)) = &arguments.resume {
        keys.insert(0, key.clone());
    }
    let recipe = TaskRecipe::open(&arguments.task)?.with_overrides(&keys)?;
    let annotation = &arguments.annotation;
    let list = arguments.validation_list.as_deref();
    let validation = arguments.validation.as_deref();
    let plan = FinetuningPlan {
        validation: validation.map(|path| annotation.at(path, list, "validation")),
        answers: annotation.answers.clone(),
        resume: arguments.resume.is_some(),
        max_steps: arguments.max_steps,
        ..FinetuningPlan::new(
            &task_name(&arguments.task),
            recipe.clone(),
            &arguments.bundle,
            annotation.location("train"),
            &arguments.out,
        )
    };
    let tuning = Tuning {
        plan,
        interrupt: Interrupt::listen()?,
    };
    let checkpointing = recipe.gradient_checkpointing;
    let summary = arguments.device.train(tuning, checkpointing)?;
    let report = arguments.out.join("report.html");
    Report::of_finetuning(&task_name(&arguments.task), &recipe, &summary)?.write_html(&report)?;
    print_summary(&summary, &arguments.out, &report);
    Ok(())
}

fn print_summary(summary: &FinetuningSummary, folder: &Path, report: &Path) {
    if !summary.skipped.is_empty() {
        note(&format!("{} items were skipped", summary.skipped.len()));
    }
    let step = summary.metrics.last().map_or(0, |last| last.step);
    let bundle = summary.bundle.display();
    note(&format!("the model after step {step} lies in {bundle}"));
    if let Some((folder, best)) = &summary.best {
        note(&format!(
            "the best by {}, after step {}, lies in {}: {}",
            best.split,
            best.step,
            folder.display(),
            figures::in_a_line(&best.figures)
        ));
    }
    if summary.finished {
        note("done");
    } else {
        note(&format!(
            "stopped; --resume goes on from {}",
            folder.display()
        ));
    }
    note(&format!("the curves lie in {}", report.display()));
}
