//! Writing an index: bringing it up to date with its sources, and clearing it up.
//!
//! A commit is a segment with the rows of the clips that were finished, and after it their lines in the
//! journal. A program that ends between the two leaves a segment that no line speaks of; the next one
//! removes it.

mod embedding;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use burn::prelude::*;
use clover_data::dataset::ClipTable;
use clover_data::files::FolderLock;
use globset::{Glob, GlobSet, GlobSetBuilder};

use self::embedding::{Work, read_jobs};
use super::SEGMENTS;
use super::contents::Stamp;
use super::library::{ClipKey, ClipRecord, ClipState, Library, sync_folder};
use super::plan::{IndexSource, Job, KnownContents, Planner, Step, Survey};
use super::segment::{RowKey, Rows, Segment, SegmentFile, SegmentList, write_segment};
use super::settings::{IndexSettings, SETTINGS, is_index};
use super::source::LibrarySource;
use crate::bundle::create_folder;
use crate::{Embedder, InferenceError};

/// Segments are not merged into larger ones.
const LARGEST_SEGMENT: u64 = 512 << 20;

/// The one writer of an index.
#[derive(Debug)]
pub struct IndexWriter {
    folder: PathBuf,
    settings: IndexSettings,
    library: Library,
    /// The contents that have rows.
    stored: HashSet<u32>,
    _lock: FolderLock,
}

/// A row beside start and end of its window in milliseconds, both zero for the whole clip.
pub type WindowRow = ([u32; 2], Vec<f32>);

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
        if !is_index(folder) && holds_other_things(folder) {
            return Err(InferenceError::OtherIndex {
                index: folder.to_owned(),
                reason: format!(
                    "is a folder with other things in it, and no index, which has an {SETTINGS}; name a \
                     new folder"
                ),
            });
        }
        create_folder(&folder.join(SEGMENTS))?;
        let lock = FolderLock::take(folder)?;
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
        let mut writer = Self {
            folder: folder.to_owned(),
            settings,
            library,
            stored: HashSet::new(),
            _lock: lock,
        };
        let SegmentList { live, stale } = writer.segments()?;
        for stale in stale {
            remove(&stale)?;
        }
        for file in live {
            let segment = writer.read(&file)?;
            writer
                .stored
                .extend(segment.keys.iter().map(|key| key.content));
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

    /// The opened clips of a source for an update. The index notes the source if it is new, or is now read
    /// in another way.
    ///
    /// # Errors
    ///
    /// The settings cannot be written.
    pub fn source(
        &mut self,
        source: LibrarySource,
        clips: ClipTable,
    ) -> Result<IndexSource, InferenceError> {
        let source = LibrarySource {
            folder: clips.folder().to_owned(),
            ..source
        };
        let sources = &mut self.settings.sources;
        let known = sources.iter().position(|one| one.is_same_list(&source));
        let place = known.unwrap_or(sources.len());
        match sources.get_mut(place) {
            Some(known) if *known == source => return Ok(IndexSource { place, clips }),
            Some(known) => *known = source,
            None => sources.push(source),
        }
        self.settings.write(&self.folder)?;
        Ok(IndexSource { place, clips })
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
        let mut survey = Survey::of(sources, &options.exclude, &self.library, &self.stored);
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

        let reading = embedder.clip_reading();
        let tables: Vec<&ClipTable> = sources.iter().map(|source| &source.clips).collect();
        let mut planner = Planner {
            tables: &tables,
            reading: &reading,
            windows: self.settings.windows,
            contents: self.known_contents(),
            next_content: self.next_content(),
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

    /// Adds clips whose rows were made elsewhere. An update of their source makes them anew.
    ///
    /// # Errors
    ///
    /// A row has another width than the index, or a file cannot be written.
    pub fn insert(&mut self, clips: Vec<(ClipKey, Vec<WindowRow>)>) -> Result<(), InferenceError> {
        let (mut rows, mut records) = (Rows::default(), Vec::new());
        for ((clip, windows), content) in clips.into_iter().zip(self.next_content()..) {
            for ([start_ms, end_ms], row) in windows {
                if row.len() != self.settings.dim {
                    return Err(self.other_width(row.len()));
                }
                let key = RowKey {
                    content,
                    start_ms,
                    end_ms,
                };
                rows.push(key, &row);
            }
            records.push(ClipRecord {
                state: ClipState::Indexed,
                content: Some(content),
                fault: None,
                ..ClipRecord::broken(clip, Stamp::default(), String::new())
            });
        }
        self.commit(&rows, records)
    }

    fn other_width(&self, found: usize) -> InferenceError {
        InferenceError::OtherIndex {
            index: self.folder.clone(),
            reason: format!("has rows of {} numbers, not of {found}", self.settings.dim),
        }
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
    fn known_contents(&self) -> KnownContents {
        let mut known = KnownContents::new();
        for record in self.library.records() {
            // One of which a part could not be read is read again when its file is found elsewhere.
            if let Some(content) = record.content
                && record.fault.is_none()
                && self.stored.contains(&content)
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

    /// Neither a number of the journal nor one of a row whose line is lost is given again.
    fn next_content(&self) -> u32 {
        let stored = self.stored.iter().map(|&content| content + 1).max();
        stored.unwrap_or(0).max(self.library.contents())
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
            self.stored.extend(rows.keys.iter().map(|key| key.content));
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
        self.stored.retain(|content| needed.contains(content));
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

/// Whether there is more in a folder than an index has before its settings are written.
fn holds_other_things(folder: &Path) -> bool {
    let own = |name: &OsStr| {
        // A file that is being written has a name that begins so.
        name == SEGMENTS
            || name == FolderLock::FILE
            || name.to_string_lossy().starts_with(".index.toml")
    };
    let mut entries = folder.read_dir().into_iter().flatten().flatten();
    entries.any(|entry| !own(&entry.file_name()))
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
