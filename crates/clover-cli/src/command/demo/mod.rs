//! `clover demo`: the whole system on clips it renders itself, or on a user's own, in a few minutes.
//!
//! A tiny Clover is pre-trained on captioned clips, measured as it is, and fine-tuned from there on retrieval, on
//! open-ended questions and on multiple choice; what comes of it can be searched and asked.
//! The clips are real files, and training goes the way of `clover pretrain` and `clover finetune`; what is
//! measured are held-out combinations of attributes that no training clip shows, beside what needs no model.
//!
//! A user's own clips are split first, and have no questions: they go the same way as far as the first measurement,
//! with the model that did best on the clips to validate with.

mod clips;
mod queries;
mod suggested_commands;
mod tables;
mod tasks;
mod tuning;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::ClipTable;
use clover_data::files::FolderLock;
use clover_inference::{Bundle, Embedder, IndexEvent, LibrarySource, UpdateOptions, index_clips};
use clover_synthetic::BenchmarkFiles;
use clover_trainer::RunRecord;
use clover_trainer::devices::Peer;
use clover_trainer::evaluate::{
    EmbeddedList, Evaluated, EvaluationPlan, PairTests, TaskMetrics, list_retrieval,
    measure_pair_tests,
};
use clover_trainer::pretrain::{PretrainingPlan, PretrainingSummary, pretrain};
use clover_trainer::recipe::{PretrainingRecipe, Recipe};
use clover_trainer::report::{Report, RetrievalScores, SkillScores, pretraining_charts};

use self::clips::DemoClips;
use self::queries::{queries, sentences};
use self::suggested_commands::shown_clip;
use self::tables::{LastColumn, score_lines, summary};
use self::tasks::{ANSWERS, CHOICES, DemoTask, RETRIEVAL};
use super::evaluate::{Measuring, write_all};
use super::kept_run::{kept_record, time_of};
use crate::arguments::{Demo, Serve};
use crate::device::{Work, processors};
use crate::interrupt::{Interrupt, Interrupted};
use crate::output::{note, print_line};
use crate::progress::{TrainingProgress, bar};

/// Where pre-training lies.
const RUN: &str = "run";
/// Where the clips to measure with can be searched.
const INDEX: &str = "index";
/// For which own clips are learned, where nothing else is said.
const USUAL_TIME: Duration = Duration::from_secs(600);

pub(crate) fn run(arguments: Demo) -> Result<()> {
    let (device, folder) = (arguments.device, arguments.out.clone());
    let own = arguments.data.is_some();
    let (serve, answers) = (arguments.serve, !arguments.quick && !own);
    let recipe = match &arguments.recipe {
        Some(recipe) => PretrainingRecipe::open(recipe)?,
        None => PretrainingRecipe::shipped(usual_recipe(&arguments))?,
    };
    let recipe = recipe.with_overrides(&arguments.keys.0)?;
    let _lock = FolderLock::take(&folder)?;
    let demonstration = Demonstration {
        at_a_time: if device.is_cpu() {
            processors().min(2)
        } else {
            1
        },
        recipe,
        time: time(&arguments)?,
        arguments,
        interrupt: Interrupt::listen()?,
    };
    let Some((report, commands)) = device.run(demonstration)? else {
        bail!(Interrupted(
            "stopped; the same command goes on from here".to_owned()
        ));
    };
    let last = match own {
        true => LastColumn::Interval,
        false => LastColumn::BestFixed,
    };
    for line in score_lines(&report, last) {
        print_line(&line);
    }
    let [json, html] = ["report.json", "report.html"].map(|file| folder.join(file));
    report.write_json(&json)?;
    report.write_html(&html)?;
    note(&format!("the report lies in {}", html.display()));
    note("to try next:");
    for command in commands {
        note(&format!("  {command}"));
    }
    if !serve {
        return Ok(());
    }
    // What was fine-tuned on questions answers them.
    let answers = answers.then(|| folder.join(ANSWERS.name));
    super::serve::run(Serve::shown(folder.join(INDEX), answers, device))
}

/// How is learned, where nothing else is said.
fn usual_recipe(arguments: &Demo) -> &'static str {
    match arguments.data {
        Some(_) => "real",
        None => "demo",
    }
}

/// The time of pre-training; a run that goes on keeps its own.
fn time(arguments: &Demo) -> Result<Option<Duration>> {
    let keys = &arguments.keys.0;
    let kept = match kept_record(true, &arguments.out.join(RUN))? {
        Some(RunRecord::Pretraining(plan)) => Some(plan.time),
        _ => None,
    };
    let given = time_of(arguments.time, kept, keys)?;
    let is_new_of_own = kept.is_none() && arguments.data.is_some();
    let usual = Some(USUAL_TIME).filter(|_| is_new_of_own && given.is_none());
    // Epochs that are given take its place.
    Ok(given.or_else(|| time_of(usual, None, keys).ok().flatten()))
}

/// All of it on one device; nothing comes out when it was interrupted.
struct Demonstration {
    arguments: Demo,
    /// Of pre-training; its seed is that of everything.
    recipe: PretrainingRecipe,
    /// That pre-training may take, instead of the recipe's epochs.
    time: Option<Duration>,
    /// Fine-tunings side by side.
    at_a_time: usize,
    interrupt: Interrupt,
}

/// A model that finds clips, and what it measured on the held-out ones.
struct Searcher<B: AutodiffBackend> {
    bundle: PathBuf,
    embedder: Embedder<B::InnerBackend>,
    embedded: EmbeddedList,
}

impl Work for Demonstration {
    /// The report, and commands that work as they are.
    type Output = Option<(Report, Vec<String>)>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Self::Output> {
        let recipe = self.recipe.clone();
        let (title, preparing) = match &self.arguments.data {
            None => ("Clover on rendered clips".to_owned(), "rendering"),
            Some(data) => (format!("Clover on {}", data.display()), "splitting"),
        };
        let mut report = Report {
            title,
            ..Report::default()
        };
        let clips = report.timed(preparing, || DemoClips::prepare(&self.arguments, &recipe))?;
        let [_, _, test] = clips.lists();
        let held_out = ClipTable::open(test, None, &|_, _| ())?;
        let pair_tests = clips.rendered().and_then(|files| {
            let list = files.test.pair_tests.as_deref()?;
            Some(PairTests::read(list, Some(&files.clips)))
        });
        let pair_tests = pair_tests.transpose()?;
        let measured_with = (&held_out, pair_tests.as_ref());
        report.settings = self.settings(&recipe, (&clips, &held_out));
        let trained = report.timed("pre-training", || {
            self.pretrain::<B>(recipe, &clips, &device)
        })?;
        if !trained.finished {
            return Ok(None);
        }
        report.charts = pretraining_charts(&trained);
        let skipped = clips.skipped().iter().chain(&trained.skipped);
        report.skipped = skipped
            .map(|item| (item.name.clone(), item.reason.clone()))
            .collect();
        let shown = match (clips.rendered(), trained.best) {
            (None, Some(best)) => best.folder,
            _ => trained.bundle,
        };
        let mut searcher =
            self.measure_retrieval::<B>((shown, "zero-shot"), measured_with, &device, &mut report)?;
        let mut commands = Vec::new();
        if let Some(files) = clips.rendered().filter(|_| !self.arguments.quick) {
            let tuned = report.timed("fine-tuning", || {
                self.tune::<B>(files, &searcher.bundle, &device)
            })?;
            let Some([answers, choices, retrieval]) = tuned.as_deref() else {
                return Ok(None);
            };
            searcher = self.measure_retrieval::<B>(
                (retrieval.clone(), "fine-tuned"),
                measured_with,
                &device,
                &mut report,
            )?;
            let tuned = [
                (&RETRIEVAL, retrieval),
                (&ANSWERS, answers),
                (&CHOICES, choices),
            ];
            for (task, bundle) in tuned {
                let found = self.measure::<B>(task, (files, bundle), &device, &mut report)?;
                commands.extend(self.ask(bundle, &found));
            }
        } else {
            commands.extend(self.ask_by_similarity(&searcher, (&clips, &held_out)));
        }
        report.timed("indexing", || self.index(&searcher, (test, &held_out)))?;
        let measured = (&held_out, &searcher.embedded);
        let typed = self.arguments.query.as_deref();
        let sentences = sentences(&clips, typed, measured);
        report.queries = queries(&searcher.embedder, measured, sentences)?;
        report.summary = summary(&report);
        let query = report.queries.first().map_or("", |first| &first.text);
        commands.splice(0..0, self.search_commands(query, &shown_clip(measured)));
        if clips.rendered().is_none() {
            commands.extend(self.serve_commands(&searcher.bundle, &clips));
        }
        Ok(Some((report, commands)))
    }
}

/// Wall time by phase.
trait Timed {
    fn timed<T>(&mut self, phase: &str, work: impl FnOnce() -> Result<T>) -> Result<T>;
}

impl Timed for Report {
    fn timed<T>(&mut self, phase: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let output = work()?;
        let seconds = started.elapsed().as_secs_f64();
        note(&format!("{phase}: {seconds:.0} s"));
        self.seconds.push((phase.to_owned(), seconds));
        Ok(output)
    }
}

impl Demonstration {
    fn pretrain<B: AutodiffBackend>(
        &self,
        recipe: PretrainingRecipe,
        clips: &DemoClips,
        device: &B::Device,
    ) -> Result<PretrainingSummary> {
        let folder = self.arguments.out.join(RUN);
        // What is told apart along the way; the best model is chosen by clips that are not measured with at
        // the end. Of rendered clips, it is not the one that is shown.
        let validates = recipe.validate_every > 0;
        let [train, validation, _] = clips.lists();
        let files = clips.rendered();
        let pair_tests = files.and_then(|files| files.test.pair_tests.clone());
        let plan = PretrainingPlan {
            resume: true,
            time: self.time,
            videos: files.map(|files| files.clips.clone()),
            validation: validates.then(|| validation.to_owned()),
            pair_tests: pair_tests.filter(|_| validates),
            // The pieces of own clips are made of their captions.
            vocabulary: files.map(|files| files.vocabulary.clone()),
            ..PretrainingPlan::new(recipe, train, "", folder)
        };
        let mut progress = TrainingProgress::new(None);
        let summary = pretrain::<B>(&plan, &Peer::alone(), device, &mut |event| {
            progress.show(&event);
            self.goes_on()
        });
        progress.finish();
        summary.with_context(|| self.elsewhere())
    }

    /// Measures a bundle that finds clips and tells sentences apart, and lets it know how its sentences score.
    fn measure_retrieval<B: AutodiffBackend>(
        &self,
        (folder, name): (PathBuf, &str),
        (held_out, pair_tests): (&ClipTable, Option<&PairTests>),
        device: &B::Device,
        report: &mut Report,
    ) -> Result<Searcher<B>> {
        let bundle = Bundle::<B::InnerBackend>::read(&folder, device)?;
        let embedder = bundle.into_embedder(device.clone());
        let progress = bar("measuring", held_out.len() as u64);
        let measured = list_retrieval(&embedder, held_out.clone(), (1, 0.5), |done, _| {
            progress.set_position(done as u64);
        });
        progress.finish_and_clear();
        let (retrieval, embedded) = measured?;
        embedded.neutral_texts(held_out).write(&folder)?;
        for (direction, metrics) in [
            ("text to video", retrieval.text_to_video),
            ("video to text", retrieval.video_to_text),
        ] {
            let scores = RetrievalScores::new(format!("{name}, {direction}"), metrics);
            report.retrieval.push(scores);
        }
        if let Some(tests) = pair_tests {
            // Of the same clips: what cannot be read is known already.
            let (skills, _) = measure_pair_tests(&embedder, tests, (1, 0.5), |_, _| ())?;
            let name = name.to_owned();
            report.skills.push(SkillScores { name, skills });
        }
        let skipped = embedded.skipped.iter();
        let skipped = skipped.map(|item| (item.name.clone(), item.reason.clone()));
        report.skipped.extend(skipped);
        Ok(Searcher {
            bundle: folder,
            embedder,
            embedded,
        })
    }

    /// Evaluates a fine-tuned bundle as `clover evaluate` does.
    fn measure<B: AutodiffBackend>(
        &self,
        task: &DemoTask,
        (files, bundle): (&BenchmarkFiles, &Path),
        device: &B::Device,
        report: &mut Report,
    ) -> Result<Evaluated> {
        let recipe = task.recipe(self.recipe.seed)?;
        let items = task.test_items(files);
        let plan = EvaluationPlan::new(task.name, recipe.clone(), bundle, items);
        let found = Measuring(plan).run::<B>(device.clone())?;
        let folder = self.arguments.out.join(task.name).join("evaluation");
        fs::create_dir_all(&folder)?;
        write_all(&folder, &found, &recipe, Vec::new())?;
        if let TaskMetrics::Answers(metrics) = &found.evaluation.metrics {
            let row = (task.name.to_owned(), metrics.accuracy.clone());
            report.answers.push(row);
        }
        Ok(found)
    }

    /// Makes the held-out clips searchable.
    fn index<B: AutodiffBackend>(
        &self,
        searcher: &Searcher<B>,
        (list, held_out): (&Path, &ClipTable),
    ) -> Result<()> {
        let folder = self.arguments.out.join(INDEX);
        let _ = fs::remove_dir_all(&folder);
        let model = (searcher.bundle.as_path(), &searcher.embedder);
        let source = (LibrarySource::of(list.canonicalize()?), held_out.clone());
        let options = UpdateOptions::new(processors(), &[])?;
        let go_on = &mut |_: IndexEvent<'_>| ControlFlow::Continue(());
        index_clips(&folder, model, source, &options, go_on)?;
        Ok(())
    }

    fn goes_on(&self) -> ControlFlow<()> {
        if self.interrupt.asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn elsewhere(&self) -> String {
        let folder = self.arguments.out.display();
        format!("in {folder}; another --out starts anew")
    }

    /// What the run can be repeated from.
    fn settings(
        &self,
        recipe: &PretrainingRecipe,
        (clips, held_out): (&DemoClips, &ClipTable),
    ) -> Vec<(String, String)> {
        let arguments = &self.arguments;
        let given = arguments.recipe.as_ref();
        let given = given.map(|recipe| recipe.display().to_string());
        let length = match self.time {
            None => ("epochs", recipe.epochs.to_string()),
            Some(time) => ("seconds to pre-train in", time.as_secs().to_string()),
        };
        let keys = &arguments.keys.0;
        let changed = (!keys.is_empty()).then(|| ("keys given", keys.join(" ")));
        let settings = [
            ("device", format!("{:?}", arguments.device).to_lowercase()),
            ("recipe", given.unwrap_or(usual_recipe(arguments).into())),
            ("clips to train on", clips.train(arguments).to_string()),
            ("clips to measure with", held_out.len().to_string()),
            ("preset", recipe.preset.clone()),
            ("frames", recipe.frames.to_string()),
            ("image size", format!("{0} x {0}", recipe.image_size)),
            ("word pieces", recipe.text_len.to_string()),
            ("batch size", recipe.batch_size.to_string()),
            length,
            ("learning rate", format!("{:e}", recipe.learning_rate)),
            ("weight decay", recipe.weight_decay.to_string()),
            ("seed", recipe.seed.to_string()),
        ];
        let all = settings.into_iter().chain(changed);
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
