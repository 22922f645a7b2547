//! MSRVTT-QA and MSVD-QA: questions made from captions, with answers of one word.
//!
//! Xu et al., "Video Question Answering via Gradually Refined Attention over Appearance and Motion"
//! (ACM MM 2017). Both were released as one list with numbers for videos; MSRVTT-QA is also common
//! as an object a line with names for videos. All questions count in an evaluation, also those
//! whose answer no vocabulary has.

use super::super::items::{Gathered, OpenEndedItem};
use super::super::rows::{AnnotationError, RowFault, each_row};
use super::fields::{Row, id, name, object, text, texts, whole};
use super::reading::Reading;
use crate::DataError;

/// Reads MSRVTT-QA; the video 7 is `video7`.
pub(super) fn read_msrvtt(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    read(reading, |row| {
        reading
            .clips
            .named_or_file(&name(row, "video_id", "video")?)
    })
}

/// Reads MSVD-QA; the video 7 is what the mapping calls `vid7`.
pub(super) fn read_msvd(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let Some(mapping) = &reading.mapping else {
        return Err(AnnotationError::Needs {
            path: reading.path.to_path_buf(),
            format: reading.format,
            needed: "the mapping from numbers to videos, youtube_mapping.txt",
        }
        .into());
    };
    read(reading, |row| {
        reading.clips.named(mapping.name(whole(row, "video_id")?)?)
    })
}

fn read(
    reading: &Reading<'_>,
    clip: impl Fn(&Row) -> Result<String, RowFault>,
) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    each_row(reading.path, &mut |number, value| {
        let item = value.and_then(|value| {
            let row = object(&value)?;
            Ok(OpenEndedItem {
                id: id(row, "id"),
                span: None,
                clip: clip(row)?,
                question: text(row, "question")?.to_owned(),
                answers: texts(row, "answer")?,
            })
        });
        gathered.push(number, item);
    })?;
    Ok(gathered)
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::super::{AnnotationFormat, convert};

    #[test]
    fn lines_name_their_videos() {
        let content = concat!(
            r#"{"answer": "coversation", "question": "what is a family having?", "#,
            r#""video_id": "video6513", "answer_type": "what"}"#,
            "\n{\"answer\": 7, \"question\": \"what\", \"video_id\": \"video1\"}\n",
        );

        let converted = Sample::new("val.jsonl", content).convert();

        assert_eq!(converted.format, AnnotationFormat::MsrvttQa);
        let items = converted.questions();
        assert_eq!(items[0].clip, "video6513.mp4");
        // As it is spelt in the data set.
        assert_eq!(items[0].answers, ["coversation"]);
        assert!(
            converted.skipped[0].to_string().contains("line 2"),
            "{converted:?}"
        );
    }

    #[test]
    fn the_original_list_numbers_its_videos() {
        let content = r#"[{"answer":"couch","category_id":14,"id":158581,
            "question":"what are people sitting on?","video_id":6513}]"#;

        let converted = Sample::new("val_qa.json", content).convert();

        assert_eq!(converted.format, AnnotationFormat::MsrvttQa);
        assert_eq!(converted.questions()[0].clip, "video6513.mp4");
        assert_eq!(converted.questions()[0].id.as_deref(), Some("158581"));
    }

    #[test]
    fn msvd_needs_the_names_behind_its_numbers() {
        let content = r#"[{"answer":"animal","id":0,"question":"what chews?","video_id":1},
            {"answer":"nut","id":1,"question":"what is chewed?","video_id":3}]"#;
        let sample = Sample::new("train_qa.json", content);
        let mut request = sample.request();

        let message = convert(&request).unwrap_err().to_string();
        request.mapping = Some(sample.beside("map.txt", "-4w_5_15 vid1\nxyz_1_2 vid2\n"));
        let converted = convert(&request).unwrap();

        assert!(message.contains("youtube_mapping.txt"), "{message}");
        assert_eq!(converted.format, AnnotationFormat::MsvdQa);
        assert_eq!(converted.questions()[0].clip, "-4w_5_15.avi");
        assert!(
            converted.skipped[0].reason.contains("vid3"),
            "{converted:?}"
        );
    }
}
