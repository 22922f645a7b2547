//! The videos of the index.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use clover_inference::ClipState;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Shared, bounded, folder};
use crate::catalog::{Listing, Video};
use crate::json::Json;
use crate::problem::{Problem, ProblemBody};

/// Videos of a page.
const LIMIT: usize = 50;
const MOST: usize = 200;

/// Which videos are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListRequest {
    /// Videos to pass over.
    #[serde(default)]
    offset: usize,
    /// Videos to give: 1 to 200, 50 if not given.
    limit: Option<usize>,
    /// The id of a folder.
    folder: Option<String>,
    /// `indexed`, `broken` or `gone`; all but those that are gone if not given.
    state: Option<String>,
    /// A part of the name.
    name: Option<String>,
}

/// A page of videos.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Videos {
    /// How many there are.
    total: usize,
    /// How many were passed over.
    offset: usize,
    videos: Vec<Video>,
}

/// Lists videos, by folder and name.
#[utoipa::path(get, path = "/api/v1/videos", params(ListRequest), responses(
    (status = 200, body = Videos), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
))]
pub(crate) async fn list(
    State(state): Shared,
    request: Result<Query<ListRequest>, QueryRejection>,
) -> Result<Json<Videos>, Problem> {
    let Query(request) = request?;
    let catalog = state.catalog();
    let folder = folder(&catalog, request.folder.as_deref())?;
    let name = request.name.map(|name| name.to_lowercase());
    let listing = Listing {
        folder,
        state: match request.state.as_deref() {
            None => None,
            Some("indexed") => Some(ClipState::Indexed),
            Some("broken") => Some(ClipState::Broken),
            Some("gone") => Some(ClipState::Gone),
            Some(_) => return Err(Problem::bad_request("state is indexed, broken or gone")),
        },
        name: name.as_deref(),
    };
    let limit = bounded("limit", request.limit, LIMIT, MOST)?;
    let (videos, total) = catalog.list(&listing, request.offset, limit);
    Ok(Json(Videos {
        total,
        offset: request.offset,
        videos,
    }))
}

/// What is known of a video.
#[utoipa::path(get, path = "/api/v1/videos/{id}", params(("id" = String, Path, description = "of the video")),
    responses((status = 200, body = Video), (status = 404, body = ProblemBody)))]
pub(crate) async fn video(
    State(state): Shared,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Video>, Problem> {
    let Path(id) = id?;
    let catalog = state.catalog();
    let clip = catalog.clip(&id)?;
    let video = catalog.video(clip);
    video
        .map(Json)
        .ok_or_else(|| Problem::not_found("no video of this index has that id"))
}
