//! `clover check-data`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use clover_data::check::{CheckConfig, CheckObserver, CheckReport, ItemFacts, Spread, check};
use clover_data::dataset::{ClipTable, ConvertRequest};
use clover_data::video::DecodeLimits;
use indicatif::ProgressBar;

use crate::arguments::CheckData;
use crate::interrupt::Interrupt;
use crate::processes::processors;
use crate::progress::{bar, say};

/// Clips of equal contents that are named before the rest is counted.
const EQUAL_NAMED: usize = 5;

pub(super) fn run(arguments: CheckData) -> Result<()> {
    if !(0.0..=1.0).contains(&arguments.max_failed_share) {
        bail!("--max-failed-share is not between 0 and 1");
    }
    let request = ConvertRequest {
        split: arguments.split,
        ..arguments.reading.request(&arguments.source)
    };
    let collection = ClipTable::open_as(&request, arguments.videos.as_deref(), &|_, _| ())?;
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
    let watch = Watch {
        bar: bar("checking", collection.len() as u64),
        items: Mutex::new(Items {
            file: items,
            error: None,
        }),
        interrupt: Interrupt::listen()?,
        stop: AtomicBool::new(false),
    };
    let report = check(&collection, &config, &watch, &watch.stop)?;
    watch.bar.finish_and_clear();
    watch.finish(arguments.items.as_deref())?;

    if arguments.json {
        say(&serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    if watch.stop.load(Ordering::Relaxed) {
        bail!(
            "stopped after {} of {} clips",
            report.clips,
            collection.len()
        );
    }
    let (share, bound) = (report.broken_share(), arguments.max_failed_share);
    if share > bound {
        bail!(
            "{} of {} clips are broken, a share of {share:.4}; at most {bound} was allowed",
            report.broken.len(),
            report.clips
        );
    }
    Ok(())
}

/// Shows how the check goes on and keeps what is asked for.
struct Watch {
    bar: ProgressBar,
    items: Mutex<Items>,
    interrupt: Interrupt,
    stop: AtomicBool,
}

struct Items {
    file: Option<BufWriter<File>>,
    error: Option<std::io::Error>,
}

impl CheckObserver for Watch {
    fn progressed(&self, done: usize, _total: usize) {
        self.bar.set_position(done as u64);
        if self.interrupt.asked() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn read(&self, facts: &ItemFacts) {
        let Ok(mut items) = self.items.lock() else {
            return;
        };
        let Some(file) = &mut items.file else { return };
        let written = serde_json::to_writer(&mut *file, facts)
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"));
        if let Err(error) = written {
            items.file = None;
            items.error = Some(error);
        }
    }
}

impl Watch {
    /// Writes what is left to be written.
    fn finish(&self, path: Option<&Path>) -> Result<()> {
        let Some(path) = path else { return Ok(()) };
        let mut items = match self.items.lock() {
            Ok(items) => items,
            Err(broken) => broken.into_inner(),
        };
        let flushed = items.file.as_mut().map_or(Ok(()), Write::flush);
        match items.error.take() {
            Some(error) => Err(error),
            None => flushed,
        }
        .with_context(|| format!("{}: cannot be written", path.display()))
    }
}

fn print(report: &CheckReport) {
    for item in &report.broken {
        say(&format!("broken: {item}"));
    }
    for group in &report.duplicates.equal_clips {
        let named = group.len().min(EQUAL_NAMED);
        let more = match group.len() - named {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        say(&format!("equal: {}{more}", group[..named].join(", ")));
    }
    let CheckReport {
        clips, readable, ..
    } = report;
    say(&format!(
        "{clips} clips: {readable} readable, {} broken, {} the same as another",
        report.broken.len(),
        report.duplicates.clips
    ));
    for coding in &report.codings {
        say(&format!("  {} x {}", coding.count, coding.value));
    }
    spread("frames", &report.frames, Some(report.frames.total()));
    spread("seconds", &report.seconds, Some(report.seconds.total()));
    spread("shorter side", &report.short_side, None);
    for size in &report.sizes {
        say(&format!("  {} x {} pixels", size.count, size.value));
    }
    let words = &report.words;
    if words.captions > 0 {
        say(&format!(
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
        say(&format!(
            "{more}{} different words, most often {}",
            words.different,
            frequent.join(", ")
        ));
    }
}

fn spread(name: &str, spread: &Spread, total: Option<f64>) {
    if spread.count > 0 {
        let total = total.map_or_else(String::new, |total| format!(", {total:.1} in all"));
        say(&format!(
            "{name}: {:.1} to {:.1}, {:.1} on average{total}",
            spread.smallest, spread.largest, spread.mean
        ));
    }
}
