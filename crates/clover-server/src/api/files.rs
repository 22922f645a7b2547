//! The bytes of videos, their frames, and previews of them.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clover_data::files::open_regular;
use clover_data::video::{ClipSource, MediaType, Span};
use clover_inference::{ClipKey, InferenceError};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::{Part, Shared, span};
use crate::byte_range::Wanted;
use crate::catalog::Catalog;
use crate::frames;
use crate::problem::{Problem, ProblemBody};

/// Images depend on the id and the file alone; a browser keeps them for an hour.
const KEEP: &str = "private, max-age=3600";

/// A file that was opened, and what it is.
struct Opened {
    file: Source,
    length: u64,
    kind: MediaType,
    /// Changes with the file.
    tag: String,
}

enum Source {
    File(std::fs::File),
    Memory(Vec<u8>),
}

/// Gives the bytes of a video's file, or one range of them.
#[utoipa::path(get, path = "/api/v1/videos/{id}/stream", params(
    ("id" = String, Path, description = "of the video"),
    ("Range" = Option<String>, Header, description = "one range of bytes"),
), responses(
    (status = 200, body = Vec<u8>, content_type = "video/*"), (status = 206, body = Vec<u8>, content_type = "video/*"),
    (status = 304), (status = 404, body = ProblemBody),
    (status = 415, body = ProblemBody, description = "no single file that browsers know"), (status = 416, body = ProblemBody),
))]
pub(crate) async fn stream(
    State(state): Shared,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let catalog = state.catalog();
    let clip = catalog.clip(&id)?.clone();
    let (source, _) = state.open_clip(&catalog, &clip).await?;
    let opened = tokio::task::spawn_blocking(move || open(source)).await;
    let opened = opened.map_err(|_| Problem::not_found("the file cannot be read"))??;
    let given = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    if given(header::IF_NONE_MATCH).is_some_and(|tag| tag == opened.tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, opened.tag)]).into_response());
    }
    // A range of another state of the file would not fit to what the client has.
    let fits = given(header::IF_RANGE).is_none_or(|tag| tag == opened.tag);
    let wanted = Wanted::of(given(header::RANGE).filter(|_| fits), opened.length);
    respond(opened, wanted).await
}

/// Opens what a browser may be given: a single file that a decoder knows, whatever an index says it is.
fn open(source: ClipSource) -> Result<Opened, Problem> {
    let gone = |_| Problem::not_found("the file of this video is no longer there");
    match source {
        ClipSource::Path(path) if path.is_dir() => Err(no_single_file()),
        ClipSource::Path(path) => {
            let mut file = open_regular(&path).map_err(gone)?;
            let about = file.metadata().map_err(gone)?;
            let mut head = Vec::new();
            let beginning = MediaType::HEAD_BYTES as u64;
            (&mut file)
                .take(beginning)
                .read_to_end(&mut head)
                .map_err(gone)?;
            let changed = about
                .modified()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let changed = changed.unwrap_or_default().as_millis();
            Ok(Opened {
                kind: MediaType::of_head(&head).ok_or_else(no_single_file)?,
                tag: format!("\"{:x}-{changed:x}\"", about.len()),
                length: about.len(),
                file: Source::File(file),
            })
        }
        ClipSource::Bytes { bytes, .. } => Ok(Opened {
            kind: MediaType::of_head(&bytes).ok_or_else(no_single_file)?,
            tag: format!("\"{}\"", &blake3::hash(&bytes).to_hex()[..32]),
            length: bytes.len() as u64,
            file: Source::Memory(bytes),
        }),
        ClipSource::Images { .. } => Err(no_single_file()),
    }
}

fn no_single_file() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "this video is no single file that browsers know; its preview shows it",
    )
}

async fn respond(opened: Opened, wanted: Wanted) -> Result<Response, Problem> {
    let length = opened.length;
    let (status, range) = match wanted {
        Wanted::All => (StatusCode::OK, 0..length),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => {
            let problem = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                format!("the file has {length} bytes"),
            );
            let range = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((range, problem).into_response());
        }
    };
    let count = range.end - range.start;
    let body = match opened.file {
        Source::File(mut file) => {
            let seek = file.seek(SeekFrom::Start(range.start));
            seek.map_err(|_| Problem::not_found("the file cannot be read"))?;
            // What is cut short meanwhile ends the connection: the length was told already.
            Body::from_stream(ReaderStream::new(
                tokio::fs::File::from_std(file).take(count),
            ))
        }
        Source::Memory(mut bytes) => {
            let end = usize::try_from(range.end).unwrap_or(bytes.len());
            bytes.truncate(end);
            Body::from(bytes.split_off(usize::try_from(range.start).unwrap_or(end)))
        }
    };
    let headers = [
        (header::CONTENT_TYPE, opened.kind.name.to_owned()),
        (header::CONTENT_LENGTH, count.to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, opened.tag),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    let mut response = (status, headers, body).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{length}", range.start, range.end - 1);
        if let Ok(range) = HeaderValue::try_from(range) {
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
    }
    Ok(response)
}

/// Gives the frame that is shown at a time, small.
#[utoipa::path(get, path = "/api/v1/thumbnails/{name}", params(
    ("name" = String, Path, description = "a video's id, `@`, and milliseconds"),
), responses(
    (status = 200, body = Vec<u8>, content_type = "image/jpeg"), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody), (status = 429, body = ProblemBody),
))]
pub(crate) async fn thumbnail(
    State(state): Shared,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(name) = name?;
    let wrong =
        || Problem::not_found("a thumbnail is named by a video's id, `@`, and milliseconds");
    let (id, ms) = name.split_once('@').ok_or_else(wrong)?;
    let is_number = ms.bytes().all(|byte| byte.is_ascii_digit());
    let ms: u64 = ms.parse().ok().filter(|_| is_number).ok_or_else(wrong)?;
    let catalog = state.catalog();
    let clip = catalog.clip(id)?.clone();
    let make = move |source, _| frames::thumbnail(source, ms);
    image(
        &state,
        catalog,
        clip,
        (&format!("frame {ms}"), "image/jpeg"),
        make,
    )
    .await
}

/// Gives a short animated image of a video, or of a part of it.
#[utoipa::path(get, path = "/api/v1/videos/{id}/preview", params(
    ("id" = String, Path, description = "of the video"), Part,
), responses(
    (status = 200, body = Vec<u8>, content_type = "image/webp"), (status = 400, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 422, body = ProblemBody), (status = 429, body = ProblemBody),
))]
pub(crate) async fn preview(
    State(state): Shared,
    id: Result<Path<String>, PathRejection>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Response, Problem> {
    let (Path(id), Query(part)) = (id?, part?);
    let span = span(part.from, part.to)?;
    let catalog = state.catalog();
    let clip = catalog.clip(&id)?.clone();
    let make = move |source, own: Option<Span>| frames::preview(source, span.or(own));
    image(
        &state,
        catalog,
        clip,
        (&format!("preview {span:?}"), "image/webp"),
        make,
    )
    .await
}

/// An image of a clip, made once.
async fn image(
    state: &Arc<crate::state::State>,
    catalog: Arc<Catalog>,
    clip: ClipKey,
    (what, kind): (&str, &'static str),
    make: impl FnOnce(ClipSource, Option<Span>) -> Result<Vec<u8>, InferenceError> + Send + 'static,
) -> Result<Response, Problem> {
    let record = catalog.index.library().record(&clip);
    let stamp = record.map(|record| (record.size, record.modified_ms, &record.hash));
    let key = format!("{clip:?} {stamp:?} {what}");
    let shared = Arc::clone(state);
    let cached = {
        let key = key.clone();
        tokio::task::spawn_blocking(move || shared.cache.get(&key)).await
    };
    let image = match cached.ok().flatten() {
        Some(image) => image,
        None => {
            let shared = Arc::clone(state);
            let work = move || {
                let (source, part) = catalog.index.open_clip(&clip)?;
                let image = make(source, part)?;
                shared.cache.put(&key, &image);
                Ok(image)
            };
            state.decoding.run(work).await?
        }
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, KEEP)];
    Ok((headers, image).into_response())
}
