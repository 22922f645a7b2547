//! The thread that makes files that were sent searchable, one after the other.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use burn::prelude::*;
use clover_data::dataset::ClipTable;
use clover_data::{DataError, catch_panic};
use clover_inference::{
    ClipState, Embedder, IndexEvent, IndexSettings, IndexWriter, InferenceError, LibrarySource,
    NeutralTexts, UpdateOptions, ready_index,
};

use crate::jobs::{Job, JobProgress, JobState, Jobs};
use crate::state::State;

/// How often is looked for new files, and for an index that another program let go of.
const PAUSE: Duration = Duration::from_millis(200);
/// Another program that writes to the index is waited for so long.
const TIMEOUT: Duration = Duration::from_secs(600);

/// What files are indexed with.
#[derive(Debug)]
pub(crate) struct Indexing<B: Backend> {
    pub(crate) index: PathBuf,
    pub(crate) uploads: PathBuf,
    pub(crate) embedder: Embedder<B>,
    pub(crate) neutral: NeutralTexts,
}

impl<B: Backend> Indexing<B> {
    /// Works on jobs until the server is stopped.
    pub(crate) fn run(&self, jobs: &Jobs, state: &State) {
        while !state.is_stopping() {
            let Some(job) = jobs.next() else {
                thread::sleep(PAUSE);
                continue;
            };
            let failed = |detail: String| JobProgress {
                state: JobState::Failed,
                progress: 1.0,
                detail: Some(detail),
                clip: None,
            };
            // A panic costs this file, and no other.
            let done = catch_panic(|| self.index(&job, state));
            let last = match done {
                Ok(Ok(progress)) => progress,
                Ok(Err(error)) => {
                    tracing::error!(job = %job.id, %error, "a file cannot be indexed");
                    failed("the index cannot be written; the server's log says why".to_owned())
                }
                Err(_) => failed("the file cannot be decoded".to_owned()),
            };
            if state.is_stopping() && !last.state.is_last() {
                return;
            }
            if last.state == JobState::Failed {
                // Nobody could search it, and it would fill the folder.
                let _ = fs::remove_file(&job.path);
            }
            tracing::info!(job = %job.id, state = ?last.state, "a file was indexed");
            job.report(last);
        }
    }

    fn index(&self, job: &Arc<Job>, state: &State) -> Result<JobProgress, InferenceError> {
        let Some(mut writer) = self.writer(job, state)? else {
            return Ok(JobProgress::default());
        };
        job.report(JobProgress {
            state: JobState::Indexing,
            ..JobProgress::default()
        });
        let clips = ClipTable::open(&self.uploads, None, &|_, _| ())?;
        let source = writer.source(LibrarySource::of(&self.uploads), clips)?;
        let mut bytes = 0;
        let visit = &mut |event: IndexEvent<'_>| {
            match event {
                IndexEvent::Looked { bytes: all, .. } => bytes = all,
                IndexEvent::Progress(now) => job.report(JobProgress {
                    state: JobState::Indexing,
                    progress: (now.bytes as f64 / bytes.max(1) as f64).clamp(0.0, 0.99),
                    ..JobProgress::default()
                }),
                _ => {}
            }
            match state.is_stopping() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        // One thread reads: whoever sends files has no more of the machine than that.
        let options = UpdateOptions::new(1, &[])?;
        let summary = writer.update(&self.embedder, &[source], &options, visit)?;
        if summary.interrupted {
            return Ok(JobProgress::default());
        }
        let index = ready_index(&self.index, &self.embedder, &self.neutral, false)?;
        let mut records = index.library().records();
        let record = records.find(|record| index.path_of(&record.key) == job.path);
        let (state_of_clip, fault) = match record {
            Some(record) => (record.state, record.fault.clone()),
            None => (ClipState::Gone, None),
        };
        let clip = record.map(|record| record.key.clone());
        drop(records);
        state.replace_index(index)?;
        Ok(match state_of_clip {
            ClipState::Indexed => JobProgress {
                state: JobState::Done,
                progress: 1.0,
                detail: fault.map(|fault| told(&fault, &job.path)),
                clip,
            },
            _ => JobProgress {
                state: JobState::Failed,
                progress: 1.0,
                detail: Some(fault.map_or_else(
                    || "the file is no longer there".to_owned(),
                    |fault| told(&fault, &job.path),
                )),
                clip: None,
            },
        })
    }

    /// The index to write to, once no other program does; none where the server is stopped first.
    fn writer(&self, job: &Job, state: &State) -> Result<Option<IndexWriter>, InferenceError> {
        let begun = Instant::now();
        // Of the index that is searched: one that was built anew with another bundle is refused.
        let settings = state.catalog().index.settings().clone();
        // Where it is no longer, none is begun.
        IndexSettings::read(&self.index)?;
        loop {
            match IndexWriter::open(&self.index, &settings) {
                Err(InferenceError::Data(DataError::FolderLocked { .. }))
                    if begun.elapsed() < TIMEOUT =>
                {
                    job.report(JobProgress {
                        detail: Some("another program writes to the index".to_owned()),
                        ..JobProgress::default()
                    });
                }
                opened => return opened.map(Some),
            }
            if state.is_stopping() {
                return Ok(None);
            }
            thread::sleep(PAUSE);
        }
    }
}

/// A fault without the folder of the file.
fn told(fault: &str, path: &Path) -> String {
    let folder = path.parent().unwrap_or(Path::new("")).display().to_string();
    fault.replace(&format!("{folder}/"), "")
}
