//! Packing: a table of clips of any source written as shards of small images, to be read many times.
//!
//! A video is decoded once; what is stored are frames that no model needs larger. A shard that is there is
//! whole and is not written again. The same source and configuration give the same bytes, however many threads
//! or jobs share the work.

mod config;
mod frames;
mod record;
mod shard_file;

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::clip_table::ClipTable;
use super::in_order::{Threads, in_order};
use super::skipped::SkippedItem;
use crate::DataError;
use crate::files::FolderLock;
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
/// with, another program packs the same part into it, or a file cannot be written.
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
    let Part { index, of } = config.part;
    let own = match of {
        1 => FolderLock::FILE.to_owned(),
        of => format!("{}-{index}-of-{of}", FolderLock::FILE),
    };
    // Other parts are other jobs' work in the same folder.
    let _lock = FolderLock::take_file(out, &own)?;
    check_record(source, config, out)?;
    let work = Work {
        source,
        config,
        folder: out,
        shards: config.shards(source.len()),
        progress,
        stop,
        done: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
    };
    let shards = work.shards.len();
    let threads = Threads {
        name: "clover-pack",
        count: config.threads,
        ahead: shards,
    };
    let (mut summary, mut first_error) = (PackSummary::default(), Ok(()));
    in_order(
        threads,
        shards,
        |shard| work.shard(shard),
        |outcome| {
            match outcome {
                Ok(outcome) => summary.add(outcome),
                Err(error) if first_error.is_ok() => first_error = Err(error),
                Err(_) => {}
            }
            ControlFlow::Continue(())
        },
    )?;
    first_error?;
    summary.finished = summary.found + summary.written == shards;
    Ok(summary)
}

/// What the threads share.
struct Work<'a> {
    source: &'a ClipTable,
    config: &'a PackConfig,
    folder: &'a Path,
    shards: Vec<(usize, Range<usize>)>,
    progress: &'a (dyn Fn(PackProgress) + Sync),
    stop: &'a AtomicBool,
    done: AtomicUsize,
    failed: AtomicBool,
}

impl Work<'_> {
    /// Writes a shard unless it is there.
    fn shard(&self, number: usize) -> Result<Outcome, DataError> {
        if self.is_stopped() {
            return Ok(Outcome::Stopped);
        }
        let (shard, items) = self.shards[number].clone();
        let job = ShardJob {
            source: self.source,
            config: self.config,
            folder: self.folder,
            shard,
            items,
        };
        if is_written(&job) {
            self.tell(job.items.len());
            return Ok(Outcome::Found);
        }
        let written = write_shard(&job, &|| self.tell(1), &|| self.is_stopped());
        self.failed.fetch_or(written.is_err(), Ordering::Relaxed);
        Ok(written?.map_or(Outcome::Stopped, Outcome::Written))
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

/// What became of a shard.
enum Outcome {
    Found,
    Written(Written),
    Stopped,
}

impl PackSummary {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Found => self.found += 1,
            Outcome::Written(written) => {
                self.written += 1;
                self.samples += written.samples;
                self.bytes += written.bytes;
                self.skipped.extend(written.skipped);
            }
            Outcome::Stopped => {}
        }
    }
}

#[cfg(test)]
mod tests;
