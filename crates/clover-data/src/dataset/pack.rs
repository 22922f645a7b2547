//! Packing: a table of clips of any source written as shards of small pictures, to be read many times.
//!
//! A film is decoded once; what is stored are frames that no model needs larger. Each shard is
//! written under a temporary name, synced and renamed, so that a shard that is there is whole and is
//! not written again. The same source and configuration give the same bytes, however many threads
//! or jobs share the work.

mod config;
mod frames;
mod record;
mod shard_file;

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::clip_table::ClipTable;
use super::skipped::SkippedItem;
use crate::DataError;
pub use config::{PACKED_FRAMES, PackConfig, PackFrames, Part};
use record::check_record;
use shard_file::{ShardJob, Written, is_written, write_shard};

/// How far packing has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackProgress {
    /// Samples that are dealt with, those of shards that were there included.
    pub samples: usize,
    /// Samples of this part of the work.
    pub of: usize,
}

/// What was packed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackSummary {
    /// Shards written.
    pub written: usize,
    /// Shards of this part that were there already.
    pub found: usize,
    /// Samples written.
    pub samples: usize,
    /// Bytes written.
    pub bytes: u64,
    /// Samples left out of the shards written, in their order.
    pub skipped: Vec<SkippedItem>,
    /// Whether every shard of this part is there now.
    pub finished: bool,
}

/// Writes the rows of `source` as shards into the folder `out`, which is created where it is
/// missing, until all of this part are there or `stop` is set. `progress` is called from several
/// threads.
///
/// A sample that cannot be read is left out by name; the names are also in `000000.skipped.jsonl`
/// beside the shard.
///
/// # Errors
///
/// When the source is empty, the configuration is out of range or not the one the folder was begun
/// with, or a file cannot be written.
pub fn pack(
    source: &ClipTable,
    config: &PackConfig,
    out: &Path,
    progress: &(dyn Fn(PackProgress) + Sync),
    stop: &AtomicBool,
) -> Result<PackSummary, DataError> {
    config.validate()?;
    if source.is_empty() {
        return Err(DataError::EmptyDataset);
    }
    std::fs::create_dir_all(out).map_err(|source| DataError::Write {
        path: out.to_path_buf(),
        source,
    })?;
    check_record(source, config, out)?;
    let work = Work {
        source,
        config,
        folder: out,
        shards: config.shards(source.len()),
        progress,
        stop,
        next: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
        packed: Mutex::default(),
    };
    let threads = config.threads.clamp(1, work.shards.len().max(1));
    run_threads(threads, &|| work.run())?;
    let packed = work.packed.into_inner();
    let packed = packed.unwrap_or_else(PoisonError::into_inner);
    packed.summary(work.shards.len())
}

/// What the threads share.
struct Work<'a> {
    source: &'a ClipTable,
    config: &'a PackConfig,
    folder: &'a Path,
    shards: Vec<(usize, Range<usize>)>,
    progress: &'a (dyn Fn(PackProgress) + Sync),
    stop: &'a AtomicBool,
    next: AtomicUsize,
    done: AtomicUsize,
    failed: AtomicBool,
    packed: Mutex<Packed>,
}

impl Work<'_> {
    /// Writes one shard after the other until there are no more.
    fn run(&self) {
        while !self.is_stopped() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((shard, items)) = self.shards.get(number).cloned() else {
                break;
            };
            let outcome = self.one_shard(ShardJob {
                source: self.source,
                config: self.config,
                folder: self.folder,
                shard,
                items,
            });
            self.failed.fetch_or(outcome.is_err(), Ordering::Relaxed);
            self.packed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(shard, outcome);
        }
    }

    fn one_shard(&self, job: ShardJob<'_>) -> Result<Outcome, DataError> {
        if is_written(&job) {
            self.tell(job.items.len());
            return Ok(Outcome::Found);
        }
        let written = write_shard(&job, &|| self.tell(1), &|| self.is_stopped())?;
        Ok(written.map_or(Outcome::Stopped, Outcome::Written))
    }

    /// A disk that is full for one thread is full for all.
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed)
    }

    fn tell(&self, more: usize) {
        let samples = self.done.fetch_add(more, Ordering::Relaxed) + more;
        let of = self.shards.iter().map(|(_, items)| items.len()).sum();
        (self.progress)(PackProgress { samples, of });
    }
}

fn run_threads(threads: usize, work: &(dyn Fn() + Sync)) -> Result<(), DataError> {
    std::thread::scope(|scope| {
        for thread in 0..threads {
            std::thread::Builder::new()
                .name(format!("clover-pack-{thread}"))
                .spawn_scoped(scope, work)
                .map_err(|source| DataError::Worker { source })?;
        }
        Ok(())
    })
}

/// What became of a shard.
enum Outcome {
    Found,
    Written(Written),
    Stopped,
}

/// What all threads have done.
#[derive(Default)]
struct Packed {
    summary: PackSummary,
    skipped: Vec<(usize, Vec<SkippedItem>)>,
    error: Option<DataError>,
}

impl Packed {
    fn push(&mut self, shard: usize, outcome: Result<Outcome, DataError>) {
        match outcome {
            Ok(Outcome::Found) => self.summary.found += 1,
            Ok(Outcome::Written(written)) => {
                self.summary.written += 1;
                self.summary.samples += written.samples;
                self.summary.bytes += written.bytes;
                self.skipped.push((shard, written.skipped));
            }
            Ok(Outcome::Stopped) => {}
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
    }

    fn summary(mut self, shards: usize) -> Result<PackSummary, DataError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.skipped.sort_by_key(|(shard, _)| *shard);
        let skipped = self.skipped.into_iter().flat_map(|(_, skipped)| skipped);
        self.summary.skipped = skipped.collect();
        self.summary.finished = self.summary.found + self.summary.written == shards;
        Ok(self.summary)
    }
}

#[cfg(test)]
mod tests;
