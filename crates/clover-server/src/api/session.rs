//! A cookie in exchange for the token: images and videos of a page carry no header.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;

use super::Shared;
use crate::access::Access;
use crate::problem::{Problem, ProblemBody};

/// Gives who sends the token a cookie that takes its place until the server ends.
#[utoipa::path(post, path = "/api/v1/session", responses(
    (status = 204, description = "the cookie is set"), (status = 401, body = ProblemBody),
    (status = 404, body = ProblemBody, description = "the server asks for no token"),
))]
pub(crate) async fn begin(
    State(state): Shared,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let cookie = state.access.session_cookie(&headers)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]))
}

/// Takes the cookie away.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204)))]
pub(crate) async fn end() -> impl IntoResponse {
    (
        StatusCode::NO_CONTENT,
        [(header::SET_COOKIE, Access::no_cookie())],
    )
}
