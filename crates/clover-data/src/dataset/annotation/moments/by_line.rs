//! Moments of videos, a row a line: InternVid, QVHighlights and Charades-STA.

use serde_json::Value;

use super::super::super::items::{Caption, Gathered, MAX_TEXTS, check_text};
use super::super::super::rows::{Lines, RowFault, RowNumber, each_row, text_of};
use super::super::fields::{Row, id, name, object, text};
use super::super::reading::Reading;
use super::{Moment, clip, gather, list, moment_item, moment_span, pair};
use crate::DataError;

/// A video, a start, an end, and one too many.
const MAX_PARTS: usize = 4;

/// What stands between the times and the sentence in Charades-STA.
const MARK: &str = "##";

/// Reads InternVid's `.jsonl`.
pub(in super::super) fn read_internvid(reading: &Reading<'_>) -> Result<Gathered, DataError> {
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
pub(in super::super) fn read_qvhighlights(reading: &Reading<'_>) -> Result<Gathered, DataError> {
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
            Err(fault) => gathered.skip(reading.path, number, fault),
        }
    })?;
    Ok(gathered)
}

/// Reads `charades_sta_{train,test}.txt`.
pub(in super::super) fn read_charades(reading: &Reading<'_>) -> Result<Gathered, DataError> {
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

/// Tells whether a line is as in Charades-STA.
pub(in super::super) fn is_charades(line: &str) -> bool {
    let Some((moment, _)) = line.split_once(MARK) else {
        return false;
    };
    let parts: Vec<_> = moment.split_whitespace().take(MAX_PARTS).collect();
    let is_time = |text: &&str| text.parse::<f64>().is_ok();
    matches!(&parts[..], [_, times @ ..] if times.len() == 2 && times.iter().all(is_time))
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

#[cfg(test)]
mod tests {
    use super::super::super::AnnotationFormat;
    use super::super::look_alikes::{assert_skipped, converted, moments, of};

    #[test]
    fn internvid_has_clock_times() {
        let row = |start: &str, end: &str| {
            format!(
                r#"{{"YoutubeID":"6wIOJZXAo8g","Start_timestamp":{start},"End_timestamp":{end},"Caption":"a man"}}"#
            )
        };
        let content = [
            row("\"00:07:33.689\"", "\"00:07:51.085\""),
            row("\"00:07:51.085\"", "\"00:07:33.689\""),
            row("\"00:07:33.689\"", "null"),
            row("null", "null"),
            row("\"00:61:33\"", "\"02:00:00\""),
            row("0", "7.5"),
            "{\"YoutubeID\":".to_owned(),
            "7".to_owned(),
        ]
        .join("\n");

        let converted = converted("internvid.jsonl", &content, AnnotationFormat::Internvid);

        let wanted = [
            ["6wIOJZXAo8g.mp4", "453.689..471.085", "a man"],
            ["6wIOJZXAo8g.mp4", "0..7.5", "a man"],
        ];
        assert_eq!(moments(&converted), of(wanted));
        let reasons = [
            ("line 2", "does not end after it begins"),
            ("line 3", "it has no end"),
            ("line 4", "it has no start and end"),
            ("line 5", "\"00:61:33\" is no time"),
            ("line 7", "not the JSON"),
            ("line 8", "it is not an object"),
        ];
        assert_skipped(&converted, &reasons);
    }

    #[test]
    fn a_query_of_qvhighlights_is_an_item_a_window() {
        let row = |windows: &str| {
            format!(
            r#"{{"qid":8737,"query":"Chef makes pizza","duration":126,"vid":"bP5KfdFJzC4_660.0_810.0",
            "relevant_windows":{windows},"relevant_clip_ids":[0,1],"saliency_scores":[[4,1,1]]}}"#
        )
        .replace('\n', " ")
        };
        let many = format!("[{}[0,1]]", "[0,1],".repeat(1_000));
        let content = [
            &*row("[[0, 16], [20, 18], [96, 114]]"),
            &row("[]"),
            &row(&many),
        ]
        .join("\n")
            + "\n{\"qid\":9,\"query\":\"a\",\"vid\":\"b\"}\n{\"qid\":9,\"vid\":\"b\"}\n";

        let converted = converted(
            "highlight_train.jsonl",
            &content,
            AnnotationFormat::Qvhighlights,
        );

        let clip = "bP5KfdFJzC4_660.0_810.0.mp4";
        let wanted = [
            [clip, "0..16", "Chef makes pizza"],
            [clip, "96..114", "Chef makes pizza"],
        ];
        assert_eq!(moments(&converted), of(wanted));
        assert_eq!(converted.retrieval()[1].id.as_deref(), Some("8737_3"));
        let reasons = [
            ("line 1", "moment 2, of \"bP5KfdFJzC4_660.0_810.0\""),
            ("line 2", "it has 0 relevant_windows"),
            ("line 3", "it has 1001 relevant_windows"),
            ("line 4", "it has no relevant_windows"),
            ("line 5", "it has no relevant_windows"),
        ];
        assert_skipped(&converted, &reasons);
    }

    #[test]
    fn charades_has_a_mark_before_the_sentence() {
        let content = "AO8RW 0.0 6.9##a person is putting a book on a shelf.\r\n\n\
        3MSZA 24.3 30.4##person turn ## a light on.\nAO8RW 6.9 0.0##back\nAO8RW 1##short\n\
        AO8RW 0 1 2##long\nAO8RW 0 nan##none\nno mark\nAO8RW 0 1##\n";

        let converted = converted(
            "charades_sta_train.txt",
            content,
            AnnotationFormat::CharadesSta,
        );

        let wanted = [
            [
                "AO8RW.mp4",
                "0..6.9",
                "a person is putting a book on a shelf.",
            ],
            ["3MSZA.mp4", "24.3..30.4", "person turn ## a light on."],
        ];
        assert_eq!(moments(&converted), of(wanted));
        let reasons = [
            ("line 4", "does not end after it begins"),
            ("line 5", "it has 2 columns, not 3 before ##"),
            ("line 6", "it has 4 columns"),
            ("line 7", "NaN s is no time"),
            ("line 8", "it has no ##"),
            ("line 9", "it has no sentence"),
        ];
        assert_skipped(&converted, &reasons);
    }
}
