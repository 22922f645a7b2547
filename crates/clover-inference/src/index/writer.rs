//! Writing an index: bringing it up to date with its sources, and clearing it up.
//!
//! A commit is a segment with the rows of the clips that were finished, and after it their lines in the
//! journal. A program that ends between the two leaves a segment that no line speaks of; the next one
//! removes it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use burn::prelude::*;
use clover_data::dataset::ClipTable;
use clover_data::video::NormalizedClip;
use globset::{Glob, GlobSet, GlobSetBuilder};

use super::SEGMENTS;
use super::library::{ClipRecord, ClipState, Library, sync_folder};
use super::lock::IndexLock;
use super::plan::{IndexSource, Job, KnownContents, Planner, Step, Survey};
use super::reading::ChunkRead;
use super::segment::{RowKey, Rows, Segment, SegmentFile, SegmentList, write_segment};
use super::settings::{IndexSettings, SETTINGS, is_index};
use crate::bundle::create_folder;
use crate::embedder::BATCH;
use crate::{Embedder, InferenceError};

/// Clips that are finished wait so long for others, and then share a commit with them.
const COMMIT_EVERY: Duration = Duration::from_millis(500);
/// Segments are not merged into larger ones.
const LARGEST_SEGMENT: u64 = 512 << 20;

/// The one writer of an index.
#[derive(Debug)]
pub struct IndexWriter {
    folder: PathBuf,
    settings: IndexSettings,
    library: Library,
    _lock: IndexLock,
}

/// How an update is done.
#[derive(Clone, Debug)]
pub struct UpdateOptions {
    threads: usize,
    exclude: GlobSet,
}

impl UpdateOptions {
    /// So many threads read clips; clips whose paths below their source match one of the patterns, such as
    /// `drafts/**`, are treated as if they were not there.
    ///
    /// # Errors
    ///
    /// A pattern cannot be read.
    pub fn new(threads: usize, exclude: &[String]) -> Result<Self, InferenceError> {
        let wrong = |error: globset::Error| InferenceError::Option {
            option: "exclude",
            reason: error.to_string(),
        };
        let mut patterns = GlobSetBuilder::new();
        for pattern in exclude {
            patterns.add(Glob::new(pattern).map_err(wrong)?);
        }
        Ok(Self {
            threads: threads.max(1),
            exclude: patterns.build().map_err(wrong)?,
        })
    }
}

/// What an update tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum IndexEvent<'e> {
    /// The sources were looked at: clips and bytes to be read, and clips that are as they were.
    Looked {
        /// Clips to be read.
        clips: usize,
        /// Bytes of these.
        bytes: u64,
        /// Clips that need no look.
        unchanged: usize,
    },
    /// A clip is done with; its line of the journal.
    Clip(&'e ClipRecord),
    /// How far it is.
    Progress(IndexProgress),
}

/// How far an update is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct IndexProgress {
    /// Clips that are done with.
    pub clips: usize,
    /// Bytes of their files, and of the part of the next one that is embedded.
    pub bytes: u64,
    /// Seconds of video that were embedded.
    pub seconds: f64,
    /// Rows that were made.
    pub rows: usize,
}

/// What an update did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UpdateSummary {
    /// Clips whose rows were made.
    pub embedded: usize,
    /// Clips with a content that was known: renamed, copied, or written again unchanged.
    pub known: usize,
    /// Clips that could not be read, or not wholly.
    pub broken: usize,
    /// Clips that are no longer there.
    pub gone: usize,
    /// Clips that were as the index knew them.
    pub unchanged: usize,
    /// How far it came.
    pub progress: IndexProgress,
    /// Whether it was broken off.
    pub interrupted: bool,
    /// Time that was spent waiting for clips to be read.
    pub waiting: Duration,
}

impl IndexWriter {
    /// Opens an index for writing; one that is not there is begun with these settings.
    ///
    /// # Errors
    ///
    /// Another program writes to it, it was made with another bundle or other settings, or a file is
    /// damaged or cannot be written.
    pub fn open(folder: &Path, wanted: &IndexSettings) -> Result<Self, InferenceError> {
        if !is_index(folder)
            && folder
                .read_dir()
                .is_ok_and(|mut entries| entries.next().is_some())
        {
            return Err(InferenceError::OtherIndex {
                index: folder.to_owned(),
                reason: format!(
                    "is a folder with other things in it, and no index, which has an {SETTINGS}; name a \
                     new folder"
                ),
            });
        }
        create_folder(&folder.join(SEGMENTS))?;
        let lock = IndexLock::take(folder)?;
        let settings = match is_index(folder) {
            true => {
                let settings = IndexSettings::read(folder)?;
                settings.fits(wanted, folder)?;
                settings
            }
            false => {
                wanted.write(folder)?;
                sync_folder(folder);
                wanted.clone()
            }
        };
        let library = Library::read(folder)?;
        let writer = Self {
            folder: folder.to_owned(),
            settings,
            library,
            _lock: lock,
        };
        for stale in writer.segments()?.stale {
            remove(&stale)?;
        }
        Ok(writer)
    }

    /// What the index was made with.
    pub fn settings(&self) -> &IndexSettings {
        &self.settings
    }

    /// What it knows of every clip.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The place of a source, which is added if it is new.
    ///
    /// # Errors
    ///
    /// The settings cannot be written.
    pub fn place_of(&mut self, source: &Path) -> Result<usize, InferenceError> {
        let known = self.settings.sources.iter().position(|one| one == source);
        if let Some(place) = known {
            return Ok(place);
        }
        self.settings.sources.push(source.to_owned());
        self.settings.write(&self.folder)?;
        Ok(self.settings.sources.len() - 1)
    }

    /// Brings the index up to date with some of its sources. `visit` hears of it, and may break off: what
    /// was finished by then is kept, and another update goes on from there.
    ///
    /// # Errors
    ///
    /// The embedder's rows have another width than the index, or a file of the index cannot be read or
    /// written. Clips that cannot be read are no error: the journal names them.
    pub fn update<B: Backend>(
        &mut self,
        embedder: &Embedder<B>,
        sources: &[IndexSource],
        options: &UpdateOptions,
        visit: &mut dyn FnMut(IndexEvent<'_>) -> ControlFlow<()>,
    ) -> Result<UpdateSummary, InferenceError> {
        let stored = self.stored_contents()?;
        let mut survey = Survey::of(sources, &options.exclude, &self.library, &stored);
        let mut summary = UpdateSummary {
            unchanged: survey.unchanged,
            ..UpdateSummary::default()
        };
        let looked = IndexEvent::Looked {
            clips: survey.changed.len(),
            bytes: survey.bytes(),
            unchanged: survey.unchanged,
        };
        let go_on = visit(looked);
        let settled = std::mem::take(&mut survey.settled);
        for record in &settled {
            summary.count(record, false);
            let _ = visit(IndexEvent::Clip(record));
        }
        self.commit(&Rows::default(), settled)?;
        if go_on.is_break() {
            summary.interrupted = true;
            return Ok(summary);
        }

        let reading = embedder.preprocessing().clip_reading();
        let tables: Vec<&ClipTable> = sources.iter().map(|source| &source.clips).collect();
        let mut planner = Planner {
            tables: &tables,
            reading: &reading,
            windows: self.settings.windows,
            contents: self.known_contents(&stored),
            // Neither a number of the journal nor one of a row whose line is lost is given again.
            next_content: stored
                .iter()
                .map(|&content| content + 1)
                .max()
                .unwrap_or(0)
                .max(self.library.contents()),
        };
        let threads = options.threads;
        let (job_queue, jobs) = sync_channel::<Job>(2 * threads);
        let (step_queue, steps) = sync_channel::<Step>(4 * threads);
        let jobs = Mutex::new(jobs);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| read_jobs(&jobs, &tables, &reading));
            }
            let changed = &survey.changed;
            scope.spawn(move || planner.run(changed, &job_queue, &step_queue));
            let mut work = Work::new(self, embedder, summary);
            let done = work.run(steps, visit);
            summary = work.summary;
            done
        })?;
        self.merge_small()?;
        Ok(summary)
    }

    /// Forgets clips that are gone, and drops rows that no clip needs.
    ///
    /// # Errors
    ///
    /// A file of the index cannot be read or written.
    pub fn compact(&mut self) -> Result<(), InferenceError> {
        self.library.compact(&self.folder)?;
        let live = self.segments()?.live;
        self.merge(&live)
    }

    /// The number of each content that has rows, and how long it is.
    fn known_contents(&self, stored: &HashSet<u32>) -> KnownContents {
        let mut known = KnownContents::new();
        for record in self.library.records() {
            // One of which a part could not be read is read again when its file is found elsewhere.
            if let Some(content) = record.content
                && record.fault.is_none()
                && stored.contains(&content)
            {
                let key = (record.hash.clone(), record.key.span_ms);
                known.insert(key, (content, record.seconds));
            }
        }
        known
    }

    fn segment_folder(&self) -> PathBuf {
        self.folder.join(SEGMENTS)
    }

    fn segments(&self) -> Result<SegmentList, InferenceError> {
        SegmentList::of(&self.segment_folder(), self.library.last_commit())
    }

    fn read(&self, file: &SegmentFile) -> Result<Segment, InferenceError> {
        Segment::read(&file.path, self.settings.dim, self.settings.rows)
    }

    /// The contents that have rows.
    fn stored_contents(&self) -> Result<HashSet<u32>, InferenceError> {
        let mut stored = HashSet::new();
        for file in self.segments()?.live {
            let segment = self.read(&file)?;
            stored.extend(segment.keys.iter().map(|key| key.content));
        }
        Ok(stored)
    }

    fn commit(&mut self, rows: &Rows, mut records: Vec<ClipRecord>) -> Result<(), InferenceError> {
        if records.is_empty() {
            return Ok(());
        }
        let commit = self.library.last_commit() + 1;
        if !rows.is_empty() {
            let folder = self.segment_folder();
            let file = SegmentFile::new(&folder, commit, commit);
            write_segment(&file, rows, self.settings.dim, self.settings.rows)?;
            sync_folder(&folder);
        }
        for record in &mut records {
            record.commit = commit;
        }
        self.library.append(&self.folder, records)
    }

    /// Merges segments while one is not much larger than those after it, so that there are ever few and a
    /// row is written again but a few times.
    fn merge_small(&mut self) -> Result<(), InferenceError> {
        let live = self.segments()?.live;
        let mut begin = live.len();
        let mut together = 0_u64;
        while let Some(before) = begin.checked_sub(1) {
            let size = fs::metadata(&live[before].path).map_or(u64::MAX, |about| about.len());
            if begin < live.len() && (size > 2 * together || together + size > LARGEST_SEGMENT) {
                break;
            }
            together += size;
            begin = before;
        }
        match live.len() - begin {
            0 | 1 => Ok(()),
            _ => self.merge(&live[begin..]),
        }
    }

    /// Writes the rows of neighbouring segments together, without those that no clip needs.
    fn merge(&mut self, files: &[SegmentFile]) -> Result<(), InferenceError> {
        let needed: HashSet<u32> = self
            .library
            .records()
            .filter_map(|one| one.content)
            .collect();
        let mut at = 0;
        while at < files.len() {
            let mut rows = Rows::default();
            let (first, mut last) = (&files[at], &files[at]);
            let mut bytes = 0;
            let begin = at;
            while let Some(file) = files.get(at)
                && (at == begin || bytes < LARGEST_SEGMENT)
            {
                let segment = self.read(file)?;
                for (row, &key) in segment.keys.iter().enumerate() {
                    if needed.contains(&key.content) {
                        rows.push(key, &segment.row(row, self.settings.dim));
                    }
                }
                bytes += fs::metadata(&file.path).map_or(0, |about| about.len());
                last = file;
                at += 1;
            }
            let folder = self.segment_folder();
            let merged = SegmentFile::new(&folder, first.first, last.last);
            if !rows.is_empty() {
                write_segment(&merged, &rows, self.settings.dim, self.settings.rows)?;
                sync_folder(&folder);
            }
            for file in &files[begin..at] {
                if rows.is_empty() || file.path != merged.path {
                    remove(&file.path)?;
                }
            }
        }
        Ok(())
    }
}

fn remove(path: &Path) -> Result<(), InferenceError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(InferenceError::File {
            path: path.to_owned(),
            source: error,
        }),
        _ => Ok(()),
    }
}

/// Reads chunks until there are no more.
fn read_jobs(
    jobs: &Mutex<Receiver<Job>>,
    tables: &[&ClipTable],
    reading: &clover_data::dataset::ClipReading,
) {
    loop {
        let job = jobs
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .recv();
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
struct Work<'w, B: Backend> {
    writer: &'w mut IndexWriter,
    embedder: &'w Embedder<B>,
    summary: UpdateSummary,
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
    fn new(writer: &'w mut IndexWriter, embedder: &'w Embedder<B>, summary: UpdateSummary) -> Self {
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

    fn run(
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
            return Err(InferenceError::OtherIndex {
                index: self.writer.folder.clone(),
                reason: format!(
                    "has rows of {dim} numbers, and the bundle makes rows of {}",
                    embeddings.dim
                ),
            });
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

    /// With the part of a long film that is done.
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

impl UpdateSummary {
    /// Whether the index is another than before.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.embedded + self.known + self.broken + self.gone > 0
    }

    fn count(&mut self, record: &ClipRecord, is_new: bool) {
        if record.state == ClipState::Gone {
            self.gone += 1;
            return;
        }
        self.progress.clips += 1;
        self.progress.bytes = self.progress.bytes.saturating_add(record.size);
        match (record.state, is_new) {
            (ClipState::Indexed, true) => {
                self.embedded += 1;
                self.progress.seconds += record.seconds;
            }
            (ClipState::Indexed, false) => self.known += 1,
            _ => {}
        }
        self.broken += usize::from(record.fault.is_some());
    }
}
