//! A pre-training run: from a manifest to a model bundle, with checkpoints on the way.
//!
//! Chance is drawn from the run's seed and the step alone, so a run that was interrupted and
//! resumed sees the same batches, masks and dropout as one that was not.

mod plan;
mod prepare;
mod saving;
mod training;

use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{BatchLoader, LoaderConfig, PairsFile, Position, PretrainingDataset};
use clover_data::text::WordPieceTokenizer;
use clover_inference::write_bundle;
use clover_model::{Clover, CloverConfig};

use super::metrics_file::{self, MetricsFile};
use super::step::PretrainingStep;
use crate::TrainerError;
use crate::checkpoint::Checkpoints;
use crate::recipe::PretrainingRecipe;
pub use plan::{Observe, PretrainingEvent, PretrainingPlan, PretrainingSummary};

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
    observe: &mut Observe<'_>,
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

impl<B: AutodiffBackend> Run<'_, B> {
    fn metrics_path(&self) -> PathBuf {
        self.plan.folder.join("metrics.jsonl")
    }
}
