//! What went wrong with a request, as RFC 9457 has it: `application/problem+json`.

use std::io;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clover_inference::InferenceError;
use serde::Serialize;
use utoipa::ToSchema;

/// After how many seconds a client may ask again that was told the server is busy.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) detail: String,
}

/// The body of a refusal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// A kind of problem; always `about:blank`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What the status is called.
    title: &'static str,
    /// The status.
    status: u16,
    /// What is wrong with this request, and what to do.
    detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { status, detail }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The server has more to do than it keeps waiting.
    pub(crate) fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
    }

    pub(crate) fn too_late() -> Self {
        let detail = "the answer was not there in time";
        Self::new(StatusCode::GATEWAY_TIMEOUT, detail)
    }

    pub(crate) fn stopping() -> Self {
        let detail = "the server is being stopped";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// A file that was sent cannot be kept.
    pub(crate) fn of_writing(error: &io::Error) -> Self {
        tracing::error!(%error, "a file that was sent cannot be written");
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "the disk is full")
            }
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the file cannot be written",
            ),
        }
    }

    /// What the model or a decoder refused. Paths of the machine are not told.
    pub(crate) fn of_inference(error: &InferenceError) -> Self {
        match error {
            InferenceError::Question { .. } | InferenceError::Option { .. } => {
                Self::bad_request(error.to_string())
            }
            InferenceError::Unanswerable { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            InferenceError::File { .. } => {
                Self::not_found("the file of this video is no longer there")
            }
            InferenceError::Data(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the video, or this part of it, cannot be decoded",
            ),
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the model cannot answer this",
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Refused"),
            status: self.status.as_u16(),
            detail: self.detail,
        };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, kind, body).into_response();
        let headers = response.headers_mut();
        match self.status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, RETRY_SECONDS);
            }
            StatusCode::UNAUTHORIZED => {
                let scheme = HeaderValue::from_static("Bearer");
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
            _ => {}
        }
        response
    }
}
