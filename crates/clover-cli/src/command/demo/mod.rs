//! `clover demo`: the whole system on clips it renders itself, in a few minutes.
//!
//! A tiny Clover is pre-trained on captioned clips, measured as it is, and fine-tuned on retrieval, then,
//! from there, on open-ended questions and on multiple choice; what comes of it can be searched and asked.
//! The clips are real files, and training goes the way of `clover pretrain` and `clover finetune`; what is
//! measured are held-out combinations of attributes that no training clip shows, beside what needs no model.

mod queries;
mod tables;
mod tasks;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::ClipTable;
use clover_data::files::FolderLock;
use clover_inference::{Bundle, Embedder, IndexEvent, LibrarySource, UpdateOptions, index_clips};
use clover_synthetic::{BenchmarkConfig, BenchmarkFiles, Split};
use clover_trainer::devices::Peer;
use clover_trainer::evaluate::{
    EmbeddedList, Evaluated, EvaluationPlan, PairTests, Prediction, TaskMetrics, list_retrieval,
    measure_pair_tests,
};
use clover_trainer::finetune::{FinetuningEvent, FinetuningPlan, finetune};
use clover_trainer::pretrain::{PretrainingPlan, PretrainingSummary, pretrain};
use clover_trainer::recipe::{PretrainingRecipe, Recipe};
use clover_trainer::report::{Report, RetrievalScores, SkillScores, pretraining_charts};

use self::queries::queries;
use self::tables::{score_lines, summary};
use self::tasks::{ANSWERS, CHOICES, DemoTask, RETRIEVAL};
use super::evaluate::{Measuring, write_all};
use super::render::with_bar;
use crate::arguments::{Demo, Serve};
use crate::device::{Work, processors};
use crate::interrupt::{Interrupt, Interrupted};
use crate::output::{note, print_line};
use crate::progress::{TrainingProgress, bar};
use crate::side_by_side::{Ended, side_by_side};

/// The share of combinations that is held out; the clips to measure with show each once.
const TEST_SHARE: f64 = 0.25;
/// Where the clips to measure with can be searched.
const INDEX: &str = "index";

pub(crate) fn run(arguments: Demo) -> Result<()> {
    let (device, folder) = (arguments.device, arguments.out.clone());
    let (serve, quick) = (arguments.serve, arguments.quick);
    let _lock = FolderLock::take(&folder)?;
    let demonstration = Demonstration {
        at_a_time: if device.is_cpu() {
            processors().min(2)
        } else {
            1
        },
        recipe: PretrainingRecipe::shipped("demo")?.with_overrides(&arguments.keys.0)?,
        arguments,
        interrupt: Interrupt::listen()?,
    };
    let Some((report, commands)) = device.run(demonstration)? else {
        bail!(Interrupted(
            "stopped; the same command goes on from here".to_owned()
        ));
    };
    for line in score_lines(&report) {
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
    let answers = (!quick).then(|| folder.join(ANSWERS.name));
    super::serve::run(Serve::shown(folder.join(INDEX), answers, device))
}

/// All of it on one device; nothing comes out when it was interrupted.
struct Demonstration {
    arguments: Demo,
    /// Of pre-training; its seed is that of everything.
    recipe: PretrainingRecipe,
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
        let mut report = Report {
            title: "Clover on rendered clips".to_owned(),
            ..Report::default()
        };
        let files = report.timed("rendering", || self.render(&recipe))?;
        let held_out = ClipTable::open(&files.test.pairs, None, &|_, _| ())?;
        let pair_tests = files.test.pair_tests.as_deref();
        let pair_tests = pair_tests.map(|list| PairTests::read(list, Some(&files.clips)));
        let pair_tests = pair_tests.transpose()?;
        let measured_with = (&held_out, pair_tests.as_ref());
        report.settings = self.settings(&recipe, &held_out);
        let trained = report.timed("pre-training", || {
            self.pretrain::<B>(recipe, &files, &device)
        })?;
        if !trained.finished {
            return Ok(None);
        }
        report.charts = pretraining_charts(&trained);
        let skipped = trained.skipped.iter();
        report.skipped = skipped
            .map(|item| (item.name.clone(), item.reason.clone()))
            .collect();
        let mut searcher = self.measure_retrieval::<B>(
            (trained.bundle, "zero-shot"),
            measured_with,
            &device,
            &mut report,
        )?;
        let mut commands = Vec::new();
        if self.arguments.quick {
            commands.push(self.ask_by_similarity(&searcher.bundle, &held_out));
        } else {
            let before = &searcher.bundle;
            let tuned = report.timed(RETRIEVAL.name, || {
                self.tune::<B>(&[RETRIEVAL], &files, before, &device)
            })?;
            let Some([bundle]) = tuned.as_deref() else {
                return Ok(None);
            };
            self.measure::<B>(&RETRIEVAL, (&files, bundle), &device, &mut report)?;
            searcher = self.measure_retrieval::<B>(
                (bundle.clone(), "fine-tuned"),
                measured_with,
                &device,
                &mut report,
            )?;
            // Each goes on from the model fine-tuned on retrieval: sentences close to their clips make
            // it easier to answer about clips.
            let tuned = report.timed("questions", || {
                self.tune::<B>(&[ANSWERS, CHOICES], &files, &searcher.bundle, &device)
            })?;
            let Some([answers, choices]) = tuned.as_deref() else {
                return Ok(None);
            };
            for (task, bundle) in [(&ANSWERS, answers), (&CHOICES, choices)] {
                let found = self.measure::<B>(task, (&files, bundle), &device, &mut report)?;
                commands.extend(self.ask(bundle, &found));
            }
        }
        report.timed("indexing", || {
            self.index(&searcher, (&files.test.pairs, &held_out))
        })?;
        report.queries = queries(
            &searcher.embedder,
            &held_out,
            &searcher.embedded,
            &self.arguments.query,
        )?;
        report.summary = summary(&report);
        commands.splice(0..0, self.search_commands(&held_out));
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
    fn render(&self, recipe: &PretrainingRecipe) -> Result<BenchmarkFiles> {
        let config = BenchmarkConfig {
            size: recipe.image_size,
            seed: self.recipe.seed,
            questions_per_clip: 2,
            // As many as the recipe's groups: clips that differ in size or direction alone come into one batch.
            train_twins: recipe.group_size > 1,
            ..BenchmarkConfig::one_shape(self.arguments.train_clips, TEST_SHARE)
        };
        let folder = self.arguments.out.join("clips");
        let files = with_bar(&config, &folder)?;
        note(&format!(
            "rendered {} clips to train on and {} to measure with in {}",
            config.range(Split::Train).len(),
            config.range(Split::Test).len(),
            folder.display()
        ));
        Ok(files)
    }

    fn pretrain<B: AutodiffBackend>(
        &self,
        recipe: PretrainingRecipe,
        files: &BenchmarkFiles,
        device: &B::Device,
    ) -> Result<PretrainingSummary> {
        let folder = self.arguments.out.join("run");
        // What is told apart along the way; the best model is chosen by clips that are not measured with at
        // the end, and is not the one that is shown.
        let validates = recipe.validate_every > 0;
        let plan = PretrainingPlan {
            resume: true,
            videos: Some(files.clips.clone()),
            validation: validates.then(|| files.validation.pairs.clone()),
            pair_tests: files.test.pair_tests.clone().filter(|_| validates),
            ..PretrainingPlan::new(recipe, &files.train.pairs, &files.vocabulary, folder)
        };
        let mut progress = TrainingProgress::new(None);
        let summary = pretrain::<B>(&plan, &Peer::alone(), device, &mut |event| {
            progress.show(&event);
            self.goes_on()
        });
        progress.finish();
        summary.with_context(|| self.elsewhere())
    }

    /// The fine-tuned bundles, in the order of the tasks; nothing when it was interrupted.
    fn tune<B: AutodiffBackend>(
        &self,
        tasks: &[DemoTask],
        files: &BenchmarkFiles,
        bundle: &Path,
        device: &B::Device,
    ) -> Result<Option<Vec<PathBuf>>> {
        let mut tuned = vec![None; tasks.len()];
        let tune = |task: &DemoTask, lane: &mut crate::side_by_side::Lane| {
            let folder = self.arguments.out.join(task.name);
            let recipe = task.recipe(self.recipe.seed)?;
            let items = task.items(files, Split::Train);
            let plan = FinetuningPlan {
                resume: true,
                ..FinetuningPlan::new(task.name, recipe, bundle, items, folder)
            };
            let mut total = 0;
            let summary = finetune::<B>(&plan, device, &mut |event| {
                match event {
                    FinetuningEvent::Started { total_steps, .. } => total = total_steps,
                    FinetuningEvent::Step(metrics) => lane
                        .tell(|| format!("step {}/{total} loss {:.3}", metrics.step, metrics.loss)),
                    _ => {}
                }
                self.goes_on()
            })
            .with_context(|| self.elsewhere())?;
            Ok(summary.finished.then_some(summary.bundle))
        };
        side_by_side(tasks, self.at_a_time, &self.interrupt, tune, |ended| {
            let Ended {
                job,
                result,
                seconds,
            } = ended;
            let bundle = result.with_context(|| job.name)?;
            if bundle.is_some() {
                note(&format!("{job}: fine-tuned after {seconds:.0} s"));
            }
            let places = tasks.iter().zip(&mut tuned);
            for (_, place) in places.filter(|(task, _)| task.name == job.name) {
                place.clone_from(&bundle);
            }
            Ok(())
        })?;
        Ok(tuned.into_iter().collect())
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
        let items = task.items(files, Split::Test);
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

    fn search_commands(&self, held_out: &ClipTable) -> [String; 2] {
        let (program, index) = (program(), self.arguments.out.join(INDEX));
        let [index, query] =
            [&index.display().to_string(), &self.arguments.query].map(|word| quoted(word));
        let clip = quoted(&shown_clip(held_out));
        [
            format!("{program} search {index} {query}"),
            format!("{program} search {index} --like {clip} --top 3"),
        ]
    }

    /// A question to a model that has no answer head.
    fn ask_by_similarity(&self, bundle: &Path, held_out: &ClipTable) -> String {
        let (program, bundle) = (program(), quoted(&bundle.display().to_string()));
        let clip = quoted(&shown_clip(held_out));
        format!(
            "{program} ask {bundle} {clip} 'the shape moves to the' --choices left right top bottom"
        )
    }

    /// The first question of a measured list, with its options where it has some.
    fn ask(&self, bundle: &Path, found: &Evaluated) -> Option<String> {
        let Some(Prediction::Answered(first)) = found.predictions.first() else {
            return None;
        };
        let clip = found.clips.join(&first.clip);
        let [bundle, clip] = [bundle, &clip].map(|path| quoted(&path.display().to_string()));
        let question = quoted(&first.question);
        let mut command = format!("{} ask {bundle} {clip} {question}", program());
        if found.evaluation.task == CHOICES.name {
            command.push_str(" --choices");
            for option in &first.probabilities {
                command = format!("{command} {}", quoted(&option.name));
            }
        }
        Some(command)
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
    fn settings(&self, recipe: &PretrainingRecipe, held_out: &ClipTable) -> Vec<(String, String)> {
        let arguments = &self.arguments;
        [
            ("device", format!("{:?}", arguments.device).to_lowercase()),
            ("clips to train on", arguments.train_clips.to_string()),
            ("clips to measure with", held_out.len().to_string()),
            ("preset", recipe.preset.clone()),
            ("frames", recipe.frames.to_string()),
            ("image size", format!("{0} x {0}", recipe.image_size)),
            ("word pieces", recipe.text_len.to_string()),
            ("batch size", recipe.batch_size.to_string()),
            ("epochs", recipe.epochs.to_string()),
            ("learning rate", format!("{:e}", recipe.learning_rate)),
            ("weight decay", recipe.weight_decay.to_string()),
            ("seed", recipe.seed.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// How this program was called.
fn program() -> String {
    quoted(
        &std::env::args()
            .next()
            .unwrap_or_else(|| "clover".to_owned()),
    )
}

fn shown_clip(held_out: &ClipTable) -> String {
    let clip = held_out.file(0);
    clip.canonicalize().unwrap_or(clip).display().to_string()
}

/// A word of a command line.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "/._-:".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_command_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(quoted("runs/demo-1/index"), "runs/demo-1/index");
        assert_eq!(quoted("it's a $HOME"), "'it'\\''s a $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
