//! One JSON file with all splits of a task, a form that several code bases share.
//!
//! `{"train": [..], "val": [..], "test": [..]}`, where an entry of retrieval has `video` and
//! `caption`; an open-ended question `video`, `question` and `answer`, in words or as a number of a
//! vocabulary; and a multiple-choice question `question`, `option_0`, `option_1`, .., `answer`
//! (counted from zero) and `video`. VIOLET's pre-training has `{"train": {video: [caption, ..]}}`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use serde_json::Value;

use super::super::items::{Gathered, Item, MultipleChoiceItem, OpenEndedItem};
use super::super::rows::{AnnotationError, RowFault, RowNumber, walk_json};
use super::captions_by_video::{self, Captioned, CaptionsByVideo};
use super::fields::{Row, id, name, object, text, texts, whole};
use super::reading::Reading;
use crate::DataError;

/// The names splits have.
pub(super) const SPLITS: [&str; 5] = ["train", "val", "validation", "valid", "test"];

/// More options than this are refused with the item.
const MAX_OPTIONS: usize = 100;

/// Reads one split; a file with one alone needs no choice.
pub(super) fn read(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let mut captions = CaptionsByVideo::default();
    let split = choose(reading)?;
    walk_json(reading.path, &mut |element| {
        let section = element.section.unwrap_or_default();
        if section != split {
            gathered.unlisted += usize::from(SPLITS.contains(&section));
            return ControlFlow::Continue(());
        }
        let number = RowNumber::Entry(element.entry);
        let item = element.value.and_then(|value| match element.key {
            Some(video) => captions_of(video, &value),
            None => item(&value, reading),
        });
        match item {
            Ok(Entry::Item(item)) => gathered.push(number, Ok(item)),
            Ok(Entry::Captions(video, texts)) => {
                for text in texts {
                    if let Err(fault) = captions.add(&video, &text, number) {
                        gathered.skip(reading.path, number, fault);
                    }
                }
            }
            Err(fault) => gathered.skip(reading.path, number, fault),
        }
        ControlFlow::Continue(())
    })?;
    captions.gather(reading, &mut gathered, |clips, captioned| {
        let clip = clips.named_or_file(&captioned.video)?;
        let Captioned {
            video, captions, ..
        } = captioned;
        Ok(captions_by_video::item(video, clip, captions))
    });
    Ok(gathered)
}

enum Entry {
    Captions(String, Vec<String>),
    Item(Item),
}

/// The captions under the name of their video.
fn captions_of(video: &str, captions: &Value) -> Result<Entry, RowFault> {
    let (key, wanted) = ("caption", "a text or a list of texts");
    let texts: Option<Vec<String>> = match captions {
        Value::String(caption) => Some(vec![caption.clone()]),
        Value::Array(captions) => captions
            .iter()
            .map(|caption| caption.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    };
    match texts {
        Some(texts) if texts.is_empty() => Err(RowFault::Missing { key }),
        Some(texts) => Ok(Entry::Captions(video.to_owned(), texts)),
        None => Err(RowFault::WrongKind { key, wanted }),
    }
}

/// The split to read: the one asked for, or the only one there is.
fn choose(reading: &Reading<'_>) -> Result<String, DataError> {
    let mut found = BTreeSet::new();
    walk_json(reading.path, &mut |element| {
        let section = element.section.unwrap_or_default();
        if SPLITS.contains(&section) && !found.contains(section) {
            found.insert(section.to_owned());
        }
        ControlFlow::Continue(())
    })?;
    pick(reading, found)
}

/// The same of the splits that were found.
pub(super) fn pick(reading: &Reading<'_>, found: BTreeSet<String>) -> Result<String, DataError> {
    let only = (found.len() == 1).then(|| found.first()).flatten();
    let chosen = match reading.split {
        Some(split) => found.iter().find(|found| usual(found) == usual(split)),
        None => only,
    };
    chosen.cloned().ok_or_else(|| {
        let path = reading.path.to_path_buf();
        let found: Vec<_> = found.into_iter().collect();
        let error = match reading.split {
            Some(wanted) => AnnotationError::UnknownSplit {
                path,
                wanted: wanted.to_owned(),
                found: found.join(", "),
            },
            None if found.is_empty() => AnnotationError::UnknownFormat { path },
            None => AnnotationError::ChooseSplit {
                path,
                found: found.join("|"),
            },
        };
        error.into()
    })
}

/// Splits have several names each.
pub(super) fn usual(split: &str) -> &str {
    match split {
        "validation" | "validate" | "valid" => "val",
        "training" => "train",
        "testing" => "test",
        split => split,
    }
}

fn item(value: &Value, reading: &Reading<'_>) -> Result<Entry, RowFault> {
    let row = object(value)?;
    let video = name(row, "video", "video")?;
    if row.contains_key("caption") {
        return Ok(Entry::Captions(video, texts(row, "caption")?));
    }
    let clip = reading.clips.named_or_file(&video)?;
    let question = text(row, "question")?.to_owned();
    let id = id(row, "id").or_else(|| id(row, "question_id"));
    let options = options(row)?;
    let item = match options.is_empty() {
        true => Item::from(OpenEndedItem {
            id,
            span: None,
            clip,
            question,
            answers: answers(row, reading)?,
        }),
        false => Item::from(MultipleChoiceItem {
            skill: None,
            id,
            span: None,
            clip,
            question,
            answer: choice(row, options.len())?,
            options,
        }),
    };
    Ok(Entry::Item(item))
}

/// `option_0`, `option_1` and so on, up to the first that is not there.
fn options(row: &Row) -> Result<Vec<String>, RowFault> {
    (0..MAX_OPTIONS)
        .map_while(|number| row.get(&format!("option_{number}")))
        .map(|option| {
            option
                .as_str()
                .map(str::to_owned)
                .ok_or(RowFault::WrongKind {
                    key: "option",
                    wanted: "a text",
                })
        })
        .collect()
}

fn choice(row: &Row, options: usize) -> Result<usize, RowFault> {
    let answer = whole(row, "answer")?;
    usize::try_from(answer).map_err(|_| RowFault::Answer { answer, options })
}

fn answers(row: &Row, reading: &Reading<'_>) -> Result<Vec<String>, RowFault> {
    match row.get("answer").is_some_and(Value::is_number) {
        true => Ok(vec![reading.answer(whole(row, "answer")?)?]),
        false => texts(row, "answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::super::{AnnotationFormat, ConvertRequest, Converted, convert};

    fn split(sample: &Sample, split: &str) -> (ConvertRequest, Converted) {
        let mut request = sample.request();
        request.split = Some(split.to_owned());
        let converted = convert(&request).unwrap();
        (request, converted)
    }

    #[test]
    fn captions_of_a_split_are_brought_together() {
        let content = r#"{"train":[{"video":"v1.avi","caption":"a cat"},{"video":"v2","caption":
            "a dog"},{"video":"v1.avi","caption":"it sleeps"}],
            "val":[{"video":"v3","caption":"a man"}]}"#;
        let sample = Sample::new("ret.json", content);

        let (_, train) = split(&sample, "train");
        let (_, val) = split(&sample, "validation");
        let message = convert(&sample.request()).unwrap_err().to_string();

        assert_eq!(train.format, AnnotationFormat::ThreeSplits);
        assert_eq!(train.retrieval().len(), 2);
        assert_eq!(train.retrieval()[0].clip, "v1.avi");
        assert_eq!(train.retrieval()[0].captions[1].text(), "it sleeps");
        assert_eq!(train.unlisted, 1);
        assert_eq!(val.retrieval()[0].clip, "v3.mp4");
        assert!(message.contains("--split train|val"), "{message}");
    }

    #[test]
    fn captions_may_stand_under_the_names_of_their_videos() {
        let content = r#"{"train":{"v1":["a cat","it sleeps"],"v2":"a dog","v3":[],"v4":[1]},
            "val":{"v5":["a man"]}}"#;

        let (_, converted) = split(&Sample::new("txt_webvid.json", content), "train");

        assert_eq!(converted.format, AnnotationFormat::ThreeSplits);
        let items = converted.retrieval();
        assert_eq!((items.len(), converted.skipped.len()), (2, 2));
        assert_eq!(items[0].clip, "v1.mp4");
        assert_eq!(items[0].captions[1].text(), "it sleeps");
        assert_eq!(converted.unlisted, 1);
    }

    #[test]
    fn numbered_answers_need_their_vocabulary() {
        let content = r#"{"test":[{"video":"v1","question":"who","answer":1},
            {"video":"v1","question":"what","answer":"dog"}]}"#;
        let sample = Sample::new("qa.json", content);
        let without = sample.convert();
        let mut request = sample.request();
        request.vocabulary = Some(sample.beside("answers.txt", "cat\nman\n"));

        let with = convert(&request).unwrap();

        assert!(
            without.skipped[0].reason.contains("vocabulary"),
            "{without:?}"
        );
        assert_eq!(with.questions()[0].answers, ["man"]);
        assert_eq!(with.questions()[1].answers, ["dog"]);
    }

    #[test]
    fn options_have_keys_of_their_own() {
        let content = r#"{"val":[{"question":"what next","option_0":"a","option_1":"b","option_2":
            "c","option_3":"d","option_4":"e","answer":4,"video":"g1.gif"},
            {"question":"what next","option_0":"a","option_1":"b","answer":2,"video":"g2.gif"}]}"#;

        let (_, converted) = split(&Sample::new("mc.json", content), "val");

        let item = &converted.choices()[0];
        assert_eq!((item.options.len(), item.answer), (5, 4));
        assert_eq!(item.clip, "g1.gif");
        assert!(
            converted.skipped[0].reason.contains("number 2"),
            "{converted:?}"
        );
    }
}
