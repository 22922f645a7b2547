//! What goes on after a request was answered: files that were sent are made searchable.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clover_inference::ClipKey;
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::catalog::{Catalog, Id, Video};
use crate::problem::Problem;

/// Jobs that are remembered.
const REMEMBERED: usize = 100;
/// Jobs that wait; files beyond are not taken.
const WAITING: usize = 32;

/// A file on its way into the index.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: Id,
    /// As the client called it.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    progress: watch::Sender<JobProgress>,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct JobProgress {
    pub(crate) state: JobState,
    /// From 0 to 1.
    pub(crate) progress: f64,
    /// What it waits for, or why it failed.
    pub(crate) detail: Option<String>,
    /// What the file became.
    pub(crate) clip: Option<ClipKey>,
}

/// What becomes of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JobState {
    /// Others are before it, or another program writes to the index.
    #[default]
    Waiting,
    Indexing,
    /// The file can be searched.
    Done,
    Failed,
}

/// A job as clients see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    id: String,
    /// What the file was called.
    name: String,
    state: JobState,
    /// From 0 to 1.
    progress: f64,
    /// What it waits for, or why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// What the file became, once it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    video: Option<Video>,
}

/// All jobs, and those that wait among them.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    /// The newest first.
    known: Mutex<VecDeque<Arc<Job>>>,
}

impl Job {
    pub(crate) fn new(name: String, path: PathBuf) -> Self {
        Self {
            id: Id::random(),
            name,
            path,
            progress: watch::Sender::new(JobProgress::default()),
        }
    }

    pub(crate) fn report(&self, progress: JobProgress) {
        self.progress.send_if_modified(|last| {
            let is_new = *last != progress;
            *last = progress;
            is_new
        });
    }

    pub(crate) fn watch(&self) -> watch::Receiver<JobProgress> {
        self.progress.subscribe()
    }

    pub(crate) fn state(&self) -> JobState {
        self.progress.borrow().state
    }

    pub(crate) fn view(&self, catalog: &Catalog) -> JobView {
        let now = self.progress.borrow().clone();
        JobView {
            id: self.id.to_string(),
            name: self.name.clone(),
            state: now.state,
            progress: now.progress,
            detail: now.detail,
            video: now.clip.as_ref().and_then(|clip| catalog.video(clip)),
        }
    }
}

impl JobState {
    /// Whether nothing more happens.
    pub(crate) fn is_last(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        // Nothing is left half done where a thread that held it ended.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another file can be taken.
    pub(crate) fn check_place(&self) -> Result<(), Problem> {
        let waiting = self
            .lock()
            .iter()
            .filter(|job| !job.state().is_last())
            .count();
        match waiting < WAITING {
            true => Ok(()),
            false => Err(Problem::busy(
                "too many files wait to be indexed; send it again later",
            )),
        }
    }

    pub(crate) fn add(&self, job: Arc<Job>) {
        let mut known = self.lock();
        known.push_front(job);
        // The oldest that are done with are forgotten.
        while known.len() > REMEMBERED {
            let Some(oldest) = known.iter().rposition(|job| job.state().is_last()) else {
                break;
            };
            known.remove(oldest);
        }
    }

    /// The one that waits longest.
    pub(crate) fn next(&self) -> Option<Arc<Job>> {
        let known = self.lock();
        let waiting = known.iter().rev().find(|job| !job.state().is_last());
        waiting.map(Arc::clone)
    }

    pub(crate) fn all(&self) -> Vec<Arc<Job>> {
        self.lock().iter().map(Arc::clone).collect()
    }

    pub(crate) fn find(&self, id: &str) -> Result<Arc<Job>, Problem> {
        let id = Id::parse(id);
        let known = self.lock();
        let job = known.iter().find(|job| Some(job.id) == id);
        job.map(Arc::clone)
            .ok_or_else(|| Problem::not_found("no job has that id"))
    }
}
