//! `clover finetune`.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result, bail};
use burn::tensor::backend::AutodiffBackend;
use clover_trainer::RunRecord;
use clover_trainer::finetune::{FinetuningPlan, FinetuningSummary, finetune};
use clover_trainer::recipe::{Recipe, TaskRecipe};
use clover_trainer::report::Report;
use clover_trainer::run::BestModel;

use super::bundle_folder::bundle_folder;
use super::kept_run::{
    end, kept_record, note_early_stop, of_a_new_run, or_begin_anew, replace, time_of,
};
use super::metrics;
use crate::arguments::{Finetune, task_name};
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

pub(crate) fn run(arguments: Finetune) -> Result<()> {
    let plan = plan(&arguments)?;
    let (name, recipe) = (plan.name.clone(), plan.recipe.clone());
    let tuning = Tuning {
        plan,
        interrupt: Interrupt::listen()?,
    };
    let checkpointing = recipe.gradient_checkpointing;
    let summary = arguments
        .device
        .train(tuning, checkpointing)
        .map_err(|error| or_begin_anew(error, "--bundle", &arguments.out))?;
    let report = arguments.out.join("report.html");
    Report::of_finetuning(&name, &recipe, &summary)?.write_html(&report)?;
    note_early_stop(&summary, recipe.early_stopping);
    print_summary(&summary, &report);
    let step = summary.metrics.last().map_or(0, |last| last.step);
    let (ended, folder) = ((summary.finished, step), &arguments.out);
    end("finetune", folder, ended, arguments.max_steps)
}

/// What is to be done: what the folder of a resumed run keeps, and what is given.
fn plan(arguments: &Finetune) -> Result<FinetuningPlan> {
    let folder = &arguments.out;
    let kept = match kept_record(arguments.resume, folder)? {
        Some(RunRecord::Finetuning(plan)) => Some(*plan),
        Some(RunRecord::Pretraining(_)) => bail!(
            "{}: is the folder of a pre-training: `clover pretrain --resume` goes on with it",
            folder.display()
        ),
        None => None,
    };
    let (task, keys) = arguments.task_and_keys();
    let (name, recipe) = match (task, &kept) {
        (None, Some(kept)) => (kept.name.clone(), kept.recipe.clone()),
        (task, _) => {
            let task = of_a_new_run("a task", &task, folder)?;
            (task_name(task), TaskRecipe::open(task)?)
        }
    };
    let recipe = recipe.with_overrides(&keys)?;
    let time = time_of(arguments.time, kept.as_ref().map(|kept| kept.time), &keys)?;
    let bundle = arguments.bundle.as_deref().map(bundle_folder).transpose()?;
    let annotation = &arguments.annotation;
    let data = arguments.data.as_deref();
    let data = data.map(|data| annotation.location(data, "train"));

    let mut plan = match kept {
        Some(kept) => FinetuningPlan {
            name,
            recipe,
            ..kept
        },
        None => FinetuningPlan::new(
            &name,
            recipe,
            of_a_new_run("--bundle", &bundle, folder)?,
            of_a_new_run("--data", &data, folder)?,
            folder,
        ),
    };
    replace(&mut plan.bundle, &bundle);
    replace(&mut plan.data, &data);
    if let Some(path) = arguments.validation.as_deref() {
        let list = arguments.validation_list.as_deref();
        plan.validation = Some(annotation.at(path, list, "validation"));
    }
    plan.answers = annotation.answers.clone().or(plan.answers);
    plan.time = time;
    plan.resume = arguments.resume;
    plan.max_steps = arguments.max_steps;
    Ok(plan)
}

fn print_summary(summary: &FinetuningSummary, report: &Path) {
    if !summary.skipped.is_empty() {
        note(&format!("{} items were skipped", summary.skipped.len()));
    }
    let step = summary.metrics.last().map_or(0, |last| last.step);
    let bundle = summary.bundle.display();
    note(&format!("the model after step {step} lies in {bundle}"));
    if let Some(BestModel {
        folder,
        metrics: best,
    }) = &summary.best
    {
        note(&format!(
            "the best by {}, after step {}, lies in {}: {}",
            best.split,
            best.step,
            folder.display(),
            metrics::in_a_line(&best.metrics)
        ));
    }
    note(&format!("the curves lie in {}", report.display()));
}
