//! `clover check-data`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use clover_data::check::{CheckConfig, CheckReport, ItemFacts, Spread, check};
use clover_data::video::DecodeLimits;
use clover_trainer::recipe::{Recipe, TaskRecipe};

use super::clip_list::{open_clips, source};
use crate::arguments::CheckData;
use crate::device::processors;
use crate::interrupt::{Interrupt, Interrupted};
use crate::output::{note, print_line};
use crate::progress::bar;

/// Clips of equal contents that are named before the rest is counted.
const EQUAL_NAMED: usize = 5;

pub(crate) fn run(arguments: CheckData) -> Result<()> {
    let allowed = allowed_share(&arguments)?;
    let collection = open_clips(&source(&arguments.lists, &arguments.source))?;
    let config = CheckConfig {
        limits: DecodeLimits::default(),
        frames: arguments.frames,
        threads: arguments.threads.unwrap_or_else(processors),
    };
    let items = arguments
        .items
        .as_deref()
        .map(|path| {
            let file = File::create(path)
                .with_context(|| format!("{}: cannot be written", path.display()))?;
            Ok::<_, anyhow::Error>(BufWriter::new(file))
        })
        .transpose()?;
    let mut items = Items {
        file: items,
        error: None,
    };
    let (bar, interrupt) = (
        bar("checking", collection.len() as u64),
        Interrupt::listen()?,
    );
    let mut stopped = false;
    let report = check(&collection, &config, &mut |progress| {
        bar.set_position(progress.done as u64);
        if let Some(facts) = progress.facts {
            items.write(facts);
        }
        stopped = interrupt.asked() && progress.done < progress.total;
        match stopped {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    bar.finish_and_clear();
    if let Some(path) = arguments.items.as_deref() {
        items.finish(path)?;
    }

    if arguments.json {
        print_line(&serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    if stopped {
        bail!(Interrupted(format!(
            "stopped after {} of {} clips",
            report.clips,
            collection.len()
        )));
    }
    let broken = report.broken.len();
    let share = report.broken_share();
    let found = format!(
        "{broken} of {} clips ({:.2} %)",
        report.clips,
        100.0 * share
    );
    if share > allowed {
        bail!(
            "{found} are broken, more than max_failed_share = {allowed}: fine-tuning stops there"
        );
    }
    if broken > 0 && !arguments.json {
        note(&format!(
            "training skips these {found}, within max_failed_share = {allowed}"
        ));
    }
    Ok(())
}

/// The share of clips that may be broken: all recipes for fine-tuning have the same, those for pre-training more.
fn allowed_share(arguments: &CheckData) -> Result<f64> {
    if arguments.strict {
        return Ok(0.0);
    }
    let Some(share) = arguments.max_failed_share else {
        return Ok(TaskRecipe::open("retrieval-custom")?.max_failed_share);
    };
    ensure!(
        (0.0..=1.0).contains(&share),
        "--max-failed-share is not between 0 and 1"
    );
    Ok(share)
}

/// The file of what is known of each clip, and why it could not be written.
struct Items {
    file: Option<BufWriter<File>>,
    error: Option<std::io::Error>,
}

impl Items {
    fn write(&mut self, facts: &ItemFacts) {
        let Some(file) = &mut self.file else { return };
        let written = serde_json::to_writer(&mut *file, facts)
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"));
        if let Err(error) = written {
            self.file = None;
            self.error = Some(error);
        }
    }

    /// Writes what is left to be written.
    fn finish(mut self, path: &Path) -> Result<()> {
        let flushed = self.file.as_mut().map_or(Ok(()), Write::flush);
        self.error
            .map_or(flushed, Err)
            .with_context(|| format!("{}: cannot be written", path.display()))
    }
}

fn print(report: &CheckReport) {
    for item in &report.broken {
        print_line(&format!("broken: {item}"));
    }
    for group in &report.duplicates.equal_clips {
        let named = group.len().min(EQUAL_NAMED);
        let more = match group.len() - named {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        print_line(&format!("equal: {}{more}", group[..named].join(", ")));
    }
    let CheckReport {
        clips, readable, ..
    } = report;
    print_line(&format!(
        "{clips} clips: {readable} readable, {} broken, {} the same as another",
        report.broken.len(),
        report.duplicates.clips
    ));
    for coding in &report.codings {
        print_line(&format!("  {} x {}", coding.count, coding.value));
    }
    spread("frames", &report.frames, Some(report.frames.total()));
    spread("seconds", &report.seconds, Some(report.seconds.total()));
    spread("shorter side", &report.short_side, None);
    for size in &report.sizes {
        print_line(&format!("  {} x {} pixels", size.count, size.value));
    }
    let words = &report.words;
    if words.captions > 0 {
        print_line(&format!(
            "{} captions: {} without words, {} the same as another",
            words.captions, words.empty, report.duplicates.captions
        ));
        spread("words", &words.words, Some(words.words.total()));
        let more = if words.more { "more than " } else { "" };
        let frequent: Vec<String> = words
            .frequent
            .iter()
            .map(|word| format!("{} ({})", word.value, word.count))
            .collect();
        print_line(&format!(
            "{more}{} different words, most often {}",
            words.different,
            frequent.join(", ")
        ));
    }
}

fn spread(name: &str, spread: &Spread, total: Option<f64>) {
    if spread.count > 0 {
        let total = total.map_or_else(String::new, |total| format!(", {total:.1} in all"));
        print_line(&format!(
            "{name}: {:.1} to {:.1}, {:.1} on average{total}",
            spread.smallest, spread.largest, spread.mean
        ));
    }
}
