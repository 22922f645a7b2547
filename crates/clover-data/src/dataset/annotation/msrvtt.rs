//! MSRVTT's captions and its 1k-A test of retrieval.
//!
//! Xu et al., "MSR-VTT" (CVPR 2016). The captions of all videos stand in one JSON file,
//! `{"videos": [{"video_id", "split", ..}], "sentences": [{"video_id", "caption"}]}`, or in another
//! cut `{"annotations": [{"image_id", "caption"}]}`; lists of videos choose a split. `"url"`, `"start
//! time"` and `"end time"` tell which part of which video of YouTube a clip is. The 1k-A test
//! has a sentence a video in a csv file of its own. Five of those sentences belong to two videos
//! or more: every row is an item, told apart by its key.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::super::items::{Gathered, RetrievalItem, check_text, span_of};
use super::super::rows::{
    AnnotationError, Element, Records, RowFault, RowNumber, TableStyle, walk_json,
};
use super::captions_by_video::{self, Captioned, CaptionsByVideo};
use super::clip_names::ClipNames;
use super::fields::{Row, name, object, text};
use super::reading::Reading;
use crate::DataError;
use crate::video::Span;

/// More splits than a message names.
const MAX_SPLITS: usize = 10;

/// Numbers for videos mean these names.
const PREFIX: &str = "video";

#[derive(Debug, Default)]
struct Captions {
    captions: CaptionsByVideo,
    splits: HashMap<String, String>,
    /// The names of the splits, in the order of the file.
    names: Vec<String>,
    /// The videos of YouTube that clips are parts of, where those are there.
    sources: HashMap<String, (String, Span)>,
}

/// Reads `MSRVTT_data.json`: an item a video, with all its captions.
pub(super) fn read_captions(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let mut read = Captions::default();
    walk_json(reading.path, &mut |element| {
        let row = RowNumber::Entry(element.entry);
        if let Err(fault) = read.add(element, row, reading.whole_films) {
            gathered.skip(reading.path, row, fault);
        }
        ControlFlow::Continue(())
    })?;
    if let Some(split) = reading.split {
        gathered.unlisted += read.keep(split, reading)?;
    } else if reading.list.is_none() && read.names.len() > 1 {
        return Err(AnnotationError::ChooseSplit {
            path: reading.path.to_path_buf(),
            found: read.names.join("|"),
        }
        .into());
    }
    let sources = read.sources;
    read.captions
        .gather(reading, &mut gathered, |clips, captioned| {
            if !reading.whole_films {
                return item(clips, captioned);
            }
            let (source, span) = sources.get(&captioned.video).ok_or(RowFault::Missing {
                key: "`url` with a span among the videos",
            })?;
            let Captioned {
                video, captions, ..
            } = captioned;
            Ok(RetrievalItem {
                span: Some(*span),
                ..captions_by_video::item(video, clips.named(source)?, captions)
            })
        });
    Ok(gathered)
}

/// The video of YouTube that a clip is a part of, and which part.
fn source(video: &Row) -> Result<(String, Span), RowFault> {
    let parameters = text(video, "url")?.split(['?', '&', '#']);
    let id = { parameters }.find_map(|parameter| parameter.strip_prefix("v="));
    let id = id.filter(|id| !id.is_empty()).ok_or(RowFault::Missing {
        key: "v= in its url",
    })?;
    let span = span_of(video.get("start time"), video.get("end time"))?;
    let span = span.ok_or(RowFault::Missing { key: "start time" })?;
    Ok((check_text("url", id)?, span))
}

fn item(clips: &ClipNames, captioned: Captioned) -> Result<RetrievalItem, RowFault> {
    let clip = clips.named_or_file(&captioned.video)?;
    let Captioned {
        video, captions, ..
    } = captioned;
    Ok(captions_by_video::item(video, clip, captions))
}

impl Captions {
    fn add(
        &mut self,
        element: Element<'_>,
        row: RowNumber,
        whole_films: bool,
    ) -> Result<(), RowFault> {
        let key = match element.section {
            Some("videos") => return self.add_video(element, whole_films),
            Some("sentences") => "video_id",
            Some("annotations") => "image_id",
            _ => return Ok(()),
        };
        let value = element.value?;
        let sentence = object(&value)?;
        let video = name(sentence, key, PREFIX)?;
        self.captions.add(&video, text(sentence, "caption")?, row)
    }

    fn add_video(&mut self, element: Element<'_>, whole_films: bool) -> Result<(), RowFault> {
        let value = element.value?;
        let video = object(&value)?;
        // The first form of the data set has no splits here.
        if let Ok(split) = text(video, "split") {
            let split = check_text("split", split)?;
            if self.names.len() < MAX_SPLITS && !self.names.contains(&split) {
                self.names.push(split.clone());
            }
            self.splits.insert(name(video, "video_id", PREFIX)?, split);
        }
        if whole_films {
            let source = source(video)?;
            self.sources
                .insert(name(video, "video_id", PREFIX)?, source);
        }
        Ok(())
    }

    /// Drops the videos of other splits and tells how many there were.
    fn keep(&mut self, split: &str, reading: &Reading<'_>) -> Result<usize, DataError> {
        let wanted = usual(split);
        if !self.splits.values().any(|split| usual(split) == wanted) {
            return Err(AnnotationError::UnknownSplit {
                path: reading.path.to_path_buf(),
                wanted: split.to_owned(),
                found: self.names.join(", "),
            }
            .into());
        }
        let splits = &self.splits;
        Ok(self.captions.retain(|video| {
            splits
                .get(video)
                .is_some_and(|split| usual(split) == wanted)
        }))
    }
}

/// The published names of the split for choosing a model differ.
fn usual(split: &str) -> &str {
    match split {
        "validate" | "validation" => "val",
        split => split,
    }
}

/// Reads `MSRVTT_JSFUSION_test.csv`: an item a row.
pub(super) fn read_jsfusion(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let mut records = Records::open(reading.path, TableStyle::CSV)?;
    let header = records.header(reading.path)?;
    let video_column = header.column("video_id")?;
    let sentence_column = header.column("sentence")?;
    let key_column = header.find("key");
    while let Some((line, record)) = records.next_record()? {
        let item = record.and_then(|record| {
            let field = |column: usize, key| record.get(column).ok_or(RowFault::Missing { key });
            let video = field(video_column, "video_id")?;
            let sentence = field(sentence_column, "sentence")?;
            let key = key_column.and_then(|column| record.get(column));
            let id = key.unwrap_or(video).clone();
            let clip = reading.clips.named(video)?;
            Ok(captions_by_video::item(id, clip, [sentence.clone()]))
        });
        gathered.push(RowNumber::Line(line), item);
    }
    Ok(gathered)
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::super::{AnnotationFormat, convert};
    use crate::video::Span;

    const DATA: &str = r#"{
        "info": {"year": "2016"},
        "videos": [
            {"id": 0, "video_id": "video0", "category": 9, "url": "https://a", "start time": 137.72,
             "end time": 149.44, "split": "train"},
            {"id": 1, "video_id": "video1", "start time": 1, "end time": 2, "split": "validate"},
            {"id": 2, "video_id": "video2", "start time": 1, "end time": 2, "split": "test"}
        ],
        "sentences": [
            {"sen_id": 0, "video_id": "video1", "caption": "a car is shown"},
            {"sen_id": 1, "video_id": "video0", "caption": "a man sings"},
            {"sen_id": 2, "video_id": "video1", "caption": "a red car drives"},
            {"sen_id": 3, "video_id": "video0", "caption": " "},
            {"sen_id": 4, "video_id": "video2", "caption": "a dog runs"}
        ]
    }"#;

    #[test]
    fn captions_are_brought_together_by_video() {
        let without_splits = DATA.replace("\"split\"", "\"part\"");
        let converted = Sample::new("MSRVTT_data.json", without_splits).convert();

        assert_eq!(converted.format, AnnotationFormat::MsrvttCaptions);
        let items = converted.retrieval();
        assert_eq!(items.len(), 3);
        assert_eq!(items[0].clip, "video1.mp4");
        assert_eq!(items[0].captions[1].text(), "a red car drives");
        assert_eq!(converted.skipped.len(), 1);
        assert!(
            converted.skipped[0].name.ends_with("entry 4"),
            "{converted:?}"
        );
    }

    #[test]
    fn what_python_writes_that_json_lacks_costs_an_entry_at_most() {
        let content = r#"{"videos":[{"video_id":"video0","duration":NaN}],"sentences":[
            {"video_id":"video0","caption":"a cat","score":-Infinity},
            {"video_id":"video1","caption":"a dog \ud83d"},
            {"video_id":"video2","caption":"a cow \ud83d\ude00"}]}"#;

        let converted = Sample::new("data.json", content).convert();

        let items = converted.retrieval();
        assert_eq!(items[1].captions[0].text(), "a cow \u{1f600}");
        assert_eq!((items.len(), converted.skipped.len()), (2, 1));
        assert!(
            converted.skipped[0].name.ends_with("entry 2"),
            "{converted:?}"
        );
    }

    #[test]
    fn a_list_chooses_videos_and_their_order() {
        let sample = Sample::new("MSRVTT_data.json", DATA);
        let mut request = sample.request();
        request.list = Some(sample.beside("list.csv", "video_id\nvideo0\nvideo7\nvideo1\n"));

        let converted = convert(&request).unwrap();

        let clips: Vec<_> = converted
            .retrieval()
            .iter()
            .map(|item| &item.clip)
            .collect();
        assert_eq!(clips, ["video0.mp4", "video1.mp4"]);
        assert_eq!(converted.unlisted, 1);
        assert!(
            converted.skipped[1].to_string().contains("line 3"),
            "{converted:?}"
        );
        assert!(
            converted.skipped[1].reason.contains("video7"),
            "{converted:?}"
        );
    }

    #[test]
    fn a_split_chooses_videos() {
        let sample = Sample::new("MSRVTT_data.json", DATA);
        let mut request = sample.request();
        let message = convert(&request).unwrap_err().to_string();
        assert!(message.contains("--split train|validate|test"), "{message}");
        request.split = Some("val".to_owned());

        let converted = convert(&request).unwrap();

        assert_eq!(converted.retrieval().len(), 1);
        assert_eq!(converted.unlisted, 2);
        request.split = Some("trian".to_owned());
        let message = convert(&request).unwrap_err().to_string();
        assert!(message.contains("train, validate, test"), "{message}");
    }

    #[test]
    fn a_clip_is_a_part_of_its_video_where_videos_are_whole() {
        let videos = [
            ("9lZi22qLlEo", "137.72", "149.44"),
            ("b&t=5", "1", "\"00:00:02\""),
            ("c", "2", "1"),
            ("", "1", "2"),
            ("e", "1", "null"),
        ];
        let videos: Vec<_> = (0..)
            .zip(videos)
            .map(|(number, (id, start, end))| {
                format!(
                    r#"{{"video_id":"video{number}","url":"https://www.youtube.com/watch?v={id}",
                    "start time":{start},"end time":{end}}}"#
                )
            })
            .collect();
        let sentences = [0, 0, 1, 2, 9]
            .map(|number| format!(r#"{{"video_id":"video{number}","caption":"a man sings"}}"#));
        let content = format!(
            r#"{{"sentences":[{}],"videos":[{}]}}"#,
            sentences.join(","),
            videos.join(",")
        );
        let sample = Sample::new("MSRVTT_data.json", content);
        let mut request = sample.request();
        request.whole_films = true;

        let converted = convert(&request).unwrap();

        let items = converted.retrieval();
        assert_eq!((items.len(), items[0].captions.len()), (2, 2));
        assert_eq!(items[0].clip, "9lZi22qLlEo.mp4");
        assert_eq!(items[0].span, Span::new(137_720, 149_440).ok());
        assert_eq!(items[0].id.as_deref(), Some("video0"));
        assert_eq!(items[1].clip, "b.mp4");
        assert_eq!(items[1].span, Span::new(1_000, 2_000).ok());
        let reasons = [
            "does not end after it begins",
            "it has no v= in its url",
            "it has no end",
            "it has no `url` with a span",
            "it has no `url` with a span",
        ];
        assert_eq!(converted.skipped.len(), reasons.len(), "{converted:?}");
        for (skipped, reason) in converted.skipped.iter().zip(reasons) {
            assert!(skipped.reason.contains(reason), "{skipped:?}");
        }
        assert_eq!(sample.convert().retrieval()[0].span, None);
    }

    #[test]
    fn the_other_cut_names_images() {
        let content = r#"{"images":[{"id":"video5"}],"annotations":[
            {"image_id":"video5","id":1,"caption":"a cat"},
            {"image_id":"video5","id":2,"caption":"a grey cat"}]}"#;

        let converted = Sample::new("data.json", content).convert();

        assert_eq!(converted.format, AnnotationFormat::MsrvttCaptions);
        assert_eq!(converted.retrieval()[0].captions.len(), 2);
    }

    #[test]
    fn rows_with_the_same_caption_stay_apart() {
        let content = "key,vid_key,video_id,sentence\n\
            ret98,msr9346,video9346,a woman paints\n\
            ret582,msr9812,video9812,a woman paints\n\
            ret7,msr1,video1,\"a cat, asleep\"\n\
            ret8,msr2,video2\n";

        let converted = Sample::new("test.csv", content).convert();

        assert_eq!(converted.format, AnnotationFormat::MsrvttJsfusion);
        let items = converted.retrieval();
        assert_eq!(items.len(), 3);
        assert_eq!(items[0].captions, items[1].captions);
        assert_eq!(items[0].id.as_deref(), Some("ret98"));
        assert_eq!(items[1].clip, "video9812.mp4");
        assert_eq!(items[2].captions[0].text(), "a cat, asleep");
        assert!(
            converted.skipped[0].reason.contains("sentence"),
            "{converted:?}"
        );
    }
}
