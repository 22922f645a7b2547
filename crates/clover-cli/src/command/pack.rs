//! `clover pack`.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use clover_data::dataset::{PackConfig, PackFrames, pack};

use super::clip_list::{open_clips, source};
use crate::arguments::Pack;
use crate::interrupt::{Interrupt, Interrupted};
use crate::output::note;
use crate::progress::{advance, bar};

pub(crate) fn run(arguments: Pack) -> Result<()> {
    let frames = match arguments.every {
        Some(stride) => PackFrames::Every {
            stride,
            max: arguments.frames,
        },
        None => PackFrames::Evenly(arguments.frames),
    };
    let defaults = PackConfig::new(frames);
    let config = PackConfig {
        short_side: arguments.short_side,
        quality: arguments.quality,
        samples_per_shard: arguments.samples_per_shard,
        part: arguments.part,
        threads: arguments.threads.unwrap_or(defaults.threads),
        ..defaults
    };
    let source = open_clips(&source(&arguments.lists, &arguments.source))?;
    for item in source.skipped() {
        note(&format!("skipped {item}"));
    }
    let interrupt = Interrupt::listen()?;
    let stop = AtomicBool::new(false);
    let bar = bar("packing", 0);
    let packed = pack(
        &source,
        &config,
        &arguments.out,
        &|progress| {
            advance(&bar, progress.samples, progress.of);
            if interrupt.asked() {
                stop.store(true, Ordering::Relaxed);
            }
        },
        &stop,
    );
    bar.finish_and_clear();
    let packed = packed?;

    for item in &packed.skipped {
        note(&format!("skipped {item}"));
    }
    note(&format!(
        "{}: {} shards written with {} samples, {:.1} MB; {} were there; {} samples skipped",
        arguments.out.display(),
        packed.written,
        packed.samples,
        packed.bytes as f64 / 1e6,
        packed.found,
        packed.skipped.len()
    ));
    if !packed.finished {
        let words = "stopped; the same command goes on where this one ended";
        bail!(Interrupted(words.to_owned()));
    }
    let (skipped, all) = (packed.skipped.len(), packed.skipped.len() + packed.samples);
    let share = skipped as f64 / all.max(1) as f64;
    if share > arguments.max_failed_share {
        bail!("{skipped} of {all} samples are broken, a share of {share:.4}");
    }
    Ok(())
}
