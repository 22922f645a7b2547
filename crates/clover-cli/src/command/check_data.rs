//! `clover check-data`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use clover_data::check::{CheckConfig, CheckReport, ItemFacts, Spread, check};
use clover_data::video::DecodeLimits;
use clover_trainer::recipe::{PretrainingRecipe, Recipe, TaskRecipe};

use super::clip_list::{open_clips, source, where_looked};
use crate::arguments::CheckData;
use crate::device::processors;
use crate::interrupt::{Interrupt, Interrupted};
use crate::output::{counted, note, print_line};
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
        print(&report, collection.is_of_shards());
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
        "{broken} of {} ({:.2} %)",
        counted(report.clips, "clip"),
        100.0 * share
    );
    if share > allowed {
        let looked = match report.readable {
            0 => where_looked(&collection),
            _ => String::new(),
        };
        bail!(
            "{found} are broken, more than max_failed_share = {allowed}: fine-tuning stops there{looked}"
        );
    }
    if !arguments.json {
        remarks(&report, &PretrainingRecipe::open("pretrain")?)
            .iter()
            .for_each(|line| note(line));
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

/// What of the clips and captions does not suit a recipe as it is shipped.
fn remarks(report: &CheckReport, recipe: &PretrainingRecipe) -> Vec<String> {
    let (frames, words) = (&report.frames, &report.words.words);
    // A list of still images is one for `--images`, which takes one of each.
    let few = frames.largest > 1.0 && frames.largest < recipe.frames as f64;
    let few = few.then(|| {
        let most = frames.largest;
        format!(
            "no clip has more than {most} of the {} frames that recipes take: `frames={most} \
             test_frames={most}` trains on the same, and faster",
            recipe.frames
        )
    });
    // A word is a piece at least, and two more stand around a text.
    let long = words.count > 0 && words.largest + 2.0 > recipe.text_len as f64;
    let long = long.then(|| {
        format!(
            "texts have up to {} words; of more than `text_len={}` word pieces, training leaves out the end",
            words.largest, recipe.text_len
        )
    });
    few.into_iter().chain(long).collect()
}

fn print(report: &CheckReport, of_shards: bool) {
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
        "{}: {readable} readable, {} broken, {} the same as another",
        counted(*clips, "clip"),
        report.broken.len(),
        report.duplicates.clips
    ));
    for coding in &report.codings {
        let coded = match &*coding.value {
            "images" if !of_shards => "folders of images",
            coded => coded,
        };
        print_line(&format!("  {} x {coded}", coding.count));
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
            "{}: {} without words, {} the same as another",
            counted(words.captions, "caption"),
            words.empty,
            report.duplicates.captions
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
        let total = total.map_or_else(String::new, |total| format!(", {} in all", rounded(total)));
        print_line(&format!(
            "{name}: {} to {}, {} on average{total}",
            rounded(spread.smallest),
            rounded(spread.largest),
            rounded(spread.mean)
        ));
    }
}

/// A number with one digit behind the point, where it is not whole.
fn rounded(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clover_data::check::WordStatistics;

    #[test]
    fn whole_numbers_have_no_point() {
        let numbers = [2.0, 2.26, 1746.0, 2.96].map(rounded);

        assert_eq!(numbers, ["2", "2.3", "1746", "3"]);
    }

    #[test]
    fn few_frames_and_long_captions_are_remarked_on() {
        let recipe = PretrainingRecipe::open("pretrain").unwrap();
        let spread = |largest| {
            let mut spread = Spread::default();
            (spread.count, spread.largest) = (1, largest);
            spread
        };
        let report = |frames, words| {
            let words = WordStatistics {
                words: spread(words),
                ..WordStatistics::default()
            };
            let report = CheckReport {
                frames: spread(frames),
                words,
                ..CheckReport::default()
            };
            remarks(&report, &recipe)
        };

        assert!(report(8.0, 28.0).is_empty());
        assert!(report(1.0, 0.0).is_empty());
        let said = report(2.0, 29.0);
        assert!(said[0].contains("`frames=2 test_frames=2`"), "{said:?}");
        assert!(said[1].contains("up to 29 words"), "{said:?}");
    }
}
