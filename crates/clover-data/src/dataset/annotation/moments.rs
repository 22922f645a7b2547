//! Sentences about moments of videos: an item a moment, with its span.
//!
//! - ActivityNet Captions (Krishna et al., ICCV 2017): `{video: {"duration", "timestamps": [[start,
//!   end], ..], "sentences": [..]}}`.
//! - YouCook2 (Zhou et al., AAAI 2018): `{"database": {video: {"subset", "annotations": [{"segment":
//!   [start, end], "sentence"}]}}}`.
//! - HowTo100M (Miech et al., ICCV 2019): a table with `video_id`, `start`, `end` and `text`, or
//!   `{video: {"start": [..], "end": [..], "text": [..]}}`.
//! - InternVid (Wang et al., ICLR 2024): `{"YoutubeID", "Start_timestamp", "End_timestamp", "Caption"}`
//!   a line.
//! - QVHighlights (Lei et al., NeurIPS 2021): `{"qid", "query", "vid", "relevant_windows": [[start, end],
//!   ..]}` a line.
//! - Charades-STA (Gao et al., ICCV 2017): `video start end##sentence` a line.
//!
//! Times are seconds or `hh:mm:ss.ms`. Whether a moment lies within its video, only the video tells:
//! the durations that some files have are those of other copies.

use serde_json::Value;

use super::super::items::{Caption, Gathered, RetrievalItem, check_text, span_of};
use super::super::rows::{RowFault, RowNumber, UnsafePath};
use super::fields::Row;
use super::reading::Reading;
use crate::video::Span;

mod by_line;
mod by_video;
mod youcook;

pub(super) use by_line::{is_charades, read_charades, read_internvid, read_qvhighlights};
pub(super) use by_video::{format_of_list, read_activitynet, read_howto};
pub(super) use youcook::{is_youcook, read_youcook};

/// A name stands in every moment of its video, so it is no longer than file systems allow.
const MAX_NAME_BYTES: usize = 255;

/// What a row says of a moment: its start, its end and a sentence.
type Moment<'a> = (Result<[Option<&'a Value>; 2], RowFault>, Option<&'a Value>);

/// Takes an item for each moment of a video; `query` is what its row calls itself.
fn gather(
    reading: &Reading<'_>,
    gathered: &mut Gathered,
    number: RowNumber,
    (video, query): (&str, Option<&str>),
    moments: Result<Vec<Moment<'_>>, RowFault>,
) {
    let read = moments.and_then(|moments| {
        let query = query.map(|query| check_name(query)).transpose()?;
        Ok((clip(reading, video)?, query, moments))
    });
    let (clip, query, moments) = match read {
        Ok(read) => read,
        Err(fault) => return gathered.skip(reading.path, number, fault),
    };
    for (index, (times, sentence)) in (1..).zip(moments) {
        let item = times.and_then(|times| {
            let key = "sentence";
            let wanted = "a text";
            let sentence = sentence.filter(|sentence| !sentence.is_null());
            let sentence = sentence.ok_or(RowFault::Missing { key })?;
            let sentence = sentence
                .as_str()
                .ok_or(RowFault::WrongKind { key, wanted })?;
            let caption = Caption::Plain(check_text(key, sentence)?);
            let id = query.map(|query| format!("{query}_{index}"));
            Ok(moment_item(id, clip.clone(), moment_span(times)?, caption))
        });
        let item = item.map_err(|source| RowFault::Moment {
            video: video.to_owned(),
            number: index,
            source: Box::new(source),
        });
        gathered.push(number, item);
    }
}

/// The list under a key that must be there.
fn list<'a>(row: &'a Row, key: &'static str) -> Result<&'a [Value], RowFault> {
    let wanted = "a list";
    match row.get(key) {
        None | Some(Value::Null) => Err(RowFault::Missing { key }),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(RowFault::WrongKind { key, wanted }),
    }
}

/// The start and the end in a list of two.
fn pair<'a>(
    key: &'static str,
    times: Option<&'a Value>,
) -> Result<[Option<&'a Value>; 2], RowFault> {
    let wanted = "a start and an end";
    let times = times.ok_or(RowFault::Missing { key })?;
    match times.as_array().map(Vec::as_slice) {
        Some([start, end]) => Ok([Some(start), Some(end)]),
        _ => Err(RowFault::WrongKind { key, wanted }),
    }
}

/// The span of a moment, which a whole video is not.
fn moment_span([start, end]: [Option<&Value>; 2]) -> Result<Span, RowFault> {
    span_of(start, end)?.ok_or(RowFault::Missing {
        key: "start and end",
    })
}

fn check_name(name: &str) -> Result<&str, RowFault> {
    let name = name.trim();
    if name.len() > MAX_NAME_BYTES {
        return Err(RowFault::UnsafePath(UnsafePath {
            path: name.chars().take(100).collect(),
            reason: "is too long",
        }));
    }
    Ok(name)
}

fn clip(reading: &Reading<'_>, video: &str) -> Result<String, RowFault> {
    reading.clips.named_or_file(check_name(video)?)
}

fn moment_item(id: Option<String>, clip: String, span: Span, caption: Caption) -> RetrievalItem {
    RetrievalItem {
        id,
        span: Some(span),
        clip,
        captions: vec![caption],
    }
}

#[cfg(test)]
mod look_alikes;
