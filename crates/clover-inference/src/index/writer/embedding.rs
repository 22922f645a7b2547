//! The embedding in an update: clips that other threads have read, batch by batch.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use burn::prelude::*;
use clover_data::dataset::{ClipReading, ClipTable};
use clover_data::video::NormalizedClip;

use super::{IndexEvent, IndexProgress, IndexWriter, UpdateSummary};
use crate::embedder::BATCH;
use crate::index::library::{ClipRecord, ClipState};
use crate::index::plan::{Job, Step};
use crate::index::reading::ChunkRead;
use crate::index::segment::{RowKey, Rows};
use crate::{Embedder, InferenceError};

/// Clips that are finished wait so long for others, and then share a commit with them.
const COMMIT_EVERY: Duration = Duration::from_millis(500);

/// Reads chunks until there are no more.
pub(super) fn read_jobs(jobs: &Mutex<Receiver<Job>>, tables: &[&ClipTable], reading: &ClipReading) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { chunk, done }) = job else {
            return;
        };
        // Nobody waits for it where the update was broken off.
        let _ = done.send(chunk.read(tables, reading));
    }
}

/// A clip some of whose windows are still to be read or embedded.
#[derive(Debug)]
struct Pending {
    record: ClipRecord,
    rows: Rows,
    /// Chunks that are not read yet, of how many.
    chunks: [usize; 2],
    /// Windows that are read, and not yet embedded.
    waiting: usize,
    /// Whether its rows are made here.
    is_new: bool,
}

/// The calling thread's part of an update: embedding what the others have read.
pub(super) struct Work<'w, B: Backend> {
    writer: &'w mut IndexWriter,
    embedder: &'w Embedder<B>,
    pub(super) summary: UpdateSummary,
    pending: VecDeque<Pending>,
    /// The number of the first of these.
    first: usize,
    batch: Vec<(usize, RowKey)>,
    clips: Vec<NormalizedClip>,
    rows: Rows,
    records: Vec<ClipRecord>,
    /// Contents of which nothing could be read, and why.
    broken: HashMap<u32, Option<String>>,
    committed: Instant,
}

impl<'w, B: Backend> Work<'w, B> {
    pub(super) fn new(
        writer: &'w mut IndexWriter,
        embedder: &'w Embedder<B>,
        summary: UpdateSummary,
    ) -> Self {
        Self {
            writer,
            embedder,
            summary,
            pending: VecDeque::new(),
            first: 0,
            batch: Vec::new(),
            clips: Vec::new(),
            rows: Rows::default(),
            records: Vec::new(),
            broken: HashMap::new(),
            committed: Instant::now(),
        }
    }

    pub(super) fn run(
        &mut self,
        steps: Receiver<Step>,
        visit: &mut dyn FnMut(IndexEvent<'_>) -> ControlFlow<()>,
    ) -> Result<(), InferenceError> {
        loop {
            let since = Instant::now();
            let Ok(step) = steps.recv() else {
                break;
            };
            let read = match step {
                Step::Settled(record) => {
                    self.pending.push_back(Pending::new(record, 0));
                    None
                }
                Step::Begin(record, chunks) => {
                    self.pending.push_back(Pending::new(record, chunks));
                    None
                }
                Step::Chunk(read) => Some(read.recv().unwrap_or_default()),
            };
            self.summary.waiting += since.elapsed();
            if let Some(read) = read {
                self.take(read);
            }
            while self.batch.len() >= BATCH {
                self.embed()?;
            }
            self.settle(visit);
            if self.committed.elapsed() >= COMMIT_EVERY {
                self.commit()?;
            }
            let progress = IndexEvent::Progress(self.progress());
            if visit(progress).is_break() {
                self.summary.interrupted = true;
                break;
            }
        }
        // The others end once nobody listens to them.
        drop(steps);
        while !self.batch.is_empty() {
            self.embed()?;
        }
        self.settle(visit);
        self.commit()
    }

    fn take(&mut self, read: ChunkRead) {
        let number = self.first + self.pending.len().saturating_sub(1);
        let Some(clip) = self.pending.back_mut() else {
            return;
        };
        clip.chunks[0] -= 1;
        clip.waiting += read.clips.len();
        if clip.record.fault.is_none() {
            clip.record.fault = read.fault;
        }
        let content = clip.record.content.unwrap_or_default();
        for ([start, end], frames) in read.clips {
            let [start_ms, end_ms] = [start, end].map(|ms| u32::try_from(ms).unwrap_or(u32::MAX));
            let key = RowKey {
                content,
                start_ms,
                end_ms,
            };
            self.batch.push((number, key));
            self.clips.push(frames);
        }
    }

    /// Embeds what waits, no more than a batch of it.
    fn embed(&mut self) -> Result<(), InferenceError> {
        let size = self.batch.len().min(BATCH);
        let clips: Vec<NormalizedClip> = self.clips.drain(..size).collect();
        let embeddings = self.embedder.embed_clips(&clips.iter().collect::<Vec<_>>());
        let dim = self.writer.settings.dim;
        if embeddings.dim != dim {
            return Err(self.writer.other_width(embeddings.dim));
        }
        for (row, (number, key)) in self.batch.drain(..size).enumerate() {
            let clip = &mut self.pending[number - self.first];
            clip.waiting -= 1;
            let values = embeddings.row(row);
            if values.iter().all(|value| value.is_finite()) {
                clip.rows.push(key, values);
                self.summary.progress.rows += 1;
            } else if clip.record.fault.is_none() {
                clip.record.fault = Some("the model's numbers for it are not finite".to_owned());
            }
        }
        Ok(())
    }

    /// Takes the clips at the front that are done with.
    fn settle(&mut self, visit: &mut dyn FnMut(IndexEvent<'_>) -> ControlFlow<()>) {
        while self.pending.front().is_some_and(Pending::is_done) {
            let Some(Pending {
                mut record,
                rows,
                is_new,
                ..
            }) = self.pending.pop_front()
            else {
                return;
            };
            self.first += 1;
            if is_new && rows.is_empty() {
                record.state = ClipState::Broken;
                if let Some(content) = record.content.take() {
                    self.broken.insert(content, record.fault.clone());
                }
            } else if let Some(fault) = record.content.and_then(|one| self.broken.get(&one)) {
                record.fault = fault.clone();
                record.state = ClipState::Broken;
                record.content = None;
            }
            self.rows.keys.extend(rows.keys);
            self.rows.values.extend(rows.values);
            self.summary.count(&record, is_new);
            // Whoever breaks off is asked again after the step.
            let _ = visit(IndexEvent::Clip(&record));
            self.records.push(record);
        }
    }

    fn commit(&mut self) -> Result<(), InferenceError> {
        let (rows, records) = (
            std::mem::take(&mut self.rows),
            std::mem::take(&mut self.records),
        );
        self.writer.commit(&rows, records)?;
        self.committed = Instant::now();
        Ok(())
    }

    /// With the part of a long video that is done.
    fn progress(&self) -> IndexProgress {
        let mut progress = self.summary.progress;
        if let Some(clip) = self.pending.front() {
            let [left, all] = clip.chunks;
            let share = (all - left) as f64 / all.max(1) as f64;
            progress.bytes += (clip.record.size as f64 * share) as u64;
            progress.seconds += clip.record.seconds * share;
        }
        progress
    }
}

impl Pending {
    fn new(record: ClipRecord, chunks: usize) -> Self {
        Self {
            record,
            rows: Rows::default(),
            chunks: [chunks; 2],
            waiting: 0,
            is_new: chunks > 0,
        }
    }

    fn is_done(&self) -> bool {
        self.chunks[0] == 0 && self.waiting == 0
    }
}
