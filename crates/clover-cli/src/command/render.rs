//! `clover render`, and what other commands render.

use std::path::Path;

use anyhow::{Context, Result};
use clover_data::files::FolderLock;
use clover_synthetic::{BenchmarkConfig, BenchmarkFiles, write_benchmark};
use clover_trainer::recipe::AblationRecipe;

use crate::arguments::Render;
use crate::output::note;
use crate::progress::bar;

pub(crate) fn run(arguments: Render) -> Result<()> {
    let defaults = BenchmarkConfig::default();
    let config = BenchmarkConfig {
        clips: arguments.clips,
        frames: arguments.frames.unwrap_or(defaults.frames),
        size: arguments.size.unwrap_or(defaults.size),
        shapes: arguments.shapes.unwrap_or(defaults.shapes),
        train_twins: arguments.train_twins,
        captions_per_clip: arguments
            .captions_per_clip
            .unwrap_or(defaults.captions_per_clip),
        questions_per_clip: arguments
            .questions_per_clip
            .unwrap_or(defaults.questions_per_clip),
        seed: arguments.seed,
        ..defaults
    };
    let files = with_bar(&config, &arguments.out)?;
    note(&format!(
        "{} clips of {} frames, {} x {} pixels; the record is {}",
        config.clips,
        config.frames,
        config.size,
        config.size,
        files.record.display()
    ));
    Ok(())
}

/// Draws the clips that are not there yet.
pub(super) fn with_bar(config: &BenchmarkConfig, folder: &Path) -> Result<BenchmarkFiles> {
    let _lock = FolderLock::take(folder)?;
    let bar = bar("rendering", config.clips as u64);
    let written = write_benchmark(config, folder, |done, _| bar.set_position(done as u64));
    bar.finish_and_clear();
    Ok(written?)
}

/// What a comparison renders.
pub(super) fn benchmark_of(recipe: &AblationRecipe) -> Result<BenchmarkConfig> {
    let config: BenchmarkConfig = recipe.benchmark.clone().try_into().context("benchmark")?;
    config.validate().context("benchmark")?;
    Ok(config)
}
