//! Moments of videos in one JSON object, a video each: ActivityNet Captions and HowTo100M.
//!
//! The times of a video and its sentences stand in lists beside each other. Files have some hundred
//! megabytes, of which no more than one video is in memory as JSON.

use std::ops::ControlFlow;

use serde_json::Value;

use super::super::super::items::Gathered;
use super::super::super::pairs::{MOMENT_VIDEO, ManifestColumns, each_pair};
use super::super::super::rows::{RowFault, RowNumber, walk_json};
use super::super::fields::Row;
use super::super::format::AnnotationFormat;
use super::super::reading::Reading;
use super::{Moment, clip, gather, list, moment_item, pair};
use crate::DataError;

/// Reads ActivityNet's `{train,val_1,val_2}.json`.
pub(in super::super) fn read_activitynet(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    read_by_video(reading, &["timestamps", "sentences"], |row| {
        let (times, sentences) = (list(row, "timestamps")?, list(row, "sentences")?);
        check_lengths([("timestamps", times), ("sentences", sentences)])?;
        let moments = times.iter().zip(sentences);
        Ok(moments
            .map(|(times, sentence)| (pair("timestamps", Some(times)), Some(sentence)))
            .collect())
    })
}

/// Reads a table of HowTo100M's form, or its object of videos.
pub(in super::super) fn read_howto(reading: &Reading<'_>) -> Result<Gathered, DataError> {
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
    each_pair(reading.path, &columns, &mut |row, pair| {
        let item = pair.and_then(|((video, span), caption)| {
            let clip = clip(reading, video)?;
            let span = span.ok_or(RowFault::Missing { key: "start" })?;
            Ok(moment_item(None, clip, span, caption))
        });
        gathered.push(row, item);
    })?;
    Ok(gathered)
}

/// The format of an object of videos in which one has this list.
pub(in super::super) fn format_of_list(key: &str, value: &Value) -> Option<AnnotationFormat> {
    match key {
        _ if !value.is_array() => None,
        "timestamps" => Some(AnnotationFormat::ActivitynetCaptions),
        "start" | "end" => Some(AnnotationFormat::Howto100m),
        _ => None,
    }
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
            Err(fault) => gathered.skip(reading.path, number, fault),
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

fn check_lengths(
    [(first, these), (second, those)]: [(&'static str, &[Value]); 2],
) -> Result<(), RowFault> {
    match these.len() == those.len() {
        true => Ok(()),
        false => Err(RowFault::Lengths { first, second }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::AnnotationFormat;
    use super::super::super::sample::Sample;
    use super::super::super::{convert, detect};
    use super::super::look_alikes::{assert_skipped, converted, moments, of};

    #[test]
    fn activitynet_has_lists_of_times_and_sentences() {
        let content = r#"{"v_QOlSCBRmfWY": {"duration": 82.73, "timestamps": [[0.83, 19.86],
        [17.37, 60.81]], "sentences": ["A young woman is seen standing.", " She dances."]},
        "v_b": {"sentences": ["a cat"], "timestamps": [[0, 5]], "duration": 5}}"#;

        let converted = converted("train.json", content, AnnotationFormat::ActivitynetCaptions);

        let wanted = [
            [
                "v_QOlSCBRmfWY.mp4",
                "0.83..19.86",
                "A young woman is seen standing.",
            ],
            ["v_QOlSCBRmfWY.mp4", "17.37..60.81", "She dances."],
            ["v_b.mp4", "0..5", "a cat"],
        ];
        assert_eq!(moments(&converted), of(wanted));
        assert_eq!(converted.skipped, []);
    }

    #[test]
    fn a_span_that_is_none_costs_its_moment_by_name() {
        let times = [
            "[3,1]",
            "[-1,1]",
            "[NaN,1]",
            "[NaN,NaN]",
            "[0,Infinity]",
            "[\"a\",1]",
            "[1]",
            "7",
            "[[0],1]",
            "[0,1]",
        ]
        .join(",");
        let sentences = ["\"a cat\""; 10].join(",");
        let content = format!(
            r#"{{"v_a":{{"timestamps":[{times}],"sentences":[{sentences}]}},
            "v_b":{{"timestamps":[[0,1],[0,1]],"sentences":["a"]}},"v_c":[[0,1]],"v_d":{{}},
            "v_e":{{"timestamps":[[0,1],[0,1],[0,1]],"sentences":["a dog","",1]}},
            "v_f":{{"timestamps":7,"sentences":[]}},
            "{long}":{{"timestamps":[[0,1]],"sentences":["a"]}}}}"#,
            long = "v".repeat(256)
        );

        let converted = converted(
            "val_1.json",
            &content,
            AnnotationFormat::ActivitynetCaptions,
        );

        let wanted = [["v_a.mp4", "0..1", "a cat"], ["v_e.mp4", "0..1", "a dog"]];
        assert_eq!(moments(&converted), of(wanted));
        let reasons = [
            (
                "entry 1",
                "its moment 1, of \"v_a\": its start and end are no span: the span 3..1",
            ),
            (
                "entry 1",
                "moment 2, of \"v_a\": its start and end are no span: -1 s",
            ),
            ("entry 1", "moment 3, of \"v_a\": it has no start"),
            ("entry 1", "moment 4, of \"v_a\": it has no start and end"),
            ("entry 1", "moment 5, of \"v_a\": it has no end"),
            (
                "entry 1",
                "moment 6, of \"v_a\": its start and end are no span: \"a\"",
            ),
            (
                "entry 1",
                "moment 7, of \"v_a\": its timestamps is not a start and an end",
            ),
            (
                "entry 1",
                "moment 8, of \"v_a\": its timestamps is not a start and an end",
            ),
            (
                "entry 1",
                "moment 9, of \"v_a\": its start and end are no span",
            ),
            (
                "entry 2",
                "its timestamps and its sentences are not equally many",
            ),
            ("entry 3", "it is not an object"),
            ("entry 4", "moment 2, of \"v_e\": it has no sentence"),
            (
                "entry 4",
                "moment 3, of \"v_e\": its sentence is not a text",
            ),
            ("entry 5", "its timestamps is not a list"),
            ("entry 6", "is too long"),
        ];
        assert_skipped(&converted, &reasons);
    }

    #[test]
    fn howto_is_a_table_an_object_of_videos_or_rows() {
        let format = AnnotationFormat::Howto100m;
        let csv =
            "video_id,start,end,text\nnVbIUDjzWY4,9.54,13.33,\"so, first\"\nQ.1,00:00:01,2.5,now\n";
        let tsv = "Video_ID\tEnd\tStart\tCaption\nnVbIUDjzWY4\t13.33\t9.54\tso, first\nQ.1\t2.5\t1\tnow\n";
        let sentence = csv.replace("text", "sentence");
        let json = r#"{"nVbIUDjzWY4":{"start":[9.54],"end":[13.33],"text":["so, first"]},
        "Q.1":{"text":["now"],"end":[2.5],"start":[1]}}"#;
        let lines = r#"{"video_id":"nVbIUDjzWY4","start":9.54,"end":13.33,"caption":"so, first"}
        {"video_id":"Q.1","start":1,"end":2.5,"caption":"now"}"#;

        for (name, content) in [
            ("howto.csv", csv),
            ("howto.tsv", tsv),
            ("howto.csv", &*sentence),
            ("caption.json", json),
            ("caption.jsonl", lines),
        ] {
            let converted = converted(name, content, format);

            let wanted = [
                ["nVbIUDjzWY4.mp4", "9.54..13.33", "so, first"],
                ["Q.1.mp4", "1..2.5", "now"],
            ];
            assert_eq!(moments(&converted), of(wanted), "{content}");
            assert_eq!(converted.skipped, [], "{content}");
        }
    }

    #[test]
    fn rows_of_howto_without_a_span_are_named() {
        let csv = "video_id,start,end,text\na,,,no times\na,2,1,back\na,nan,1,none\na,0,x,word\n\
        ../a,0,1,out\na,0,1,right\n";
        let json = r#"{"a":{"start":[0,null],"end":[1,null],"text":["right","no times"]},
        "b":{"start":[0],"end":[1,2],"text":["a"]},"c":{"start":[0],"end":[1]}}"#;

        let csv = converted("howto.csv", csv, AnnotationFormat::Howto100m);
        let json = converted("howto.json", json, AnnotationFormat::Howto100m);

        assert_eq!(moments(&csv), of([["a.mp4", "0..1", "right"]]));
        assert_eq!(moments(&json), moments(&csv));
        let reasons = ["line 2", "line 6", "line 3", "line 4", "line 5"];
        for row in reasons {
            let named = csv
                .skipped
                .iter()
                .any(|skipped| skipped.name.ends_with(row));
            assert!(named, "{row}: {csv:?}");
        }
        let reasons = [
            ("entry 1", "moment 2, of \"a\": it has no start and end"),
            ("entry 2", "its start and its end are not equally many"),
            ("entry 3", "it has no text"),
        ];
        assert_skipped(&json, &reasons);
    }

    #[test]
    fn clips_take_another_extension_or_pattern() {
        let sample = Sample::new("howto.csv", "video_id,start,end,text\na,0,1,now\n");
        let mut request = sample.request();
        request.extension = Some("webm".to_owned());
        assert_eq!(convert(&request).unwrap().retrieval()[0].clip, "a.webm");
        request.extension = None;
        request.clip_pattern = Some("{id}/{id}.mkv".to_owned());

        let converted = convert(&request).unwrap();

        assert_eq!(converted.retrieval()[0].clip, "a/a.mkv");
    }

    #[test]
    fn other_objects_of_videos_are_not_taken_for_moments() {
        let labels = r#"{"version":"1.3","database":{"a":{"subset":"training","annotations":[
        {"label":"Drinking coffee","segment":[1,2]}]}}}"#;
        for content in [
            labels,
            r#"{"a":{"start":1,"end":2}}"#,
            "{\"a\":{\"text\":[1]}}",
            "a ## b\n",
        ] {
            assert_eq!(detect(Sample::new("a.json", content).path()), None);
        }
    }
}
