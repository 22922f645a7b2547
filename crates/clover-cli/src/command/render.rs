//! `clover render`.

use anyhow::Result;
use clover_data::synthetic::benchmark::{BenchmarkConfig, write_benchmark};

use crate::arguments::Render;
use crate::progress::{bar, print_line};

pub(super) fn run(arguments: Render) -> Result<()> {
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
    let bar = bar("rendering", config.clips as u64);
    let written = write_benchmark(&config, &arguments.out, |done, _| {
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let files = written?;

    print_line(&format!(
        "{} clips of {} frames, {} x {} pixels; the record is {}",
        config.clips,
        config.frames,
        config.size,
        config.size,
        files.record.display()
    ));
    Ok(())
}
