//! `clover pretrain`.

use std::ops::ControlFlow;

use anyhow::Result;
use burn::tensor::backend::AutodiffBackend;
use clover_trainer::pretrain::{PretrainingPlan, PretrainingSummary, pretrain};
use clover_trainer::recipe::PretrainingRecipe;

use crate::arguments::Pretrain;
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
    let recipe = arguments.overrides.apply(recipe)?;
    let folder = arguments.out.clone();
    let gradient_checkpointing = recipe.gradient_checkpointing;
    let training = Training {
        plan: PretrainingPlan {
            recipe,
            data: arguments.data,
            vocabulary: arguments.vocab,
            folder: arguments.out,
            resume: arguments.resume,
            max_steps: arguments.max_steps,
        },
        interrupt: Interrupt::listen()?,
    };
    let summary = arguments.device.train(training, gradient_checkpointing)?;

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
    let bundle = summary.bundle.display();
    if summary.finished {
        say(&format!("done; the model lies in {bundle}"));
    } else {
        say(&format!(
            "stopped; the model so far lies in {bundle}, and --resume goes on from {}",
            folder.display()
        ));
    }
    Ok(())
}
