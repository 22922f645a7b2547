//! A pre-training run: from a manifest to a model bundle, with checkpoints on the way.
//!
//! Chance is drawn from the run's seed and the step alone, so a run that was interrupted and
//! resumed sees the same batches, masks and dropout as one that was not.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_data::dataset::{
    BatchLoader, LoaderConfig, PairsFile, Position, PretrainingDataset, PretrainingSample,
    SkippedItem,
};
use clover_data::text::WordPieceTokenizer;
use clover_inference::write_bundle;
use clover_model::weights::{self, Naming};
use clover_model::{Clover, CloverConfig, Noise};

use super::metrics_file::{self, MetricsFile};
use super::same_recipe::{check_recipe, recipe_value};
use super::step::{PretrainingStep, StepMetrics, StepSettings};
use crate::TrainerError;
use crate::checkpoint::{Checkpoint, CheckpointState, Checkpoints, FORMAT_VERSION};
use crate::recipe::PretrainingRecipe;
use crate::schedule::Schedule;

/// Where a run reads and writes.
#[derive(Clone, Debug)]
pub struct PretrainingPlan {
    /// What the run depends on but its data.
    pub recipe: PretrainingRecipe,
    /// The pairs: a manifest, an annotation file with captions, or shards.
    pub data: PathBuf,
    /// The word pieces.
    pub vocabulary: PathBuf,
    /// The folder for checkpoints, metrics and the trained bundle.
    pub folder: PathBuf,
    /// Whether to go on from the last checkpoint, if there is one.
    pub resume: bool,
    /// Stop, with a checkpoint, after this many steps in all.
    pub max_steps: Option<u64>,
}

/// What a run tells while it goes.
#[derive(Debug)]
pub enum PretrainingEvent<'r> {
    /// Reading begins.
    Started {
        /// Parameters of the model.
        parameters: usize,
        /// Usable rows of the manifest.
        pairs: usize,
        /// Steps of the whole run.
        total_steps: u64,
        /// Steps done before, when resuming.
        done_steps: u64,
    },
    /// A damaged checkpoint was passed over.
    CheckpointRefused {
        /// Which, and why.
        reason: String,
    },
    /// An item was left out.
    Skipped(&'r SkippedItem),
    /// A step was done.
    Step(&'r StepMetrics),
    /// A checkpoint was written.
    Saved(&'r Path),
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct PretrainingSummary {
    /// The trained model's folder.
    pub bundle: PathBuf,
    /// All steps of the run, also those before a resume.
    pub metrics: Vec<StepMetrics>,
    /// Items left out, by name.
    pub skipped: Vec<SkippedItem>,
    /// Whether all epochs were done.
    pub finished: bool,
}

/// Runs, or resumes, pre-training. `observe` hears every event and may break off: the run then
/// writes a checkpoint and ends.
///
/// # Errors
///
/// The data, vocabulary or recipe cannot be used; a checkpoint belongs to another recipe; files
/// cannot be written; too many items are broken; or the loss diverges.
pub fn pretrain<B: AutodiffBackend>(
    plan: &PretrainingPlan,
    device: &B::Device,
    observe: &mut dyn FnMut(PretrainingEvent<'_>) -> ControlFlow<()>,
) -> Result<PretrainingSummary, TrainerError> {
    plan.recipe.validate()?;
    plan.recipe.precision.check::<B>(device)?;
    let tokenizer = WordPieceTokenizer::from_vocab_file(&plan.vocabulary)?;
    let config = plan.recipe.model(tokenizer.vocabulary().len())?;
    let manifest = PairsFile::open(&plan.data, None, &|_, _| ())?;
    let mut run = Run::<B>::prepare(plan, config, device, observe)?;
    let pairs = manifest.pairs.len();
    let dataset = PretrainingDataset::new(
        manifest.pairs,
        tokenizer.clone(),
        plan.recipe.dataset(&run.config),
    )?;
    let mut loader = BatchLoader::new(dataset, loader_config(&plan.recipe))?;
    let schedule = plan.recipe.schedule(loader.batches_per_epoch());

    let _ = observe(PretrainingEvent::Started {
        parameters: run.clover.num_params(),
        pairs,
        total_steps: schedule.total_iterations() as u64,
        done_steps: run.step,
    });
    for item in &manifest.skipped {
        let _ = observe(PretrainingEvent::Skipped(item));
    }
    let mut metrics = MetricsFile::open(&run.metrics_path(), run.step)?;
    let finished = run.train(&mut loader, &schedule, &mut metrics, observe)?;

    let bundle = plan.folder.join("bundle");
    let preprocessing = plan.recipe.preprocessing(&run.config);
    write_bundle(
        &bundle,
        &run.config,
        &run.clover,
        &tokenizer,
        &preprocessing,
    )?;
    let mut skipped = manifest.skipped;
    skipped.extend_from_slice(loader.skipped());
    Ok(PretrainingSummary {
        bundle,
        metrics: metrics_file::read(&run.metrics_path())?,
        skipped,
        finished,
    })
}

fn loader_config(recipe: &PretrainingRecipe) -> LoaderConfig {
    LoaderConfig {
        workers: recipe.workers,
        max_failed_share: recipe.max_failed_share,
        ..LoaderConfig::training(recipe.batch_size, recipe.seed)
    }
}

/// A run in progress.
struct Run<'p, B: AutodiffBackend> {
    plan: &'p PretrainingPlan,
    config: CloverConfig,
    device: B::Device,
    clover: Clover<B>,
    training: PretrainingStep<B>,
    checkpoints: Checkpoints,
    step: u64,
    position: Position,
}

impl<'p, B: AutodiffBackend> Run<'p, B> {
    /// A new model, or the one of the last checkpoint.
    fn prepare(
        plan: &'p PretrainingPlan,
        config: CloverConfig,
        device: &B::Device,
        observe: &mut dyn FnMut(PretrainingEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Self, TrainerError> {
        std::fs::create_dir_all(&plan.folder).map_err(|source| TrainerError::Write {
            path: plan.folder.clone(),
            source,
        })?;
        B::seed(device, plan.recipe.seed);
        let clover = config.init(device);
        // Parameters are drawn at their first use; drawing them now, in their order, makes them
        // depend on the seed alone.
        clover.visit(&mut Draw);
        let mut run = Self {
            plan,
            config,
            device: device.clone(),
            clover,
            training: PretrainingStep {
                objective: plan.recipe.objective().init(),
                optimizer: plan.recipe.optimizer().init(),
                clip_norm: plan.recipe.clip_norm,
                loss_limit: plan.recipe.loss_limit,
                precision: plan.recipe.precision,
            },
            checkpoints: Checkpoints::new(
                plan.folder.join("checkpoints"),
                plan.recipe.keep_checkpoints,
            ),
            step: 0,
            position: Position::default(),
        };
        run.restore(observe)?;
        Ok(run)
    }

    fn restore(
        &mut self,
        observe: &mut dyn FnMut(PretrainingEvent<'_>) -> ControlFlow<()>,
    ) -> Result<(), TrainerError> {
        let Some(loaded) = self.checkpoints.latest()? else {
            return Ok(());
        };
        if !self.plan.resume {
            return Err(TrainerError::FolderInUse {
                folder: self.plan.folder.clone(),
            });
        }
        for refused in &loaded.refused {
            let _ = observe(PretrainingEvent::CheckpointRefused {
                reason: refused.to_string(),
            });
        }
        let Checkpoint {
            model,
            optimizer,
            state,
        } = loaded.checkpoint;
        check_recipe(
            &loaded.path,
            &state.recipe,
            &recipe_value(&self.plan.recipe, &loaded.path)?,
        )?;
        let report = weights::from_bytes(&mut self.clover, &model, Naming::Native)?;
        if !report.is_complete() {
            return Err(TrainerError::IncompleteWeights {
                path: loaded.path,
                report: report.to_string(),
            });
        }
        self.training
            .optimizer
            .load_state(&self.clover, optimizer)?;
        self.step = state.step;
        // A position beyond any data set is the end of its epoch.
        let item = usize::try_from(state.position).unwrap_or(usize::MAX);
        self.position = Position {
            epoch: state.epoch,
            item,
        };
        Ok(())
    }

    fn metrics_path(&self) -> PathBuf {
        self.plan.folder.join("metrics.jsonl")
    }

    /// Trains until all epochs are done (true) or the observer or the step limit ends it (false).
    fn train(
        &mut self,
        loader: &mut BatchLoader<PretrainingDataset>,
        schedule: &Schedule,
        metrics: &mut MetricsFile,
        observe: &mut dyn FnMut(PretrainingEvent<'_>) -> ControlFlow<()>,
    ) -> Result<bool, TrainerError> {
        let mut reported = 0;
        while self.position.epoch < self.plan.recipe.epochs as u64 {
            let epoch = self.position.epoch;
            let mut batches = loader.epoch(self.position)?;
            let mut waiting = Instant::now();
            loop {
                let batch = batches.next();
                let data_seconds = waiting.elapsed().as_secs_f64();
                for item in &batches.skipped()[reported..] {
                    let _ = observe(PretrainingEvent::Skipped(item));
                }
                reported = batches.skipped().len();
                // Only now: an error must not hide which items led to it.
                let Some(batch) = batch.transpose()? else {
                    break;
                };
                let mut done = self.train_batch(batch.samples, schedule)?;
                self.position = batch.next;
                done.epoch = epoch;
                done.skipped = reported;
                done.data_seconds = data_seconds;
                done.clips_per_second = done.pairs as f64 / waiting.elapsed().as_secs_f64();
                metrics.append(&done)?;
                let broken_off = observe(PretrainingEvent::Step(&done)).is_break();
                let ends = broken_off || self.plan.max_steps.is_some_and(|max| self.step >= max);
                if ends || self.step.is_multiple_of(self.plan.recipe.checkpoint_every) {
                    self.save(observe)?;
                }
                if ends {
                    return Ok(false);
                }
                waiting = Instant::now();
            }
            self.position = Position {
                epoch: epoch + 1,
                item: 0,
            };
            self.save(observe)?;
        }
        Ok(true)
    }

    fn train_batch(
        &mut self,
        samples: Vec<PretrainingSample>,
        schedule: &Schedule,
    ) -> Result<StepMetrics, TrainerError> {
        let learning_rate =
            schedule.learning_rate(usize::try_from(self.step).unwrap_or(usize::MAX));
        let recipe = &self.plan.recipe;
        // Noise depends on the step and the place in the batch alone, whether the run was resumed
        // or not.
        let noise = Noise::of_batch(recipe.seed, self.step, samples.len());
        let (clover, step) = (self.clover.clone(), self.step + 1);
        let settings = StepSettings {
            step,
            learning_rate,
            noise: &noise,
        };
        let (clover, metrics) = match recipe.micro_batch {
            size if (1..samples.len()).contains(&size) => {
                self.training
                    .train_in_parts(clover, &samples, size, &self.device, &settings)?
            }
            _ => {
                let batch = PretrainingBatch::collate(&samples, &self.device);
                self.training.train(clover, batch, &settings)?
            }
        };
        self.clover = clover;
        self.step = step;
        Ok(metrics)
    }

    fn save(
        &self,
        observe: &mut dyn FnMut(PretrainingEvent<'_>) -> ControlFlow<()>,
    ) -> Result<(), TrainerError> {
        let path = self.checkpoints.save(&Checkpoint {
            model: weights::to_bytes(&self.clover, Naming::Native)?,
            optimizer: self.training.optimizer.state_tensors(),
            state: CheckpointState {
                format_version: FORMAT_VERSION,
                step: self.step,
                epoch: self.position.epoch,
                position: self.position.item as u64,
                seed: self.plan.recipe.seed,
                recipe: recipe_value(&self.plan.recipe, &self.plan.folder)?,
            },
        })?;
        let _ = observe(PretrainingEvent::Saved(&path));
        Ok(())
    }
}

/// Draws every parameter.
struct Draw;

impl<B: Backend> ModuleVisitor<B> for Draw {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let _ = param.val();
    }
}
