//! What the pre-trained model goes on to: questions first, then options and retrieval side by side.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::backend::AutodiffBackend;
use clover_synthetic::BenchmarkFiles;
use clover_trainer::finetune::{FinetuningEvent, FinetuningPlan, finetune};

use super::Demonstration;
use super::tasks::{ANSWERS, CHOICES, DemoTask, RETRIEVAL};
use crate::output::note;
use crate::side_by_side::{Ended, Lane, side_by_side};

/// A task, and the bundle that it is learned from.
struct Tuning<'p> {
    task: &'p DemoTask,
    start: &'p Path,
}

impl fmt::Display for Tuning<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.task.name)
    }
}

impl Demonstration {
    /// The bundles of [`ANSWERS`], [`CHOICES`] and [`RETRIEVAL`]; nothing when it was interrupted.
    pub(super) fn tune<B: AutodiffBackend>(
        &self,
        files: &BenchmarkFiles,
        pretrained: &Path,
        device: &B::Device,
    ) -> Result<Option<Vec<PathBuf>>> {
        let of = |task, start| Tuning { task, start };
        let first = [of(&ANSWERS, pretrained)];
        let Some(mut bundles) = self.tune_side_by_side::<B>(&first, files, device)? else {
            return Ok(None);
        };
        // What answers questions has learned to look at the clip, and needs few options to choose among them.
        let others = [of(&CHOICES, &*bundles[0]), of(&RETRIEVAL, pretrained)];
        let Some(others) = self.tune_side_by_side::<B>(&others, files, device)? else {
            return Ok(None);
        };
        bundles.extend(others);
        Ok(Some(bundles))
    }

    /// The fine-tuned bundles, in the order of the jobs; nothing when it was interrupted.
    fn tune_side_by_side<B: AutodiffBackend>(
        &self,
        jobs: &[Tuning<'_>],
        files: &BenchmarkFiles,
        device: &B::Device,
    ) -> Result<Option<Vec<PathBuf>>> {
        let mut tuned = vec![None; jobs.len()];
        let tune = |job: &Tuning<'_>, lane: &mut Lane| self.tune_one::<B>(job, files, device, lane);
        side_by_side(jobs, self.at_a_time, &self.interrupt, tune, |ended| {
            let Ended {
                job,
                result,
                seconds,
            } = ended;
            let bundle = result.with_context(|| job.task.name)?;
            if bundle.is_some() {
                note(&format!("{job}: fine-tuned after {seconds:.0} s"));
            }
            let places = jobs.iter().zip(&mut tuned);
            for (_, place) in places.filter(|(other, _)| other.task.name == job.task.name) {
                place.clone_from(&bundle);
            }
            Ok(())
        })?;
        Ok(tuned.into_iter().collect())
    }

    /// The fine-tuned bundle; nothing when it was interrupted.
    fn tune_one<B: AutodiffBackend>(
        &self,
        &Tuning { task, start }: &Tuning<'_>,
        files: &BenchmarkFiles,
        device: &B::Device,
        lane: &mut Lane,
    ) -> Result<Option<PathBuf>> {
        let folder = self.arguments.out.join(task.name);
        let recipe = task.recipe(self.recipe.seed)?;
        let items = task.training_items(files, &self.arguments.out)?;
        let plan = FinetuningPlan {
            resume: true,
            ..FinetuningPlan::new(task.name, recipe, start, items, folder)
        };
        let mut total = 0;
        let summary = finetune::<B>(&plan, device, &mut |event| {
            match event {
                FinetuningEvent::Started { total_steps, .. } => total = total_steps,
                FinetuningEvent::Step(metrics) => {
                    lane.tell(|| format!("step {}/{total} loss {:.3}", metrics.step, metrics.loss));
                }
                _ => {}
            }
            self.goes_on()
        })
        .with_context(|| self.elsewhere())?;
        Ok(summary.finished.then_some(summary.bundle))
    }
}
