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

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use serde_json::Value;

use super::super::items::{Caption, Gathered, MAX_TEXTS, RetrievalItem, check_text, span_of};
use super::super::pairs::{MOMENT_VIDEO, ManifestColumns, each_pair};
use super::super::rows::{Lines, RowFault, RowNumber, UnsafePath, each_row, text_of, walk_json};
use super::fields::{Row, id, name, object, text};
use super::format::AnnotationFormat;
use super::reading::Reading;
use super::three_splits::{pick, usual};
use crate::DataError;
use crate::video::Span;

/// A name stands in every moment of its video, so it is no longer than file systems allow.
const MAX_NAME_BYTES: usize = 255;

/// More subsets than this are not told apart.
const MAX_SUBSETS: usize = 10;

/// A video, a start, an end, and one too many.
const MAX_PARTS: usize = 4;

/// What stands between the times and the sentence in Charades-STA.
const MARK: &str = "##";

/// What a row says of a moment: its start, its end and a sentence.
type Moment<'a> = (Result<[Option<&'a Value>; 2], RowFault>, Option<&'a Value>);

/// Reads ActivityNet's `{train,val_1,val_2}.json`.
pub(super) fn read_activitynet(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    read_by_video(reading, &["timestamps", "sentences"], |row| {
        let (times, sentences) = (list(row, "timestamps")?, list(row, "sentences")?);
        check_lengths([("timestamps", times), ("sentences", sentences)])?;
        let moments = times.iter().zip(sentences);
        Ok(moments
            .map(|(times, sentence)| (pair("timestamps", Some(times)), Some(sentence)))
            .collect())
    })
}

/// Reads `youcookii_annotations_*.json`; a split chooses a subset.
pub(super) fn read_youcook(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let chosen = choose_subset(reading)?;
    walk_json(reading.path, &mut |element| {
        let (Some("database"), Some(video)) = (element.section, element.key) else {
            return ControlFlow::Continue(());
        };
        let number = RowNumber::Entry(element.entry);
        match element.value {
            Ok(value) if !is_of(chosen.as_deref(), &value) => gathered.unlisted += 1,
            Ok(value) => gather(
                reading,
                &mut gathered,
                number,
                (video, None),
                segments(&value),
            ),
            Err(fault) => gathered.skip(reading.path.to_path_buf(), number, fault),
        }
        ControlFlow::Continue(())
    })?;
    Ok(gathered)
}

/// Reads a table of HowTo100M's form, or its object of videos.
pub(super) fn read_howto(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    if is_by_video(reading) {
        return read_by_video(reading, &["start", "end", "text"], |row| {
            let [starts, ends] = [list(row, "start")?, list(row, "end")?];
            let texts = list(row, "text")?;
            check_lengths([("start", starts), ("end", ends)])?;
            check_lengths([("start", starts), ("text", texts)])?;
            let moments = starts.iter().zip(ends).zip(texts);
            Ok(moments
                .map(|((start, end), text)| (Ok([Some(start), Some(end)]), Some(text)))
                .collect())
        });
    }
    let mut gathered = reading.gathered();
    let columns = ManifestColumns {
        path: Some(MOMENT_VIDEO.to_owned()),
        ..ManifestColumns::default()
    };
    let skipped = each_pair(
        reading.path,
        &columns,
        &mut |row, (video, span), caption| {
            let item = clip(reading, video).and_then(|clip| {
                let span = span.ok_or(RowFault::Missing { key: "start" })?;
                Ok(moment_item(None, clip, span, caption))
            });
            gathered.push(row, item);
        },
    )?;
    gathered.also_skipped(skipped);
    Ok(gathered)
}

/// Reads InternVid's `.jsonl`.
pub(super) fn read_internvid(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    each_row(reading.path, &mut |number, value| {
        let item = value.and_then(|value| {
            let row = object(&value)?;
            let clip = clip(reading, text(row, "YoutubeID")?)?;
            let times = [row.get("Start_timestamp"), row.get("End_timestamp")];
            let caption = check_text("Caption", text(row, "Caption")?)?;
            Ok(moment_item(
                None,
                clip,
                moment_span(times)?,
                Caption::Plain(caption),
            ))
        });
        gathered.push(number, item);
    })?;
    Ok(gathered)
}

/// Reads `highlight_{train,val}_release.jsonl`: an item a relevant window, called as its query with the
/// window's number behind it.
pub(super) fn read_qvhighlights(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    each_row(reading.path, &mut |number, value| {
        let value = value.and_then(|value| match value {
            Value::Object(row) => Ok((name(&row, "vid", "")?, row)),
            _ => Err(RowFault::NotAnObject),
        });
        match value {
            Ok((video, row)) => {
                let query = id(&row, "qid");
                let named = (&*video, query.as_deref());
                gather(reading, &mut gathered, number, named, windows(&row));
            }
            Err(fault) => gathered.skip(reading.path.to_path_buf(), number, fault),
        }
    })?;
    Ok(gathered)
}

/// Reads `charades_sta_{train,test}.txt`.
pub(super) fn read_charades(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let mut lines = Lines::open(reading.path)?;
    while let Some(line) = lines.next_line()? {
        let item = line.bytes.map(|bytes| text_of(&bytes)).and_then(|line| {
            if line.trim().is_empty() {
                return Ok(None);
            }
            let (moment, sentence) = line
                .split_once(MARK)
                .ok_or(RowFault::Missing { key: MARK })?;
            let parts: Vec<_> = moment.split_whitespace().take(MAX_PARTS).collect();
            let &[video, start, end] = &parts[..] else {
                return Err(RowFault::Columns {
                    found: parts.len(),
                    wanted: "3 before ##: a video, a start and an end",
                });
            };
            let times = [start, end].map(Value::from);
            let span = moment_span([Some(&times[0]), Some(&times[1])])?;
            let sentence = Caption::Plain(check_text("sentence", sentence)?);
            Ok(Some(moment_item(
                None,
                clip(reading, video)?,
                span,
                sentence,
            )))
        });
        if let Some(item) = item.transpose() {
            gathered.push(RowNumber::Line(line.number), item);
        }
    }
    Ok(gathered)
}

/// The format of an object of videos in which one has this list.
pub(super) fn format_of_list(key: &str, value: &Value) -> Option<AnnotationFormat> {
    match key {
        _ if !value.is_array() => None,
        "timestamps" => Some(AnnotationFormat::ActivitynetCaptions),
        "start" | "end" => Some(AnnotationFormat::Howto100m),
        _ => None,
    }
}

/// Tells whether a video of a `database` has segments with sentences.
pub(super) fn is_youcook(video: &Value) -> bool {
    let segment = video.get("annotations").and_then(|list| list.get(0));
    segment.is_some_and(|segment| segment.get("sentence").is_some())
}

/// Tells whether a line is as in Charades-STA.
pub(super) fn is_charades(line: &str) -> bool {
    let Some((moment, _)) = line.split_once(MARK) else {
        return false;
    };
    let parts: Vec<_> = moment.split_whitespace().take(MAX_PARTS).collect();
    let is_time = |text: &&str| text.parse::<f64>().is_ok();
    matches!(&parts[..], [_, times @ ..] if times.len() == 2 && times.iter().all(is_time))
}

/// Walks an object of videos, each an object of lists, and hands over one at a time with the lists of
/// these keys.
fn read_by_video(
    reading: &Reading<'_>,
    keys: &[&str],
    moments: impl Fn(&Row) -> Result<Vec<Moment<'_>>, RowFault>,
) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let mut videos = 0;
    let mut open: Option<(String, Result<Row, RowFault>)> = None;
    let mut close = |number: usize, video: Option<(String, Result<Row, RowFault>)>| {
        let Some((video, row)) = video else { return };
        let number = RowNumber::Entry(number);
        match row {
            Ok(row) => gather(
                reading,
                &mut gathered,
                number,
                (&video, None),
                moments(&row),
            ),
            Err(fault) => gathered.skip(reading.path.to_path_buf(), number, fault),
        }
    };
    walk_json(reading.path, &mut |element| {
        let Some(video) = element.section else {
            return ControlFlow::Continue(());
        };
        if element.entry == 1 {
            close(videos, open.take());
            videos += 1;
            open = Some((video.to_owned(), Ok(Row::new())));
        }
        let Some((_, row)) = &mut open else {
            return ControlFlow::Continue(());
        };
        let added = match (element.key, element.value) {
            (None, _) => Err(RowFault::NotAnObject),
            (Some(key), Ok(value)) if keys.contains(&key) => Ok(Some((key, value))),
            (Some(key), Err(fault)) if keys.contains(&key) => Err(fault),
            (Some(_), _) => Ok(None),
        };
        match (added, &mut *row) {
            (Ok(Some((key, value))), Ok(row)) => {
                row.insert(key.to_owned(), value);
            }
            (Err(fault), Ok(_)) => *row = Err(fault),
            (_, Err(_)) | (Ok(None), Ok(_)) => {}
        }
        ControlFlow::Continue(())
    })?;
    close(videos, open.take());
    Ok(gathered)
}

/// Tells whether a file is an object of videos rather than rows.
fn is_by_video(reading: &Reading<'_>) -> bool {
    let mut found = false;
    let walked = walk_json(reading.path, &mut |element| {
        found = match (element.key, &element.value) {
            (Some(key), Ok(value)) => format_of_list(key, value) == Some(reading.format),
            _ => false,
        };
        match found {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    // Rows are no JSON as a whole.
    let _faulty = walked;
    found
}

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
        Err(fault) => return gathered.skip(reading.path.to_path_buf(), number, fault),
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

/// The subset to read, of a file with several or where one is asked for.
fn choose_subset(reading: &Reading<'_>) -> Result<Option<String>, DataError> {
    let mut found = BTreeSet::new();
    walk_json(reading.path, &mut |element| {
        if element.section == Some("database")
            && let Ok(value) = &element.value
            && let Some(subset) = subset(value)
            && found.len() < MAX_SUBSETS
            && subset.len() <= MAX_NAME_BYTES
            && !found.contains(subset)
        {
            found.insert(subset.to_owned());
        }
        ControlFlow::Continue(())
    })?;
    match reading.split.is_none() && found.is_empty() {
        true => Ok(None),
        false => pick(reading, found).map(Some),
    }
}

fn subset(video: &Value) -> Option<&str> {
    video.get("subset")?.as_str().map(str::trim)
}

/// Tells whether a video is of the chosen subset; one that is none is left to be named.
fn is_of(chosen: Option<&str>, video: &Value) -> bool {
    let Some(chosen) = chosen.filter(|_| video.is_object()) else {
        return true;
    };
    subset(video).is_some_and(|subset| usual(subset) == usual(chosen))
}

/// The segments of a video of YouCook2.
fn segments(video: &Value) -> Result<Vec<Moment<'_>>, RowFault> {
    let segments = list(object(video)?, "annotations")?;
    Ok(segments
        .iter()
        .map(|segment| match segment.as_object() {
            Some(row) => (pair("segment", row.get("segment")), row.get("sentence")),
            None => (Err(RowFault::NotAnObject), None),
        })
        .collect())
}

/// The relevant windows of a query of QVHighlights, each with the query as sentence.
fn windows(row: &Row) -> Result<Vec<Moment<'_>>, RowFault> {
    let key = "relevant_windows";
    let windows = list(row, key)?;
    // Each repeats the query.
    if !(1..=MAX_TEXTS).contains(&windows.len()) {
        return Err(RowFault::Count {
            key,
            found: windows.len(),
            smallest: 1,
            largest: MAX_TEXTS,
        });
    }
    check_text("query", text(row, "query")?)?;
    let windows = windows.iter();
    Ok(windows
        .map(|window| (pair(key, Some(window)), row.get("query")))
        .collect())
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

fn check_lengths(
    [(first, these), (second, those)]: [(&'static str, &[Value]); 2],
) -> Result<(), RowFault> {
    match these.len() == those.len() {
        true => Ok(()),
        false => Err(RowFault::Lengths { first, second }),
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
mod tests;
