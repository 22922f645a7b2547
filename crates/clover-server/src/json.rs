//! JSON in and out, within bounds.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A thousand choices of some words each.
const MAX_BYTES: usize = 256 << 10;
/// For the whole body, however it trickles.
const READ_WITHIN: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });

/// The JSON body of a request; and of an answer.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        // Forms of other sites cannot send this type without asking first.
        if !is_json(&request) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send JSON, with the header `Content-Type: application/json`",
            ));
        }
        let body = Limited::new(request.into_body(), MAX_BYTES).collect();
        let body = tokio::time::timeout(READ_WITHIN, body).await;
        let body = body.map_err(|_| {
            let detail = "the body came too slowly";
            Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
        })?;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body has more than {MAX_BYTES} bytes"),
            ),
            false => Problem::bad_request("the body was cut off"),
        })?;
        // serde_json itself refuses what is nested deeper than 128 levels.
        let value = serde_json::from_slice(&body.to_bytes());
        value.map(Self).map_err(|error| {
            Problem::bad_request(format!("not the JSON that is read here: {error}"))
        })
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(_) => Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the answer holds what is no number",
            )
            .into_response(),
        }
    }
}
