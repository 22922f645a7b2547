//! Files that are sent, and what becomes of them.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use crate::jobs::{Job, JobProgress, JobView};
use crate::json::Json;
use crate::problem::{Problem, ProblemBody};
use crate::uploads::Uploads;

/// A file to be.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadRequest {
    /// What the file is called.
    name: String,
}

/// A file that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Taken {
    job: JobView,
}

/// What became of files.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Jobs)]
pub(crate) struct JobList {
    /// The newest first.
    jobs: Vec<JobView>,
}

fn uploads(state: &crate::state::State) -> Result<&Uploads, Problem> {
    let uploads = state.uploads.as_ref();
    uploads.ok_or_else(|| Problem::not_found("this server takes no files; `--upload-dir` lets it"))
}

/// Takes a video or an image, to be indexed.
#[utoipa::path(post, path = "/api/v1/uploads", params(UploadRequest),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 202, body = Taken), (status = 400, body = ProblemBody),
    (status = 404, body = ProblemBody, description = "no files are taken"), (status = 408, body = ProblemBody),
    (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 429, body = ProblemBody),
    (status = 507, body = ProblemBody),
))]
pub(crate) async fn upload(
    State(state): Shared,
    query: Result<Query<UploadRequest>, QueryRejection>,
    request: Request,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    let uploads = uploads(&state)?;
    let Query(UploadRequest { name }) = query?;
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let job = uploads.receive(&name, length, request.into_body()).await?;
    let job = job.view(&state.catalog());
    Ok((StatusCode::ACCEPTED, Json(Taken { job })))
}

/// Lists files that were taken, and what became of them.
#[utoipa::path(get, path = "/api/v1/jobs", responses((status = 200, body = JobList)))]
pub(crate) async fn jobs(State(state): Shared) -> Json<JobList> {
    let catalog = state.catalog();
    let jobs = state.uploads.as_ref().map(|uploads| uploads.jobs.all());
    let jobs = jobs.unwrap_or_default();
    Json(JobList {
        jobs: jobs.iter().map(|job| job.view(&catalog)).collect(),
    })
}

/// Says what became of a file that was taken.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", params(("id" = String, Path, description = "of the job")),
    responses((status = 200, body = JobView), (status = 404, body = ProblemBody)))]
pub(crate) async fn job(
    State(state): Shared,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<JobView>, Problem> {
    let job = uploads(&state)?.jobs.find(&id?.0)?;
    Ok(Json(job.view(&state.catalog())))
}

/// Tells of each change of a job as a server-sent event named `job`, until it is done.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/events", params(("id" = String, Path, description = "of the job")),
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = 404, body = ProblemBody)))]
pub(crate) async fn events(
    State(state): Shared,
    id: Result<Path<String>, PathRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let job = uploads(&state)?.jobs.find(&id?.0)?;
    let told = Told {
        progress: job.watch(),
        stopping: state.stopping(),
        state,
        job,
        is_first: true,
        is_last: false,
    };
    let stream = unfold(told, async |mut told| {
        let event = told.next().await?;
        Some((Ok(event), told))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// A client that hears of a job.
struct Told {
    state: Arc<crate::state::State>,
    job: Arc<Job>,
    progress: watch::Receiver<JobProgress>,
    stopping: watch::Receiver<bool>,
    is_first: bool,
    is_last: bool,
}

impl Told {
    async fn next(&mut self) -> Option<Event> {
        if self.is_last {
            return None;
        }
        if !self.is_first {
            tokio::select! {
                changed = self.progress.changed() => changed.ok()?,
                _ = self.stopping.wait_for(|stops| *stops) => return None,
            }
        }
        self.is_first = false;
        self.is_last = self.progress.borrow_and_update().state.is_last();
        let view = self.job.view(&self.state.catalog());
        let data = serde_json::to_string(&view).ok()?;
        Some(Event::default().event("job").data(data))
    }
}
