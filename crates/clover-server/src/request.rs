//! What happens with every request: its id, who may ask, a line of the log, and headers of the answer.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State as Extracted};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::access::harden;
use crate::api::{HEALTH, PLAIN_HEALTH, SESSION};
use crate::page::is_of_page;
use crate::problem::Problem;
use crate::state::State;

/// The header of a request's id, which the log has, too.
const ID: &str = "x-request-id";

/// Checks a request, has it answered, and logs that. What was searched for is not logged.
pub(crate) async fn attend(
    Extracted(state): Extracted<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = format!("{:016x}", rand::random::<u64>());
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("other", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let mut response = match check(&state, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    harden(response.headers_mut());
    if let Ok(id) = HeaderValue::try_from(&id) {
        response.headers_mut().insert(ID, id);
    }
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    state.metrics.request(&route, status, took);
    let ms = took.as_millis() as u64;
    tracing::info!(request_id = %id, %method, %route, status, ms, "request");
    response
}

fn check(state: &State, request: &Request) -> Result<(), Problem> {
    state.access.check_host(request)?;
    let path = request.uri().path();
    // A link on another site may lead to the page, and to nothing that computes.
    if !is_of_page(path) || !request.method().is_safe() {
        state.access.check_origin(request.headers())?;
    }
    // The page holds no secret, and asks for the token itself.
    if is_of_page(path) || [HEALTH, PLAIN_HEALTH, SESSION].contains(&path) {
        return Ok(());
    }
    state.access.check_token(request.headers())
}
