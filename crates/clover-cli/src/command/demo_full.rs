//! `clover demo --full`: the rendered benchmark end to end, from drawing to answers.
//!
//! A tiny Clover is pre-trained on captioned clips of a single shape, measured as it is, and fine-tuned
//! on retrieval, then, from there, on open-ended questions and on multiple choice; all figures are of
//! clips and combinations that training never shows, and stand beside those of chance or of the best
//! constant answer.

mod side_by_side;
mod table;
mod tasks;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::backend::AutodiffBackend;
use clover_synthetic::{BenchmarkFiles, Split};
use clover_trainer::evaluate::{Evaluated, EvaluationPlan};
use clover_trainer::finetune::FinetuningPlan;
use clover_trainer::pretrain::{PretrainingPlan, pretrain};
use clover_trainer::recipe::{AblationRecipe, Recipe};
use clover_trainer::report::{Chart, Report, training_charts};

use self::side_by_side::tune_side_by_side;
use self::table::{add, table};
use self::tasks::{DemoTask, QUESTIONS, RETRIEVAL};
use super::demo::timed;
use super::evaluate::{Measuring, write_all};
use super::figures;
use super::finetune::Tuning;
use super::render::{benchmark_of, with_bar};
use crate::arguments::Demo;
use crate::device::Work;
use crate::interrupt::Interrupt;
use crate::processes::{processors, stop_with_input};
use crate::progress::{TrainingProgress, print_line};

/// The settings of drawing and pre-training.
const RECIPE: &str = "ablation/rendered";

/// The keys that differ: clips of a single shape, large enough for its outline to be seen, each with four
/// others that differ from it in one respect.
const CLIPS: [&str; 9] = [
    "benchmark.clips=5000",
    "benchmark.size=64",
    "benchmark.shapes=1",
    "benchmark.train_twins=true",
    "benchmark.questions_per_clip=4",
    "benchmark.test_share=0.05",
    "pretraining.image_size=56",
    "pretraining.text_len=28",
    "pretraining.epochs=2",
];

pub(super) fn run(arguments: &Demo) -> Result<()> {
    let folder = folder(arguments);
    let demonstration = FullDemonstration {
        folder: folder.clone(),
        arguments,
        recipe: AblationRecipe::open(RECIPE)?.with_overrides(&CLIPS)?,
        interrupt: Interrupt::listen()?,
    };
    if let Some(name) = &arguments.task {
        let mut tasks = QUESTIONS.into_iter();
        let task = tasks.find(|task| task.name == name);
        let task = task.with_context(|| format!("{name}: not a task of the demonstration"))?;
        stop_with_input(&demonstration.interrupt);
        return arguments.device.run(OneTask(demonstration, task));
    }
    let Some(report) = arguments.device.run(demonstration)? else {
        print_line("stopped; the same command goes on from here");
        return Ok(());
    };
    for line in table(&report) {
        print_line(&line);
    }
    let [json, html] = ["report.json", "report.html"].map(|file| folder.join(file));
    report.write_json(&json)?;
    report.write_html(&html)?;
    print_line(&format!("the report lies in {}", html.display()));
    Ok(())
}

fn folder(arguments: &Demo) -> PathBuf {
    arguments.out.join("full")
}

/// All of it on one device; nothing comes out when it was interrupted.
struct FullDemonstration<'a> {
    folder: PathBuf,
    arguments: &'a Demo,
    recipe: AblationRecipe,
    interrupt: Interrupt,
}

impl Work for FullDemonstration<'_> {
    type Output = Option<Report>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Option<Report>> {
        let mut seconds = Vec::new();
        let files = timed("rendering", &mut seconds, || self.render())?;
        let trained = timed("pre-training", &mut seconds, || {
            self.pretrain::<B>(&files, &device)
        })?;
        let Some((bundle, charts)) = trained else {
            return Ok(None);
        };
        let mut report = Report {
            title: "Clover on the rendered benchmark".to_owned(),
            settings: vec![
                ("recipe".to_owned(), RECIPE.to_owned()),
                ("its keys".to_owned(), CLIPS.join(", ")),
                ("seed".to_owned(), self.arguments.seed.to_string()),
            ],
            charts,
            ..Report::default()
        };
        let before = timed("zero-shot", &mut seconds, || {
            self.measure::<B>(&RETRIEVAL, &files, &bundle, "zero-shot", &device)
        })?;
        add(&mut report, "zero-shot", &before);
        let tuned = timed(RETRIEVAL.name, &mut seconds, || {
            self.tune::<B>(&RETRIEVAL, &files, &bundle, &device)
        })?;
        let Some(bundle) = tuned else {
            return Ok(None);
        };
        let found = self.measure::<B>(&RETRIEVAL, &files, &bundle, RETRIEVAL.name, &device)?;
        add(&mut report, RETRIEVAL.name, &found);
        let side_by_side = self.arguments.device.is_cpu() && processors() > 1;
        if side_by_side {
            timed("questions", &mut seconds, || {
                tune_side_by_side(&QUESTIONS, self.arguments, &self.interrupt)
            })?;
            if self.interrupt.asked() {
                return Ok(None);
            }
        }
        for task in QUESTIONS {
            let tune = || self.tune::<B>(task, &files, &bundle, &device);
            let tuned = if side_by_side {
                // It is found done.
                tune()?
            } else {
                timed(task.name, &mut seconds, tune)?
            };
            let Some(tuned) = tuned else {
                return Ok(None);
            };
            let found = self.measure::<B>(task, &files, &tuned, task.name, &device)?;
            add(&mut report, task.name, &found);
        }
        report.seconds = seconds;
        Ok(Some(report))
    }
}

/// Fine-tuning on one task of questions.
struct OneTask<'a>(FullDemonstration<'a>, &'a DemoTask);

impl Work for OneTask<'_> {
    type Output = ();

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<()> {
        let Self(demonstration, task) = self;
        // They lie there; who writes them once more is in the way of the processes beside this one.
        let files = BenchmarkFiles::in_folder(demonstration.benchmark());
        let bundle = demonstration.folder.join(RETRIEVAL.name).join("bundle");
        demonstration.tune::<B>(task, &files, &bundle, &device)?;
        Ok(())
    }
}

impl FullDemonstration<'_> {
    fn benchmark(&self) -> PathBuf {
        self.folder.join("benchmark")
    }

    fn render(&self) -> Result<BenchmarkFiles> {
        with_bar(&benchmark_of(&self.recipe)?, &self.benchmark())
    }

    /// The bundle and the curves; nothing when it was interrupted.
    fn pretrain<B: AutodiffBackend>(
        &self,
        files: &BenchmarkFiles,
        device: &B::Device,
    ) -> Result<Option<(PathBuf, Vec<Chart>)>> {
        let mut recipe = self.recipe.pretraining.clone();
        recipe.seed = self.arguments.seed;
        let (pairs, folder) = (&files.split(Split::Train).pairs, self.folder.join("run"));
        let plan = PretrainingPlan {
            resume: true,
            ..PretrainingPlan::new(recipe, pairs, &files.vocabulary, folder)
        };
        let mut progress = TrainingProgress::new(None);
        let summary = pretrain::<B>(&plan, device, &mut |event| {
            progress.show(&event);
            if self.interrupt.asked() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        progress.finish();
        let summary = summary?;
        let charts = training_charts(&summary.metrics);
        Ok(summary.finished.then_some((summary.bundle, charts)))
    }

    /// The fine-tuned bundle; nothing when it was interrupted.
    fn tune<B: AutodiffBackend>(
        &self,
        task: &DemoTask,
        files: &BenchmarkFiles,
        bundle: &Path,
        device: &B::Device,
    ) -> Result<Option<PathBuf>> {
        let (recipe, folder) = (
            task.recipe(self.arguments.seed)?,
            self.folder.join(task.name),
        );
        let train = task.items(files, Split::Train);
        let plan = FinetuningPlan {
            resume: true,
            ..FinetuningPlan::new(task.name, recipe, bundle, train, folder)
        };
        let tuning = Tuning {
            plan,
            interrupt: self.interrupt.clone(),
        };
        let summary = tuning.run::<B>(device.clone())?;
        Ok(summary.finished.then_some(summary.bundle))
    }

    fn measure<B: AutodiffBackend>(
        &self,
        task: &DemoTask,
        files: &BenchmarkFiles,
        bundle: &Path,
        out: &str,
        device: &B::Device,
    ) -> Result<Evaluated> {
        let recipe = task.recipe(self.arguments.seed)?;
        let test = task.items(files, Split::Test);
        let plan = EvaluationPlan::new(task.name, recipe.clone(), bundle, test);
        let found = Measuring(plan).run::<B>(device.clone())?;
        let folder = self.folder.join(format!("measured-{out}"));
        fs::create_dir_all(&folder)?;
        write_all(&folder, &found, &recipe, Vec::new())?;
        print_line(&format!(
            "{out}: {}",
            figures::in_a_line(&found.evaluation.figures)
        ));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_fit_the_recipe() {
        let recipe = AblationRecipe::open(RECIPE).unwrap();

        let recipe = recipe.with_overrides(&CLIPS).unwrap();

        assert!(benchmark_of(&recipe).unwrap().train_twins);
        assert_eq!(recipe.pretraining.image_size, 56);
    }
}
