//! `clover demo`: the whole system on clips it renders itself, in a few minutes.
//!
//! The clips are real files, and training goes the way of `clover pretrain`; what is measured are
//! held-out combinations of attributes that no training clip shows.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use burn::tensor::backend::{AutodiffBackend, Backend};
use clover_data::dataset::ClipTable;
use clover_inference::{
    Bundle, Calibration, EmbeddedTable, Embedder, IndexEvent, IndexSettings, IndexWriter,
    LibrarySource, NeutralTexts, UpdateOptions, VideoIndex,
};
use clover_synthetic::{BenchmarkConfig, BenchmarkFiles, Split};
use clover_trainer::evaluate::{ListRetrieval, list_retrieval};
use clover_trainer::metric::RetrievalMetrics;
use clover_trainer::pretrain::{PretrainingPlan, PretrainingSummary, pretrain};
use clover_trainer::recipe::{PretrainingRecipe, Recipe};
use clover_trainer::report::{Report, RetrievalScores, training_charts};

use super::demo_queries::queries;
use super::render::with_bar;
use crate::arguments::Demo;
use crate::device::Work;
use crate::interrupt::Interrupt;
use crate::processes::processors;
use crate::progress::{TrainingProgress, bar, print_line};

/// The share of combinations that is held out; the clips to measure with show each once.
const TEST_SHARE: f64 = 0.25;
/// Where the clips to measure with can be searched.
const INDEX: &str = "index";

pub(super) fn run(arguments: Demo) -> Result<()> {
    if arguments.full {
        return super::demo_full::run(&arguments);
    }
    let device = arguments.device;
    let folder = arguments.out.clone();
    let demonstration = Demonstration {
        arguments,
        interrupt: Interrupt::listen()?,
    };
    let Some(report) = device.run(demonstration)? else {
        print_line("stopped; the same command goes on from here");
        return Ok(());
    };
    let [json, html] = ["report.json", "report.html"].map(|file| folder.join(file));
    report.write_json(&json)?;
    report.write_html(&html)?;
    print_line(&format!(
        "the report lies in {} and {}",
        html.display(),
        json.display()
    ));
    Ok(())
}

/// All of it on one device; nothing comes out when it was interrupted.
struct Demonstration {
    arguments: Demo,
    interrupt: Interrupt,
}

impl Work for Demonstration {
    type Output = Option<Report>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Option<Report>> {
        let recipe = self.recipe()?;
        let mut seconds = Vec::new();
        let files = timed("rendering", &mut seconds, || self.render(&recipe))?;
        let folder = self.arguments.out.join("run");
        let plan = PretrainingPlan {
            resume: true,
            ..PretrainingPlan::new(recipe, files.train.pairs, files.vocabulary, folder)
        };
        let summary = timed("training", &mut seconds, || self.train::<B>(&plan, &device))?;
        if !summary.finished {
            return Ok(None);
        }
        let bundle = Bundle::<B::InnerBackend>::read(&summary.bundle, &device)?;
        let embedder = bundle.into_embedder(device);
        let held_out = ClipTable::open(&files.test.pairs, None, &|_, _| ())?;
        let reading = (plan.recipe.workers, plan.recipe.max_failed_share);
        let measured = timed("evaluation", &mut seconds, || {
            measure(&embedder, &held_out, reading)
        })?;
        NeutralTexts::of_embedded(&held_out, &measured.1).write(&summary.bundle)?;
        let test = (files.test.pairs.as_path(), &held_out);
        timed("indexing", &mut seconds, || {
            self.index(&summary.bundle, test, &embedder)
        })?;
        let report = self.report(&plan, &summary, &embedder, (&held_out, measured), seconds)?;
        self.print_next(&summary.bundle, &held_out);
        Ok(Some(report))
    }
}

impl Demonstration {
    fn recipe(&self) -> Result<PretrainingRecipe> {
        let mut recipe = PretrainingRecipe::shipped("demo")?;
        recipe.seed = self.arguments.seed;
        if let Some(epochs) = self.arguments.epochs {
            recipe.epochs = epochs;
            recipe.warmup_epochs = recipe.warmup_epochs.min(epochs / 4);
        }
        Ok(recipe)
    }

    fn render(&self, recipe: &PretrainingRecipe) -> Result<BenchmarkFiles> {
        let config = BenchmarkConfig {
            size: recipe.image_size,
            seed: self.arguments.seed,
            ..BenchmarkConfig::one_shape(self.arguments.train_clips, TEST_SHARE)
        };
        let folder = self.arguments.out.join("clips");
        let files = with_bar(&config, &folder)?;
        print_line(&format!(
            "rendered {} clips to train on and {} to measure with in {}",
            config.range(Split::Train).len(),
            config.range(Split::Test).len(),
            folder.display()
        ));
        Ok(files)
    }

    fn train<B: AutodiffBackend>(
        &self,
        plan: &PretrainingPlan,
        device: &B::Device,
    ) -> Result<PretrainingSummary> {
        let mut progress = TrainingProgress::new(None);
        let summary = pretrain::<B>(plan, device, &mut |event| {
            progress.show(&event);
            if self.interrupt.asked() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        progress.finish();
        summary.with_context(|| {
            format!(
                "in {}; another --out starts anew",
                self.arguments.out.display()
            )
        })
    }

    /// Makes the held-out clips searchable.
    fn index<B: Backend>(
        &self,
        bundle: &Path,
        (list, held_out): (&Path, &ClipTable),
        embedder: &Embedder<B>,
    ) -> Result<()> {
        let folder = self.arguments.out.join(INDEX);
        let _ = fs::remove_dir_all(&folder);
        let settings = IndexSettings::of_bundle(bundle)?;
        let mut writer = IndexWriter::open(&folder, &settings)?;
        let source = writer.source(LibrarySource::of(list.canonicalize()?), held_out.clone())?;
        let options = UpdateOptions::new(processors(), &[])?;
        let go_on = &mut |_: IndexEvent<'_>| ControlFlow::Continue(());
        writer.update(embedder, &[source], &options, go_on)?;
        let index = VideoIndex::open(&folder)?;
        let neutral = NeutralTexts::of_bundle(&settings.bundle, embedder.tokenizer())?;
        Calibration::measure(&index, embedder, &neutral)?;
        Ok(())
    }

    /// What can be done with what the demo made; the commands work as they are printed.
    fn print_next(&self, bundle: &Path, held_out: &ClipTable) {
        let program = std::env::args()
            .next()
            .unwrap_or_else(|| "clover".to_owned());
        let (index, query) = (self.arguments.out.join(INDEX), &self.arguments.query);
        let (index, bundle) = (index.display(), bundle.display());
        let clip = held_out.file(0);
        let clip = clip.canonicalize().unwrap_or(clip);
        let clip = clip.display();
        for line in [
            "to try next:".to_owned(),
            format!("  {program} search {index} \"{query}\""),
            format!("  {program} search {index} --like {clip} --top 3"),
            format!(
                "  {program} ask {bundle} {clip} \"the shape moves to the\" --choices left right top bottom"
            ),
        ] {
            print_line(&line);
        }
    }

    fn report<B: Backend>(
        &self,
        plan: &PretrainingPlan,
        summary: &PretrainingSummary,
        embedder: &Embedder<B>,
        (held_out, (retrieval, embedded)): (&ClipTable, (ListRetrieval, EmbeddedTable)),
        seconds: Vec<(String, f64)>,
    ) -> Result<Report> {
        let both = [
            ("text to video", &retrieval.text_to_video),
            ("video to text", &retrieval.video_to_text),
        ];
        let scores = both.map(|(name, metrics)| RetrievalScores::new(name, metrics.clone()));
        for score in &scores {
            say_scores(score);
        }
        let typed = &self.arguments.query;
        let queries = queries(embedder, held_out, &embedded, typed)?;
        if let Some(answer) = queries.first() {
            print_line(&format!("\"{}\" finds", answer.text));
            for found in &answer.results {
                let place = format!(
                    "{}. {} ({:.2})",
                    found.rank, found.caption, found.similarity
                );
                print_line(&format!("  {place} {}", found.name));
            }
        }
        let skipped = summary.skipped.iter().chain(&embedded.skipped);
        Ok(Report {
            title: "Clover on rendered clips".to_owned(),
            settings: settings(&self.arguments, &plan.recipe, held_out),
            charts: training_charts(&summary.metrics),
            retrieval: scores.into(),
            answers: Vec::new(),
            queries,
            skipped: skipped
                .map(|item| (item.name.clone(), item.reason.clone()))
                .collect(),
            seconds,
        })
    }
}

pub(super) fn timed<T>(
    phase: &str,
    seconds: &mut Vec<(String, f64)>,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let started = Instant::now();
    let output = work()?;
    seconds.push((phase.to_owned(), started.elapsed().as_secs_f64()));
    Ok(output)
}

fn measure<B: Backend>(
    embedder: &Embedder<B>,
    held_out: &ClipTable,
    reading: (usize, f64),
) -> Result<(ListRetrieval, EmbeddedTable)> {
    let progress = bar("measuring", held_out.len() as u64);
    let measured = list_retrieval(embedder, held_out.clone(), reading, |done, _| {
        progress.set_position(done as u64);
    });
    progress.finish_and_clear();
    Ok(measured?)
}

fn say_scores(scores: &RetrievalScores) {
    let RetrievalMetrics {
        recall_at_1,
        recall_at_5,
        recall_at_10,
        median_rank,
        ..
    } = scores.metrics;
    let [chance_1, chance_5, chance_10] = scores.chance_recall;
    print_line(&format!(
        "{}: R@1 {recall_at_1:.1} %, R@5 {recall_at_5:.1} %, R@10 {recall_at_10:.1} %, median rank \
         {median_rank} of {}; chance: {chance_1:.1} %, {chance_5:.1} %, {chance_10:.1} %, {}",
        scores.name, scores.metrics.candidates, scores.chance_median_rank
    ));
}

/// What the run can be repeated from.
fn settings(
    arguments: &Demo,
    recipe: &PretrainingRecipe,
    held_out: &ClipTable,
) -> Vec<(String, String)> {
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
