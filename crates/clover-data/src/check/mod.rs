//! Reading a whole collection once, to know what a training run would meet.
//!
//! Every clip is opened and some of its frames are decoded, every caption is counted; what is
//! broken is named with the reason, and nothing stops at it. Memory does not grow with the
//! collection but for what is broken and for one number a clip and caption, which tell duplicates.

mod duplicates;
mod item;
mod spread;
mod words;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::Serialize;

use crate::DataError;
use crate::dataset::{ClipTable, SkippedItem};
use crate::video::DecodeLimits;

pub use duplicates::Duplicates;
use duplicates::Fingerprints;
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

/// Whom a check tells how it goes on; called from several threads.
pub trait CheckObserver: Sync {
    /// A clip was looked at; `done` of `total` are.
    fn progressed(&self, done: usize, total: usize);

    /// A clip was read.
    fn read(&self, facts: &ItemFacts);
}

impl CheckReport {
    /// The share of the clips that is broken; zero for none at all.
    pub fn broken_share(&self) -> f64 {
        self.broken.len() as f64 / self.clips.max(1) as f64
    }
}

/// Reads every clip of a collection, several at a time, until all are read or `stop` is set.
///
/// What was left out before there was a clip to read, such as rows of a manifest, is counted as clips.
///
/// # Errors
///
/// When a thread cannot be started; whatever is wrong with a clip is in the report.
pub fn check(
    collection: &ClipTable,
    config: &CheckConfig,
    observer: &dyn CheckObserver,
    stop: &AtomicBool,
) -> Result<CheckReport, DataError> {
    let total = collection.len();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let tallies = Mutex::new(Tally::default());
    let work = || {
        let mut tally = Tally::default();
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= total {
                break;
            }
            tally.look_at(collection, index, config, observer);
            observer.progressed(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        }
        // A thread that panicked left nothing half done in here.
        let mut all = tallies.lock().unwrap_or_else(|broken| broken.into_inner());
        all.add(tally);
    };
    std::thread::scope(|scope| {
        for worker in 0..config.threads.max(1) {
            std::thread::Builder::new()
                .name(format!("clover-check-{worker}"))
                .spawn_scoped(scope, work)
                .map_err(|source| DataError::Worker { source })?;
        }
        Ok::<_, DataError>(())
    })?;
    let tally = tallies
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    Ok(tally.report(collection))
}

/// What one thread has seen.
#[derive(Default)]
struct Tally {
    clips: usize,
    readable: usize,
    codings: spread::Counts,
    frames: Spread,
    seconds: Spread,
    short_side: Spread,
    sizes: spread::Counts,
    words: WordCounter,
    fingerprints: Fingerprints,
    broken: Vec<(usize, SkippedItem)>,
}

impl Tally {
    fn look_at(
        &mut self,
        collection: &ClipTable,
        index: usize,
        config: &CheckConfig,
        observer: &dyn CheckObserver,
    ) {
        self.clips += 1;
        // A decoder that panics on a hostile file costs that file, not the check.
        let looked = catch_unwind(AssertUnwindSafe(|| {
            let item = collection.read(index)?;
            for caption in item.texts.all() {
                self.words.count(caption);
                self.fingerprints.caption(caption);
            }
            self.fingerprints.clip(index, &item.clip);
            let name = item.clip.name().display().to_string();
            ItemFacts::of(name, item.clip, item.span, config)
        }));
        let facts = looked.unwrap_or_else(|_| {
            Err(DataError::ReaderPanicked {
                name: collection.name(index),
            })
        });
        match facts {
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
                observer.read(&facts);
            }
            Err(error) => {
                let item = SkippedItem::new(collection.name(index), &error);
                self.broken.push((index, item));
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.clips += other.clips;
        self.readable += other.readable;
        self.codings.add(other.codings);
        self.frames.add(&other.frames);
        self.seconds.add(&other.seconds);
        self.short_side.add(&other.short_side);
        self.sizes.add(other.sizes);
        self.words.add(other.words);
        self.fingerprints.add(other.fingerprints);
        self.broken.extend(other.broken);
    }

    fn report(mut self, collection: &ClipTable) -> CheckReport {
        self.broken.sort_by_key(|(index, _)| *index);
        let mut broken = collection.skipped().to_vec();
        let clips = self.clips + broken.len();
        broken.extend(self.broken.into_iter().map(|(_, item)| item));
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
