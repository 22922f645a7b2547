//! `clover pretrain`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::ManifestColumns;
use clover_trainer::devices::Peer;
#[cfg(feature = "collective")]
use clover_trainer::devices::{Group, Nodes};
use clover_trainer::pretrain::{
    LearningRateCurve, Observe, PretrainingEvent, PretrainingPlan, PretrainingSummary,
    find_learning_rate, pretrain,
};
use clover_trainer::recipe::{PretrainingRecipe, Recipe};
use clover_trainer::report::{EventFile, Report};
use clover_trainer::{RunRecord, TrainerError};

use super::bundle_folder::bundle_folder;
use super::kept_run::{
    end, kept_record, note_early_stop, of_a_new_run, or_begin_anew, replace, time_of,
};
use crate::arguments::{DeviceGroup, Pretrain};
use crate::device::{Work, numbered_device};
use crate::display::Display;
use crate::interrupt::{Interrupt, Interrupted};
use crate::output::{note, print_line};
use crate::progress::TrainingProgress;

/// Instead of the path of a vocabulary: one is made of the captions.
const AUTO: &str = "auto";

/// A run with its progress on the terminal.
struct Training {
    plan: PretrainingPlan,
    group: DeviceGroup,
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
        let observe: &mut Observe<'_> = &mut |event| {
            if watch.see(&event).is_break() || self.interrupt.asked() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let summary = match self.group.numbers[..] {
            [number] if self.group.is_alone() => {
                numbered_device::<B>(device, number).and_then(|device| {
                    Ok(pretrain::<B>(&self.plan, &Peer::alone(), &device, observe)?)
                })
            }
            _ => train_together::<B>(&self.plan, &self.group, &device, observe),
        };
        watch.display.finish();
        match watch.failure {
            Some(failure) => Err(failure.into()),
            None => summary,
        }
    }
}

/// Trains as one device, or several, of a group.
#[cfg(feature = "collective")]
fn train_together<B: AutodiffBackend>(
    plan: &PretrainingPlan,
    group: &DeviceGroup,
    device: &B::Device,
    observe: &mut Observe<'_>,
) -> Result<PretrainingSummary> {
    let devices = group.numbers.iter();
    let devices = devices.map(|&number| numbered_device::<B>(device.clone(), number));
    let nodes = group.nodes.as_ref().map(|place| Nodes {
        count: place.count,
        node: place.node,
        orchestrator: place.orchestrator.clone(),
    });
    let together = Group::<B::InnerBackend> {
        devices: devices.collect::<Result<_>>()?,
        nodes,
        timeout: group.timeout,
    };
    Ok(clover_trainer::pretrain::pretrain_on::<B>(
        plan, &together, observe,
    )?)
}

#[cfg(not(feature = "collective"))]
fn train_together<B: AutodiffBackend>(
    _: &PretrainingPlan,
    _: &DeviceGroup,
    _: &B::Device,
    _: &mut Observe<'_>,
) -> Result<PretrainingSummary> {
    anyhow::bail!("this program was built without the feature `collective`")
}

/// Everything that is told of a run while it goes.
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
            (PretrainingEvent::Step(metrics), _, Some(events)) => {
                events.append(metrics.step, &metrics.scalars())
            }
            (PretrainingEvent::Validated { metrics, .. }, _, Some(events)) => {
                events.append(metrics.step, &metrics.scalars())
            }
            _ => Ok(()),
        }
    }
}

/// A range test with its progress on the terminal.
struct RangeTest {
    plan: PretrainingPlan,
    steps: u64,
    number: u16,
    interrupt: Interrupt,
}

impl Work for RangeTest {
    type Output = LearningRateCurve;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<LearningRateCurve> {
        let mut progress = TrainingProgress::new(Some(self.steps));
        let device = numbered_device::<B>(device, self.number)?;
        let curve = find_learning_rate::<B>(&self.plan, self.steps, &device, &mut |event| {
            progress.show(&event);
            match self.interrupt.asked() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        progress.finish();
        Ok(curve?)
    }
}

/// Suggests a learning rate, and leaves its curve behind.
fn find_rate(plan: PretrainingPlan, steps: u64, group: &DeviceGroup) -> Result<()> {
    let (true, &[number]) = (group.is_alone(), &group.numbers[..]) else {
        bail!("--find-lr: one device finds a learning rate for all");
    };
    let (folder, checkpointing) = (plan.folder.clone(), plan.recipe.gradient_checkpointing);
    let test = RangeTest {
        plan,
        steps,
        number,
        interrupt: Interrupt::listen()?,
    };
    let curve = group.backend.train(test, checkpointing)?;
    if !curve.finished {
        bail!(Interrupted(
            "stopped; no learning rate was found".to_owned()
        ));
    }
    let [_, image] = curve.write(&folder)?;
    let ended = if curve.diverged {
        ", where the loss diverged"
    } else {
        ""
    };
    note(&format!(
        "{} steps{ended}; the curve lies in {}",
        curve.points.len(),
        image.display()
    ));
    match curve.suggested {
        Some(rate) => print_line(&format!("learning_rate={rate:.1e}")),
        None => bail!("the loss fell at no rate: the curve suggests no learning rate"),
    }
    Ok(())
}

pub(crate) fn run(arguments: Pretrain) -> Result<()> {
    let plan = plan(&arguments)?;
    if let Some(steps) = arguments.find_lr {
        return find_rate(plan, steps, &arguments.devices.group()?);
    }
    let (recipe, max_steps) = (plan.recipe.clone(), plan.max_steps);
    let folder = arguments.out.clone();
    let group = arguments.devices.group()?;
    let (backend, first) = (group.backend, group.is_first_node());
    let training = Training {
        group,
        events: (arguments.tensorboard && first).then(|| folder.join("tensorboard")),
        display: Display::new(arguments.dashboard, arguments.max_steps)?,
        plan,
        interrupt: Interrupt::listen()?,
    };
    let summary = backend
        .train(training, recipe.gradient_checkpointing)
        .map_err(|error| or_begin_anew(error, "--start-from", &folder))?;
    if !first {
        note("done; the first node has the report");
        return Ok(());
    }
    let report = folder.join("report.html");
    Report::of_pretraining(&recipe, &summary)?.write_html(&report)?;
    note_early_stop(&summary, recipe.early_stopping);
    print_summary(&summary, &report);
    let step = summary.metrics.last().map_or(0, |last| last.step);
    end("pretrain", &folder, (summary.finished, step), max_steps)
}

/// What is to be done: what the folder of a resumed run keeps, and what is given.
fn plan(arguments: &Pretrain) -> Result<PretrainingPlan> {
    let folder = &arguments.out;
    let kept = match kept_record(arguments.resume, folder)? {
        Some(RunRecord::Pretraining(plan)) => Some(*plan),
        Some(RunRecord::Finetuning(_)) => bail!(
            "{}: is the folder of a fine-tuning: `clover finetune --resume` goes on with it",
            folder.display()
        ),
        None => None,
    };
    let recipe = match (&arguments.recipe, &kept) {
        (None, Some(kept)) => kept.recipe.clone(),
        (name, _) => PretrainingRecipe::open(name.as_deref().unwrap_or("pretrain".as_ref()))?,
    };
    let preset = arguments
        .preset
        .iter()
        .map(|preset| format!("preset={preset}"));
    let keys: Vec<String> = preset.chain(arguments.keys.0.iter().cloned()).collect();
    let recipe = recipe.with_overrides(&keys)?;
    let time = time_of(arguments.time, kept.as_ref().map(|kept| kept.time), &keys)?;

    let bundle = arguments
        .start_from
        .as_deref()
        .map(bundle_folder)
        .transpose()?;
    let vocabulary = match arguments.vocab.as_deref() {
        Some(auto) if auto == Path::new(AUTO) && bundle.is_some() => bail!(
            "--vocab auto: a model that starts from a bundle knows the word pieces of the bundle: leave --vocab out"
        ),
        Some(auto) if auto == Path::new(AUTO) => Some(None),
        Some(given) => Some(Some(given.to_owned())),
        None => None,
    };

    let mut plan = match kept {
        Some(kept) => PretrainingPlan { recipe, ..kept },
        None => {
            let data = of_a_new_run("--data", &arguments.data, folder)?;
            // A model that starts from a bundle knows the bundle's words.
            let otherwise = bundle.clone().map(Some);
            let vocabulary = vocabulary.clone().or(otherwise);
            PretrainingPlan {
                vocabulary: of_a_new_run("--vocab", &vocabulary, folder)?,
                ..PretrainingPlan::new(recipe, data, "", folder)
            }
        }
    };
    replace(&mut plan.data, &arguments.data);
    replace(&mut plan.vocabulary, &vocabulary);
    for (kept, given) in [
        (&mut plan.videos, &arguments.videos),
        (&mut plan.images, &arguments.images),
        (&mut plan.validation, &arguments.validation),
        (&mut plan.pair_tests, &arguments.pair_tests),
        (&mut plan.start_from, &bundle),
    ] {
        *kept = given.clone().or(kept.take());
    }
    let columns = arguments.columns.clone().into();
    if columns != ManifestColumns::default() {
        plan.columns = columns;
    }
    plan.time = time;
    plan.resume = arguments.resume;
    plan.max_steps = arguments.max_steps;
    Ok(plan)
}

fn print_summary(summary: &PretrainingSummary, report: &Path) {
    if !summary.skipped.is_empty() {
        note(&format!("{} items were skipped", summary.skipped.len()));
    }
    if let Some(last) = summary.metrics.last() {
        let first = summary.metrics[0].total;
        note(&format!(
            "loss {first:.3} at first, {:.3} after {} steps",
            last.total, last.step
        ));
    }
    print_models(summary);
    note(&format!("the curves lie in {}", report.display()));
}

/// Which model lies where.
fn print_models(summary: &PretrainingSummary) {
    let step = summary.metrics.last().map_or(0, |last| last.step);
    let bundle = summary.bundle.display();
    note(&format!("the model after step {step} lies in {bundle}"));
    if let Some(best) = &summary.best {
        note(&format!(
            "the best by validation, after step {} with recalls of {:.1} in all, lies in {}",
            best.metrics.step,
            best.metrics.retrieval.recall_sum,
            best.folder.display()
        ));
    }
}
