//! Embeddings of texts, for other programs.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use crate::json::Json;
use crate::problem::{Problem, ProblemBody};
use crate::queue::Task;

/// Texts of a request.
const MOST: usize = 64;
/// A text; more than any model reads.
const LONGEST: usize = 8 << 10;

/// Texts to embed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbedRequest {
    /// 1 to 64 texts.
    texts: Vec<String>,
}

/// Embeddings of texts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Embedded {
    /// Numbers of each.
    dim: usize,
    /// One a text, of unit length.
    embeddings: Vec<Vec<f32>>,
}

/// Embeds texts as a search does.
#[utoipa::path(post, path = "/api/v1/embed", request_body = EmbedRequest, responses(
    (status = 200, body = Embedded), (status = 400, body = ProblemBody), (status = 429, body = ProblemBody),
    (status = 504, body = ProblemBody),
))]
pub(crate) async fn embed(
    State(state): Shared,
    Json(request): Json<EmbedRequest>,
) -> Result<Json<Embedded>, Problem> {
    let texts = request.texts;
    if !(1..=MOST).contains(&texts.len()) {
        return Err(Problem::bad_request(format!("texts: 1 to {MOST} of them")));
    }
    let is_wrong = |text: &String| text.trim().is_empty() || text.len() > LONGEST;
    if texts.iter().any(is_wrong) {
        return Err(Problem::bad_request(format!(
            "texts: one is empty, or has more than {LONGEST} bytes"
        )));
    }
    let rows = state.queue.ask(|answer| Task::Embed(texts, answer)).await?;
    Ok(Json(Embedded {
        dim: rows.dim,
        embeddings: (0..rows.rows()).map(|row| rows.row(row).to_vec()).collect(),
    }))
}
