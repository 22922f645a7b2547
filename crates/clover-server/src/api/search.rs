//! Search by a text, and by a moment of a video.

use axum::extract::State;
use clover_inference::{ClipKey, SearchQuery, SearchResult};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Shared, bounded, query_in, span};
use crate::catalog::{Catalog, Moment};
use crate::json::Json;
use crate::problem::{Problem, ProblemBody};
use crate::queue::Task;

/// Moments that are given where their number is not asked for, and at most.
const TOP: usize = 24;
const MOST: usize = 200;
/// Texts of what should not be seen.
const MOST_NOT: usize = 8;

/// What is searched for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchRequest {
    /// What should be seen.
    text: String,
    /// What should not be seen; 8 texts at most.
    #[serde(default)]
    not: Vec<String>,
    /// The id of the folder to stay in.
    folder: Option<String>,
    /// Moments to give: 1 to 200, 24 if not given.
    top: Option<usize>,
}

/// What found moments should be like.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimilarRequest {
    /// The id of a video.
    video: String,
    /// Where the moment of it begins; all of it where no end is given.
    from_ms: Option<u64>,
    /// Where the moment ends.
    to_ms: Option<u64>,
    /// A text that should be true, too.
    text: Option<String>,
    /// What should not be seen; 8 texts at most.
    #[serde(default)]
    not: Vec<String>,
    /// The id of the folder to stay in.
    folder: Option<String>,
    /// Moments to give: 1 to 200, 24 if not given.
    top: Option<usize>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Found {
    /// Whether the best one fits better than chance would have it; unknown where that was not measured, or
    /// where the model cannot tell.
    matches: Option<bool>,
    /// Whether the text is longer than the model reads, and its end was left out.
    cut: bool,
    /// The best moment of each video, the best first.
    moments: Vec<Moment>,
}

impl Found {
    fn of(catalog: &Catalog, found: &SearchResult) -> Self {
        let moments = found.moments.iter();
        Self {
            matches: found.matches,
            cut: found.cut,
            moments: moments
                .filter_map(|moment| catalog.moment(moment))
                .collect(),
        }
    }
}

/// Refuses more texts than a query needs.
fn checked(not: Vec<String>) -> Result<Vec<String>, Problem> {
    match not.len() <= MOST_NOT {
        true => Ok(not),
        false => Err(Problem::bad_request(format!(
            "not: at most {MOST_NOT} texts"
        ))),
    }
}

/// Finds the moments that a text describes.
#[utoipa::path(post, path = "/api/v1/search", request_body = SearchRequest, responses(
    (status = 200, body = Found), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
    (status = 429, body = ProblemBody), (status = 504, body = ProblemBody),
))]
pub(crate) async fn search(
    State(state): Shared,
    Json(request): Json<SearchRequest>,
) -> Result<Json<Found>, Problem> {
    let catalog = state.catalog();
    let query = SearchQuery {
        text: Some(request.text),
        not: checked(request.not)?,
        top: bounded("top", request.top, TOP, MOST)?,
        ..query_in(&catalog, request.folder.as_deref())?
    };
    let found = state
        .queue
        .ask(|answer| Task::Search(query, answer))
        .await?;
    Ok(Json(Found::of(&catalog, &found)))
}

/// Finds moments like a video of the index, or a moment of it.
#[utoipa::path(post, path = "/api/v1/similar", request_body = SimilarRequest, responses(
    (status = 200, body = Found), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
    (status = 429, body = ProblemBody), (status = 504, body = ProblemBody),
))]
pub(crate) async fn similar(
    State(state): Shared,
    Json(request): Json<SimilarRequest>,
) -> Result<Json<Found>, Problem> {
    let catalog = state.catalog();
    let clip = catalog.clip(&request.video)?;
    let span = span(request.from_ms, request.to_ms)?;
    let Some(embedding) = catalog.index.embedding(clip, span) else {
        return Err(Problem::not_found("this video is not in the index"));
    };
    let top = bounded("top", request.top, TOP, MOST)?;
    let query = SearchQuery {
        text: request.text,
        not: checked(request.not)?,
        like_embeddings: vec![embedding],
        top: top + 1,
        ..query_in(&catalog, request.folder.as_deref())?
    };
    let mut found = state
        .queue
        .ask(|answer| Task::Search(query, answer))
        .await?;
    // Nothing is more like a video than it is itself.
    let content = |clip: &ClipKey| {
        catalog
            .index
            .library()
            .record(clip)
            .and_then(|record| record.content)
    };
    let own = content(clip);
    found.moments.retain(|moment| content(&moment.clip) != own);
    found.moments.truncate(top);
    Ok(Json(Found::of(&catalog, &found)))
}
