//! `clover pretrain`.

use std::ops::ControlFlow;

use anyhow::Result;
use burn::tensor::backend::AutodiffBackend;
use clover_trainer::pretrain::{PretrainingPlan, PretrainingSummary, pretrain};
use clover_trainer::recipe::PretrainingRecipe;

use crate::arguments::{Pretrain, Resume};
use crate::device::Work;
use crate::interrupt::Interrupt;
use crate::progress::{TrainingProgress, say};

/// A run with its progress on the terminal.
pub(super) struct Training {
    pub(super) plan: PretrainingPlan,
    pub(super) interrupt: Interrupt,
}

impl Work for Training {
    type Output = PretrainingSummary;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<PretrainingSummary> {
        let mut progress = TrainingProgress::new();
        let summary = pretrain::<B>(&self.plan, &device, &mut |event| {
            progress.show(&event);
            if self.interrupt.asked() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        progress.finish();
        Ok(summary?)
    }
}

pub(super) fn run(arguments: Pretrain) -> Result<()> {
    let recipe = PretrainingRecipe::open(&arguments.recipe)?;
    let overrides = match &arguments.resume {
        Some(Resume::Key(key)) => arguments.overrides.with_key(key.clone()),
        Some(Resume::Auto) | None => arguments.overrides,
    };
    let recipe = overrides.apply(recipe)?;
    let folder = arguments.out.clone();
    let training = Training {
        plan: PretrainingPlan {
            images: arguments.images,
            validation: arguments.validation,
            resume: arguments.resume.is_some(),
            max_steps: arguments.max_steps,
            ..PretrainingPlan::new(recipe, arguments.data, arguments.vocab, arguments.out)
        },
        interrupt: Interrupt::listen()?,
    };
    let summary = arguments.device.run(training)?;

    if !summary.skipped.is_empty() {
        say(&format!("{} items were skipped", summary.skipped.len()));
    }
    if let Some(last) = summary.metrics.last() {
        let first = summary.metrics[0].total;
        say(&format!(
            "loss {first:.3} at first, {:.3} after {} steps",
            last.total, last.step
        ));
    }
    say_models(&summary);
    if summary.finished {
        say("done");
    } else {
        let folder = folder.display();
        say(&format!("stopped; --resume goes on from {folder}"));
    }
    Ok(())
}

/// Which model lies where.
fn say_models(summary: &PretrainingSummary) {
    let step = summary.metrics.last().map_or(0, |last| last.step);
    let bundle = summary.bundle.display();
    say(&format!("the model after step {step} lies in {bundle}"));
    if let Some(best) = &summary.best {
        say(&format!(
            "the best by validation, after step {} with recalls of {:.1} in all, lies in {}",
            best.metrics.step,
            best.metrics.retrieval.recall_sum,
            best.folder.display()
        ));
    }
}
