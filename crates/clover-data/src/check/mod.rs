//! Reading a whole collection once, to know what a training run would meet.
//!
//! Every clip is opened and some of its frames are decoded, every caption is counted; what is
//! broken is named with the reason, and nothing stops at it. Memory does not grow with the
//! collection but for what is broken and for one number a clip and caption, which tell duplicates.

mod duplicates;
mod item;
mod spread;
mod words;

use std::ops::ControlFlow;

use serde::Serialize;

use crate::DataError;
use crate::catch_panic;
use crate::dataset::{ClipTable, SkippedItem, Texts, Threads, in_order};
use crate::video::DecodeLimits;

pub use duplicates::Duplicates;
use duplicates::{Fingerprints, beginning};
pub use item::{CheckedFrames, ItemFacts};
pub use spread::{Count, Spread};
use words::WordCounter;
pub use words::WordStatistics;

/// How a collection is checked.
#[derive(Debug, Clone)]
pub struct CheckConfig {
    /// What a clip may cost.
    pub limits: DecodeLimits,
    /// Which frames of each clip are decoded.
    pub frames: CheckedFrames,
    /// Threads that read.
    pub threads: usize,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CheckReport {
    /// Clips that were looked at; fewer than the collection has if the check was stopped.
    pub clips: usize,
    /// Clips that could be read.
    pub readable: usize,
    /// How many clips are coded in which way.
    pub codings: Vec<Count>,
    /// Frames of a clip.
    pub frames: Spread,
    /// Seconds of a clip, where its file says.
    pub seconds: Spread,
    /// Pixels along the shorter side.
    pub short_side: Spread,
    /// The most frequent sizes, as width x height.
    pub sizes: Vec<Count>,
    /// What the captions are made of.
    pub words: WordStatistics,
    /// Captions and clips that occur more than once.
    pub duplicates: Duplicates,
    /// What could not be read, and why, in the order of the collection.
    pub broken: Vec<SkippedItem>,
}

/// How a check goes on.
#[derive(Debug, Clone, Copy)]
pub struct CheckProgress<'c> {
    /// Clips that were looked at.
    pub done: usize,
    /// Clips of the collection.
    pub total: usize,
    /// The last of them, where it could be read.
    pub facts: Option<&'c ItemFacts>,
}

/// Results that may wait for a clip that takes long.
const AHEAD: usize = 1_000;

impl CheckReport {
    /// The share of the clips that is broken; zero for none at all.
    pub fn broken_share(&self) -> f64 {
        self.broken.len() as f64 / self.clips.max(1) as f64
    }
}

/// Reads every clip of a collection, several at a time; `observe` is told of each in their order, and may break
/// off the check.
///
/// What was left out before there was a clip to read, such as rows of a manifest, is counted as clips.
///
/// # Errors
///
/// When a thread cannot be started; whatever is wrong with a clip is in the report.
pub fn check(
    collection: &ClipTable,
    config: &CheckConfig,
    observe: &mut dyn FnMut(CheckProgress<'_>) -> ControlFlow<()>,
) -> Result<CheckReport, DataError> {
    let threads = Threads {
        name: "clover-check",
        count: config.threads,
        ahead: AHEAD,
    };
    let total = collection.len();
    let (mut tally, mut done) = (Tally::default(), 0);
    in_order(
        threads,
        total,
        |row| Looked::at(collection, row, config),
        |looked| {
            done += 1;
            tally.add(done - 1, &looked);
            let facts = looked.facts.as_ref().ok();
            observe(CheckProgress { done, total, facts })
        },
    )?;
    Ok(tally.report(collection, done))
}

/// What was found in a row.
struct Looked {
    /// Its texts, and the number of its clip's beginning, as far as they could be read.
    texts: Texts,
    beginning: Option<u64>,
    facts: Result<ItemFacts, SkippedItem>,
}

impl Looked {
    fn at(collection: &ClipTable, row: usize, config: &CheckConfig) -> Self {
        let (mut texts, mut number) = (Texts::None, None);
        // A decoder that panics on a hostile file costs that file, not the check.
        let looked = catch_panic(|| {
            let item = collection.read(row)?;
            texts = item.texts;
            number = beginning(&item.clip);
            let name = item.clip.name().display().to_string();
            ItemFacts::of(name, item.clip, item.span, config)
        });
        let name = || collection.name(row);
        let facts = looked.unwrap_or_else(|_| Err(DataError::ReaderPanicked { name: name() }));
        Self {
            texts,
            beginning: number,
            facts: facts.map_err(|error| SkippedItem::new(name(), &error)),
        }
    }
}

/// What was seen so far.
#[derive(Default)]
struct Tally {
    readable: usize,
    codings: spread::Counts,
    frames: Spread,
    seconds: Spread,
    short_side: Spread,
    sizes: spread::Counts,
    words: WordCounter,
    fingerprints: Fingerprints,
    broken: Vec<SkippedItem>,
}

impl Tally {
    fn add(&mut self, row: usize, looked: &Looked) {
        for text in looked.texts.all() {
            self.words.count(text);
            self.fingerprints.caption(text);
        }
        self.fingerprints.clip(row, looked.beginning);
        match &looked.facts {
            Ok(facts) => {
                self.readable += 1;
                self.codings.count(facts.coding.to_owned());
                self.frames.take(facts.frames as f64);
                if let Some(seconds) = facts.seconds {
                    self.seconds.take(seconds);
                }
                self.short_side.take(facts.width.min(facts.height) as f64);
                self.sizes
                    .count(format!("{} x {}", facts.width, facts.height));
            }
            Err(item) => self.broken.push(item.clone()),
        }
    }

    fn report(self, collection: &ClipTable, looked_at: usize) -> CheckReport {
        let mut broken = collection.skipped().to_vec();
        let clips = looked_at + broken.len();
        broken.extend(self.broken);
        CheckReport {
            clips,
            readable: self.readable,
            codings: self.codings.most_frequent(20),
            frames: self.frames,
            seconds: self.seconds,
            short_side: self.short_side,
            sizes: self.sizes.most_frequent(10),
            words: self.words.statistics(),
            duplicates: self.fingerprints.duplicates(collection),
            broken,
        }
    }
}

#[cfg(test)]
mod tests;
