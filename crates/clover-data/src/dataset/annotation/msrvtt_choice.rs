//! The multiple-choice test of MSRVTT: five sentences a video, one of them about it.
//!
//! Yu et al., "A Joint Sequence Fusion Model for Video Question Answering and Retrieval" (ECCV
//! 2018). Two forms are common: `{"video", "caption": [..], "answer"}` and `{"clip_name",
//! "options": [..], "answer"}`; both count from zero.

use serde_json::Value;

use super::super::items::{Gathered, MultipleChoiceItem};
use super::super::rows::{RowFault, each_row};
use super::fields::{id, name, object, texts, whole};
use super::reading::Reading;
use crate::DataError;

/// Reads either form, one object a line or one list.
pub(super) fn read(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    each_row(reading.path, &mut |number, value| {
        gathered.push(number, value.and_then(|value| item(&value, reading)));
    })?;
    Ok(gathered)
}

fn item(value: &Value, reading: &Reading<'_>) -> Result<MultipleChoiceItem, RowFault> {
    let row = object(value)?;
    let (video, options) = match row.contains_key("clip_name") {
        true => (name(row, "clip_name", "video")?, texts(row, "options")?),
        false => (name(row, "video", "video")?, texts(row, "caption")?),
    };
    let answer = whole(row, "answer")?;
    Ok(MultipleChoiceItem {
        skill: None,
        id: id(row, "id").or_else(|| id(row, "qid")),
        span: None,
        clip: reading.clips.named_or_file(&video)?,
        question: String::new(),
        answer: usize::try_from(answer).map_err(|_| RowFault::Answer {
            answer,
            options: options.len(),
        })?,
        options,
    })
}

#[cfg(test)]
mod tests {
    use super::super::AnnotationFormat;
    use super::super::sample::Sample;

    #[test]
    fn both_forms_hold_the_same_questions() {
        let list = r#"[{"video":"video7010.mp4","caption":["a","b","c","d","e"],"answer":2},
            {"video":"video7011.mp4","caption":["a","b","c","d","e"],"answer":5}]"#;
        let lines = concat!(
            r#"{"clip_name":"video7010","options":["a","b","c","d","e"],"answer":2}"#,
            "\n",
            r#"{"clip_name":"video7011","options":["a","b","c","d","e"],"answer":-1}"#,
        );

        let list = Sample::new("mc.json", list).convert();
        let lines = Sample::new("mc.jsonl", lines).convert();

        assert_eq!(list.format, AnnotationFormat::MsrvttMultipleChoice);
        assert_eq!(list.items, lines.items);
        assert_eq!(list.choices()[0].clip, "video7010.mp4");
        assert_eq!(list.choices()[0].answer, 2);
        assert_eq!((list.skipped.len(), lines.skipped.len()), (1, 1));
    }
}
