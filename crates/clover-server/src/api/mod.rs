//! The routes of the service, and what describes them.

mod ask;
mod embed;
mod files;
mod health;
mod search;
mod session;
mod uploads;
mod videos;

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Router, middleware};
use clover_data::video::Span;
use clover_inference::SearchQuery;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::{Info, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::catalog::{Catalog, FolderPlace};
use crate::page;
use crate::problem::Problem;
use crate::request::attend;
use crate::state::State;

/// What routes share.
pub(crate) type Shared = axum::extract::State<Arc<State>>;

pub(crate) const HEALTH: &str = "/api/v1/health";
/// Where health checks of other programs look for it.
pub(crate) const PLAIN_HEALTH: &str = "/health";
pub(crate) const SESSION: &str = "/api/v1/session";

/// All routes, with what guards them.
pub(crate) fn router(state: &Arc<State>) -> Router {
    let (routes, openapi) = routes().split_for_parts();
    let openapi = described(openapi);
    let _ = state.openapi.set(openapi);
    let pages = page::routes();
    routes
        .route(PLAIN_HEALTH, axum::routing::get(health::health))
        .merge(pages)
        .fallback(async || Problem::not_found("there is nothing here; /docs says what is where"))
        .method_not_allowed_fallback(async || {
            let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(status, "this route has no such method; /docs lists them")
        })
        .layer(middleware::from_fn_with_state(Arc::clone(state), attend))
        .with_state(Arc::clone(state))
}

fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(health::status))
        .routes(routes!(health::metrics))
        .routes(routes!(session::begin, session::end))
        .routes(routes!(search::search))
        .routes(routes!(search::similar))
        .routes(routes!(ask::ask))
        .routes(routes!(embed::embed))
        .routes(routes!(videos::list))
        .routes(routes!(videos::video))
        .routes(routes!(files::stream))
        .routes(routes!(files::preview))
        .routes(routes!(files::thumbnail))
        .routes(routes!(uploads::upload))
        .routes(routes!(uploads::jobs))
        .routes(routes!(uploads::job))
        .routes(routes!(uploads::events))
}

/// The description of all routes, as a document.
fn described(mut openapi: OpenApi) -> String {
    openapi.info = Info::new("Clover", "1");
    openapi.info.description = Some(
        "Search in videos and questions about them. Where the server has a token, requests carry \
         `Authorization: Bearer TOKEN`, or the cookie of /api/v1/session. Refusals are \
         `application/problem+json`."
            .to_owned(),
    );
    openapi.to_json().unwrap_or_default()
}

/// The description as it is served.
pub(crate) async fn openapi(axum::extract::State(state): Shared) -> impl IntoResponse {
    let document = state.openapi.get().cloned().unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], document)
}

/// A part of a video, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Where it begins; at the beginning if not given.
    from: Option<u64>,
    /// Where it ends.
    to: Option<u64>,
}

/// The span from one time to another; none where no end is given.
fn span(from: Option<u64>, to: Option<u64>) -> Result<Option<Span>, Problem> {
    match (from, to) {
        (None, None) => Ok(None),
        (from, Some(to)) => {
            let span = Span::new(from.unwrap_or(0), to);
            span.map(Some)
                .map_err(|error| Problem::bad_request(error.to_string()))
        }
        (Some(_), None) => Err(Problem::bad_request("a part of a video needs its end, too")),
    }
}

/// A number of results within bounds.
fn bounded(name: &str, value: Option<usize>, usual: usize, most: usize) -> Result<usize, Problem> {
    let value = value.unwrap_or(usual);
    match (1..=most).contains(&value) {
        true => Ok(value),
        false => Err(Problem::bad_request(format!(
            "{name} is a number from 1 to {most}"
        ))),
    }
}

/// A folder that a client names, or none.
fn folder<'c>(catalog: &'c Catalog, id: Option<&str>) -> Result<Option<&'c FolderPlace>, Problem> {
    id.map(|id| catalog.folder(id)).transpose()
}

/// A query that stays in the folder that a client names, if it names one.
fn query_in(catalog: &Catalog, id: Option<&str>) -> Result<SearchQuery, Problem> {
    let folder = folder(catalog, id)?;
    Ok(SearchQuery {
        within: folder.and_then(|folder| folder.path.clone()),
        source: folder.map(|folder| folder.source),
        ..SearchQuery::default()
    })
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        Self::not_found("there is nothing here; /docs says what is where")
    }
}
