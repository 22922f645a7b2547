//! Whether the server is there, what it has, and what it counted.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use clover_data::video::MediaType;
use clover_inference::ClipState;
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use crate::catalog::Folder;
use crate::json::Json;
use crate::queue::CAPACITY;

/// Texts to try.
const EXAMPLES: usize = 6;
/// Folders that are told.
const FOLDERS: usize = 1_000;

/// Whether the server answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok` or `stopping`.
    status: &'static str,
}

/// What the server has.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    version: &'static str,
    index: IndexStatus,
    queue: QueueStatus,
    /// What the bundle answers questions with: `list`, `choices`, `blank` or `none`.
    answers: &'static str,
    /// None where no files are taken.
    uploads: Option<UploadStatus>,
    /// Texts to try.
    examples: Vec<String>,
    /// By name; 1,000 at most.
    folders: Vec<Folder>,
}

/// What is searched.
#[derive(Debug, Serialize, ToSchema)]
struct IndexStatus {
    name: String,
    videos: usize,
    /// Videos that cannot be read.
    broken: usize,
    rows: usize,
    dim: usize,
}

/// Who waits for the model.
#[derive(Debug, Serialize, ToSchema)]
struct QueueStatus {
    waiting: usize,
    capacity: usize,
}

/// What files are taken.
#[derive(Debug, Serialize, ToSchema)]
struct UploadStatus {
    max_bytes: u64,
    kinds: Vec<&'static str>,
}

/// Whether the server answers; needs no token.
#[utoipa::path(get, path = "/api/v1/health", responses(
    (status = 200, body = Health), (status = 503, body = Health, description = "it is being stopped"),
))]
pub(crate) async fn health(State(state): Shared) -> Response {
    let (code, status) = match state.is_stopping() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        false => (StatusCode::OK, "ok"),
    };
    (code, Json(Health { status })).into_response()
}

/// What the server has: videos, folders, and texts to try.
#[utoipa::path(get, path = "/api/v1/status", responses((status = 200, body = Status)))]
pub(crate) async fn status(State(state): Shared) -> Json<Status> {
    let catalog = state.catalog();
    let mut examples = catalog.telling_names(EXAMPLES);
    let missing = EXAMPLES - examples.len();
    examples.extend(state.captions.iter().take(missing).cloned());
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        index: IndexStatus {
            name: catalog.name().to_owned(),
            videos: catalog.count(ClipState::Indexed),
            broken: catalog.count(ClipState::Broken),
            rows: catalog.index.rows(),
            dim: catalog.index.settings().dim,
        },
        queue: QueueStatus {
            waiting: state.queue.len(),
            capacity: CAPACITY,
        },
        answers: state.answers,
        uploads: state.uploads.as_ref().map(|uploads| UploadStatus {
            max_bytes: uploads.max_bytes,
            kinds: MediaType::KNOWN.map(|kind| kind.extension).to_vec(),
        }),
        examples,
        folders: catalog.folders().iter().take(FOLDERS).cloned().collect(),
    })
}

/// What was counted and measured, in Prometheus's text form.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(state): Shared) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, state.metrics.render())
}
