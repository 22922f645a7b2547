//! `clover pretrain`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::tensor::backend::AutodiffBackend;
use clover_trainer::TrainerError;
use clover_trainer::pretrain::{PretrainingEvent, PretrainingPlan, PretrainingSummary, pretrain};
use clover_trainer::recipe::PretrainingRecipe;
use clover_trainer::report::{EventFile, Report};

use crate::arguments::{Pretrain, Resume};
use crate::device::Work;
use crate::display::Display;
use crate::interrupt::Interrupt;
use crate::progress::say;

/// A run with its progress on the terminal.
struct Training {
    plan: PretrainingPlan,
    /// Where TensorBoard's event files go, if anywhere.
    events: Option<PathBuf>,
    display: Display,
    interrupt: Interrupt,
}

impl Work for Training {
    type Output = PretrainingSummary;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<PretrainingSummary> {
        let mut watch = Watch {
            display: self.display,
            folder: self.events,
            events: None,
            failure: None,
        };
        let summary = pretrain::<B>(&self.plan, &device, &mut |event| {
            if watch.see(&event).is_break() || self.interrupt.asked() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        watch.display.finish();
        match watch.failure {
            Some(failure) => Err(failure.into()),
            None => Ok(summary?),
        }
    }
}

/// Everything that hears of a run while it goes.
struct Watch {
    display: Display,
    folder: Option<PathBuf>,
    events: Option<EventFile>,
    /// Why the events could not be written; the run is over then.
    failure: Option<TrainerError>,
}

impl Watch {
    fn see(&mut self, event: &PretrainingEvent<'_>) -> ControlFlow<()> {
        let shown = self.display.show(event);
        match self.record(event) {
            Ok(()) => shown,
            Err(failure) => {
                self.failure.get_or_insert(failure);
                ControlFlow::Break(())
            }
        }
    }

    fn record(&mut self, event: &PretrainingEvent<'_>) -> Result<(), TrainerError> {
        match (event, &self.folder, &mut self.events) {
            (PretrainingEvent::Started { done_steps, .. }, Some(folder), _) => {
                self.events = Some(EventFile::create(folder, *done_steps)?);
                Ok(())
            }
            (PretrainingEvent::Step(metrics), _, Some(events)) => events.append(metrics),
            _ => Ok(()),
        }
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
        events: arguments.tensorboard.then(|| folder.join("tensorboard")),
        display: Display::new(arguments.dashboard)?,
        plan: PretrainingPlan {
            images: arguments.images,
            validation: arguments.validation,
            start_from: arguments.start_from,
            resume: arguments.resume.is_some(),
            max_steps: arguments.max_steps,
            ..PretrainingPlan::new(
                recipe.clone(),
                arguments.data,
                arguments.vocab,
                arguments.out,
            )
        },
        interrupt: Interrupt::listen()?,
    };
    let summary = arguments
        .device
        .train(training, recipe.gradient_checkpointing)?;
    let report = folder.join("report.html");
    Report::of_pretraining(&recipe, &summary)?.write_html(&report)?;
    say_end(&summary, &folder, &report);
    Ok(())
}

fn say_end(summary: &PretrainingSummary, folder: &Path, report: &Path) {
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
    say_models(summary);
    if summary.finished {
        say("done");
    } else {
        let folder = folder.display();
        say(&format!("stopped; --resume goes on from {folder}"));
    }
    say(&format!("the curves lie in {}", report.display()));
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
