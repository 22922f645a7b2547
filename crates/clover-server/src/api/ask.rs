//! Questions about a video, or about what a search finds.

use std::sync::Arc;

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clover_data::video::Span;
use clover_inference::{AttentionMap, ClipAnswers, FoundMoment, SearchQuery};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Shared, bounded, span};
use crate::catalog::{Catalog, Moment};
use crate::json::Json;
use crate::problem::{Problem, ProblemBody};
use crate::queue::{Question, Task};

/// Pixels of a frame's height in an image of attention.
const STRIP: u32 = 120;
const TOP: usize = 5;
const MOST: usize = 100;
const MOMENTS: usize = 3;
const MOST_MOMENTS: usize = 10;

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskRequest {
    question: String,
    /// Answers to choose from.
    #[serde(default)]
    choices: Vec<String>,
    /// The id of the video that is asked about; if not given, what a search finds.
    video: Option<String>,
    /// Where the part that is asked about begins.
    from_ms: Option<u64>,
    /// Where it ends.
    to_ms: Option<u64>,
    /// Answers to give: 1 to 100, 5 if not given.
    top: Option<usize>,
    /// Whether what the answer looks at is wanted, too.
    #[serde(default)]
    attention: bool,
    /// Moments to ask about where no video is named: 1 to 10, 3 if not given.
    moments: Option<usize>,
    /// What to search for where no video is named; the question if not given.
    about: Option<String>,
}

/// Answers to a question.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answered {
    /// Whether anything fits what was searched for; unknown where a video was named.
    matches: Option<bool>,
    found: Vec<AnsweredMoment>,
}

/// What was answered of a moment.
#[derive(Debug, Serialize, ToSchema)]
struct AnsweredMoment {
    moment: Moment,
    #[schema(value_type = Answers)]
    answers: ClipAnswers,
    #[serde(skip_serializing_if = "Option::is_none")]
    attention: Option<Attention>,
}

/// The answers about a moment, the best first.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes what another crate's type is written as"
)]
struct Answers {
    ranked: Vec<Answer>,
    /// `answer-list`, `multiple-choice` or `similarity`.
    answered_by: String,
    /// How many answers were compared.
    known: usize,
    /// Whether the best one stands out; never where no head answers.
    sure: bool,
    /// Whether a text is longer than the model reads.
    cut: bool,
}

/// An answer.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes what another crate's type is written as"
)]
struct Answer {
    answer: String,
    /// Those of all answers that were compared sum to 1. Where no head answers it is relative to these.
    probability: f64,
    /// The cosine of text and clip, where no head answers.
    similarity: Option<f64>,
}

/// What an answer looks at.
#[derive(Debug, Serialize, ToSchema)]
struct Attention {
    /// A PNG as a data URL: the frames, and below them the attention over them.
    image: String,
    /// The share of each time step; the rest goes to the text.
    steps: Vec<f32>,
    /// The sum of these.
    video_share: f32,
}

/// Answers a question about a video, a part of it, or the moments that a search finds.
#[utoipa::path(post, path = "/api/v1/ask", request_body = AskRequest, responses(
    (status = 200, body = Answered), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody, description = "the bundle does not answer this, or the video cannot be decoded"),
    (status = 429, body = ProblemBody), (status = 504, body = ProblemBody),
))]
pub(crate) async fn ask(
    State(state): Shared,
    Json(request): Json<AskRequest>,
) -> Result<Json<Answered>, Problem> {
    let catalog = state.catalog();
    let top = bounded("top", request.top, TOP, MOST)?;
    let part = span(request.from_ms, request.to_ms)?;
    let moments = bounded("moments", request.moments, MOMENTS, MOST_MOMENTS)?;
    let (matches, moments) = match &request.video {
        Some(id) => (None, vec![named(&catalog, id, part)?]),
        None => {
            let about = request.about.as_ref().unwrap_or(&request.question);
            let query = SearchQuery {
                text: Some(about.clone()),
                top: moments,
                ..SearchQuery::default()
            };
            let found = state
                .queue
                .ask(|answer| Task::Search(query, answer))
                .await?;
            (found.matches, found.moments)
        }
    };
    let mut found = Vec::new();
    for moment in moments {
        let clip = state.read_clip(&catalog, &moment.clip, moment.span).await?;
        let question = Box::new(Question {
            clip,
            question: request.question.clone(),
            choices: request.choices.clone(),
            top,
            attention: request.attention,
        });
        let answered = state
            .queue
            .ask(|answer| Task::Ask(question, answer))
            .await?;
        let attention = match answered.attention {
            Some(map) => Some(attention_image(&state, &catalog, &moment, map).await?),
            None => None,
        };
        if let Some(moment) = catalog.moment(&moment) {
            found.push(AnsweredMoment {
                moment,
                answers: answered.answers,
                attention,
            });
        }
    }
    Ok(Json(Answered { matches, found }))
}

/// A video that a client names, or a part of it.
fn named(catalog: &Catalog, id: &str, part: Option<Span>) -> Result<FoundMoment, Problem> {
    let clip = catalog.clip(id)?;
    Ok(FoundMoment {
        path: catalog.index.path_of(clip),
        copies: Vec::new(),
        span: part.or(clip.span()),
        clip: clip.clone(),
        score: 0.0,
        place: None,
        fused: None,
        combined: None,
    })
}

/// The attention over the frames.
async fn attention_image(
    state: &crate::state::State,
    catalog: &Arc<Catalog>,
    moment: &FoundMoment,
    map: AttentionMap,
) -> Result<Attention, Problem> {
    let steps = (0..map.grid[0])
        .map(|step| map.step(step).iter().sum())
        .collect();
    let video_share = map.video_share();
    let (overlay, catalog, moment) = (state.overlay.clone(), Arc::clone(catalog), moment.clone());
    let draw = move || {
        let (source, part) = catalog.index.open_clip(&moment.clip)?;
        overlay.png((source, moment.span.or(part)), &map, STRIP)
    };
    let png = state.decoding.run(draw).await?;
    Ok(Attention {
        image: format!("data:image/png;base64,{}", STANDARD.encode(png)),
        steps,
        video_share,
    })
}
