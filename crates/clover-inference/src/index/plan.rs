//! What an update has to do: the clips of the sources beside what the index knows of them.
//!
//! First every clip's size and time are looked at. Those that changed are then, while others are
//! embedded, read through for the hash of their content, opened, and cut into windows.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use clover_data::DataError;
use clover_data::dataset::{ClipReading, ClipRow, ClipTable};
use clover_data::video::Span;
use globset::GlobSet;

use super::contents::{Stamp, content_hash};
use super::library::{ClipKey, ClipRecord, ClipState, Library};
use super::reading::{Chunk, ChunkRead, WINDOWS, fault, guarded};
use super::windows::WindowSettings;

/// A folder, list or shards, opened for an update.
#[derive(Clone, Debug)]
pub struct IndexSource {
    /// Its place among the sources of the index.
    pub place: usize,
    /// Its clips.
    pub clips: ClipTable,
}

/// A clip whose file is not as the index knows it.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) key: ClipKey,
    /// The source it stands in, and its row there.
    place: (usize, usize),
    pub(super) stamp: Stamp,
}

/// What a look at the sources showed.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) changed: Vec<Changed>,
    /// Lines for the journal that need no file to be read: clips that are gone, and entries of a list
    /// that cannot be used.
    pub(super) settled: Vec<ClipRecord>,
    pub(super) unchanged: usize,
}

impl Survey {
    /// Looks at every clip, without opening it. `stored` are the contents that have rows.
    pub(super) fn of(
        sources: &[IndexSource],
        exclude: &GlobSet,
        library: &Library,
        stored: &HashSet<u32>,
    ) -> Self {
        let mut survey = Self::default();
        let mut seen = HashSet::new();
        for (number, source) in sources.iter().enumerate() {
            let clips = &source.clips;
            for row in 0..clips.len() {
                let span = clips.span(row).map(|span| (span.start(), span.end()));
                let key = ClipKey {
                    source: source.place,
                    path: clips.clip(row),
                    span_ms: span,
                };
                if exclude.is_match(&key.path) || !seen.insert(key.clone()) {
                    continue;
                }
                // A file that is gone is named when it is read.
                let stamp = Stamp::of(&clips.file(row)).unwrap_or_default();
                if library
                    .record(&key)
                    .is_some_and(|record| is_as(record, stamp, stored))
                {
                    survey.unchanged += 1;
                    continue;
                }
                survey.changed.push(Changed {
                    key,
                    place: (number, row),
                    stamp,
                });
            }
            for item in clips.skipped() {
                let below = Path::new(&item.name).strip_prefix(clips.folder());
                let path = below.map_or(&*item.name, |path| path.to_str().unwrap_or(&item.name));
                let key = ClipKey {
                    source: source.place,
                    path: path.to_owned(),
                    span_ms: None,
                };
                if exclude.is_match(path) || !seen.insert(key.clone()) {
                    continue;
                }
                let known = library
                    .record(&key)
                    .and_then(|record| record.fault.as_ref());
                if known == Some(&item.reason) {
                    survey.unchanged += 1;
                } else {
                    let record = ClipRecord::broken(key, Stamp::default(), item.reason.clone());
                    survey.settled.push(record);
                }
            }
        }
        let looked_at: BTreeSet<usize> = sources.iter().map(|source| source.place).collect();
        for record in library.records() {
            let here = looked_at.contains(&record.key.source);
            if here && record.state != ClipState::Gone && !seen.contains(&record.key) {
                survey.settled.push(ClipRecord {
                    state: ClipState::Gone,
                    ..record.clone()
                });
            }
        }
        survey
    }

    /// Bytes that are to be read.
    pub(super) fn bytes(&self) -> u64 {
        let sizes = self.changed.iter().map(|clip| clip.stamp.size);
        sizes.fold(0, u64::saturating_add)
    }
}

/// Whether a file is still as it was when the index looked at it.
fn is_as(record: &ClipRecord, stamp: Stamp, stored: &HashSet<u32>) -> bool {
    let has_rows = record
        .content
        .is_some_and(|content| stored.contains(&content));
    let settled = match record.state {
        ClipState::Indexed => has_rows,
        ClipState::Broken => true,
        ClipState::Gone => false,
    };
    let written = Stamp {
        size: record.size,
        modified_ms: record.modified_ms,
    };
    settled && written == stamp && stamp != Stamp::default()
}

/// What is done with the next clip, in order.
#[derive(Debug)]
pub(super) enum Step {
    /// A line for the journal: nothing is to be embedded.
    Settled(ClipRecord),
    /// A clip begins, of so many chunks.
    Begin(ClipRecord, usize),
    /// A part of the clip that began last, once it is read.
    Chunk(Receiver<ChunkRead>),
}

/// A chunk for any thread, and where the result goes.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) chunk: Chunk,
    pub(super) done: SyncSender<ChunkRead>,
}

/// The number of every content that has rows or will have, and its length in seconds, by the hash of its
/// file and the part of it that is meant.
pub(super) type KnownContents = HashMap<(String, Option<(u64, u64)>), (u32, f64)>;

/// Hashes, opens and cuts the clips that changed.
#[derive(Debug)]
pub(super) struct Planner<'p> {
    pub(super) tables: &'p [&'p ClipTable],
    pub(super) reading: &'p ClipReading,
    pub(super) windows: WindowSettings,
    pub(super) contents: KnownContents,
    /// The number of the next new one.
    pub(super) next_content: u32,
}

impl Planner<'_> {
    /// Plans clips one after the other until all are planned or nobody listens any more.
    pub(super) fn run(
        &mut self,
        changed: &[Changed],
        jobs: &SyncSender<Job>,
        steps: &SyncSender<Step>,
    ) {
        for clip in changed {
            if self.plan(clip, jobs, steps).is_none() {
                return;
            }
        }
    }

    /// None where nobody listens.
    fn plan(
        &mut self,
        clip: &Changed,
        jobs: &SyncSender<Job>,
        steps: &SyncSender<Step>,
    ) -> Option<()> {
        let (table, row) = (self.tables[clip.place.0], clip.place.1);
        let name = table.name(row);
        let (record, windows) = match guarded(&name, || self.look(clip, (table, row))) {
            Ok(Looked::Known(record)) => return steps.send(Step::Settled(record)).ok(),
            Ok(Looked::New(record, windows)) => (record, windows),
            Err(error) => {
                let vanished = matches!(&error, DataError::Read { source, .. }
                    if source.kind() == ErrorKind::NotFound);
                // What is not there now may be there next time.
                let stamp = if vanished {
                    Stamp::default()
                } else {
                    clip.stamp
                };
                let record = ClipRecord::broken(clip.key.clone(), stamp, fault(&name, &error));
                return steps.send(Step::Settled(record)).ok();
            }
        };
        let windows = windows.chunks(WINDOWS).map(|some| Some(some.to_vec()));
        let chunks: Vec<_> = std::iter::once(None).chain(windows).collect();
        steps.send(Step::Begin(record, chunks.len())).ok()?;
        for windows in chunks {
            let (done, read) = sync_channel(1);
            let chunk = Chunk {
                place: clip.place,
                windows,
            };
            // Whoever takes the steps decides how far ahead is read.
            steps.send(Step::Chunk(read)).ok()?;
            jobs.send(Job { chunk, done }).ok()?;
        }
        Some(())
    }

    fn look(
        &mut self,
        clip: &Changed,
        (table, row): (&ClipTable, usize),
    ) -> Result<Looked, DataError> {
        let ClipRow {
            clip: source, span, ..
        } = table.read(row)?;
        let hash = content_hash(&source).map_err(|source| DataError::Read {
            path: table.file(row),
            source,
        })?;
        let part = span.map(|span| (span.start(), span.end()));
        let mut record = ClipRecord {
            key: clip.key.clone(),
            state: ClipState::Indexed,
            size: clip.stamp.size,
            modified_ms: clip.stamp.modified_ms,
            hash: hash.clone(),
            content: None,
            seconds: 0.0,
            fault: None,
            commit: 0,
        };
        if let Some(&(content, seconds)) = self.contents.get(&(hash.clone(), part)) {
            record.content = Some(content);
            record.seconds = seconds;
            return Ok(Looked::Known(record));
        }
        let name = source.name().to_path_buf();
        let mut video = source.open(&self.reading.limits)?;
        record.seconds = match span {
            Some(span) => (span.end() - span.start()) as f64 / 1000.0,
            None => video
                .seconds()
                .filter(|seconds| seconds.is_finite())
                .unwrap_or(0.0),
        };
        let windows = self.windows.of(video.as_mut(), &name, span)?;
        record.content = Some(self.next_content);
        let known = (self.next_content, record.seconds);
        self.contents.insert((hash, part), known);
        self.next_content += 1;
        Ok(Looked::New(record, windows))
    }
}

/// What a look into a file showed.
enum Looked {
    Known(ClipRecord),
    New(ClipRecord, Vec<Span>),
}
