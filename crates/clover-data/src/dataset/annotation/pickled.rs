//! Pickles of the published implementation: a list of dicts with `filename` and `text`.
//!
//! An entry with `filename` and `text`, one or several, is for retrieval. With `answer_idx` and
//! several texts (or with `options`) it is multiple choice; with `answer_idx` and one text, the text
//! is a question and the number stands for an answer of the vocabulary; `answer` is the answer in
//! words.

use std::io::Read;

use serde_json::Value;

use super::super::items::Caption;
use super::super::items::{Gathered, Item, MultipleChoiceItem, OpenEndedItem, RetrievalItem};
use super::super::rows::{AnnotationError, RowFault, RowNumber, open_regular};
use super::fields::{Row, object, text, texts, whole};
use super::reading::Reading;
use crate::DataError;
use clover_pickle::{Expansion, Pickle, PickleFault};

/// The largest pickle read; it is held in memory.
const MAX_PICKLE_BYTES: u64 = 512 << 20;

/// Reads a pickle without running anything in it.
pub(super) fn read(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let failed = |source| DataError::Read {
        path: reading.path.to_path_buf(),
        source,
    };
    let mut bytes = Vec::new();
    let mut file = open_regular(reading.path, Some(MAX_PICKLE_BYTES))?;
    file.read_to_end(&mut bytes).map_err(failed)?;
    let broken = |source| AnnotationError::Pickle {
        path: reading.path.to_path_buf(),
        source,
    };
    let pickle = Pickle::parse(&bytes).map_err(broken)?;
    drop(bytes);
    let mut gathered = reading.gathered();
    let mut expansion = Expansion::new(&pickle);
    for (index, &place) in expansion.entries().into_iter().flatten().enumerate() {
        let value = expansion.expand(place);
        if let Err(error) = &value
            && matches!(error.fault, PickleFault::TooFar { .. })
        {
            return Err(broken(error.clone()).into());
        }
        let item = value.map_err(RowFault::Pickle);
        let item = item.and_then(|value| item_of(&value, reading));
        gathered.push(RowNumber::Entry(index + 1), item);
    }
    Ok(gathered)
}

fn item_of(value: &Value, reading: &Reading<'_>) -> Result<Item, RowFault> {
    let row = object(value)?;
    let clip = reading.clips.named_or_file(text(row, "filename")?)?;
    if row.contains_key("answer_idx") {
        return numbered(row, clip, reading);
    }
    if row.contains_key("answer") {
        return Ok(Item::from(OpenEndedItem {
            id: None,
            span: None,
            clip,
            question: text(row, "text")?.to_owned(),
            answers: texts(row, "answer")?,
        }));
    }
    let captions = texts(row, "text")?;
    Ok(Item::from(RetrievalItem {
        id: None,
        span: None,
        clip,
        captions: captions.into_iter().map(Caption::Plain).collect(),
    }))
}

fn numbered(row: &Row, clip: String, reading: &Reading<'_>) -> Result<Item, RowFault> {
    let number = whole(row, "answer_idx")?;
    let has_options = row.contains_key("options");
    let is_list = row.get("text").is_some_and(Value::is_array);
    if !has_options && !is_list {
        return Ok(Item::from(OpenEndedItem {
            id: None,
            span: None,
            clip,
            question: text(row, "text")?.to_owned(),
            answers: vec![reading.answer(number)?],
        }));
    }
    let (question, options) = match has_options {
        true => (text(row, "text")?, texts(row, "options")?),
        false => (
            text(row, "question").unwrap_or_default(),
            texts(row, "text")?,
        ),
    };
    Ok(Item::from(MultipleChoiceItem {
        skill: None,
        id: None,
        span: None,
        clip,
        question: question.to_owned(),
        answer: usize::try_from(number).map_err(|_| RowFault::Answer {
            answer: number,
            options: options.len(),
        })?,
        options,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::super::{AnnotationFormat, convert};

    /// `[{"filename": "a.mp4", "text": ["a cat", "it"]}, {"filename": "../b.mp4", "text": "no"}]`
    const RETRIEVAL: &[u8] = b"\x80\x02]q\x00(}q\x01(X\x08\x00\x00\x00filenameq\x02X\x05\x00\x00\
        \x00a.mp4q\x03X\x04\x00\x00\x00textq\x04]q\x05(X\x05\x00\x00\x00a catX\x02\x00\x00\x00iteu\
        }(h\x02X\x08\x00\x00\x00../b.mp4h\x04X\x02\x00\x00\x00noue.";

    fn question(middle: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x80\x04](}(\x8c\x08filename\x8c\x05a.gif\x8c\x04text".to_vec();
        bytes.extend_from_slice(middle);
        bytes.extend_from_slice(b"\x8c\nanswer_idxK\x01ue.");
        bytes
    }

    #[test]
    fn an_entry_with_texts_is_for_retrieval() {
        let converted = Sample::new("train.pkl", RETRIEVAL).convert();

        assert_eq!(converted.format, AnnotationFormat::Pickle);
        let items = converted.retrieval();
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].captions[1].text(), "it");
        assert!(
            converted.skipped[0].to_string().contains("entry 2"),
            "{converted:?}"
        );
    }

    #[test]
    fn an_answer_among_texts_is_a_choice() {
        let content = question(b"](\x8c\x03yes\x8c\x02noe");

        let converted = Sample::new("test.pkl", content).convert();

        let item = &converted.choices()[0];
        assert_eq!(item.options[item.answer], "no");
    }

    #[test]
    fn an_answer_to_one_text_is_a_word_of_the_vocabulary() {
        let sample = Sample::new("test.pkl", question(b"\x8c\x03who"));
        let mut request = sample.request();
        request.vocabulary = Some(sample.beside("answers.txt", "cat\nman\n"));

        let converted = convert(&request).unwrap();

        assert_eq!(converted.questions()[0].answers, ["man"]);
    }

    #[test]
    fn a_pickle_with_code_is_refused() {
        let sample = Sample::new(
            "evil.pkl",
            b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.",
        );

        let error = convert(&sample.request()).unwrap_err();

        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            cause.contains("GLOBAL") && cause.contains("byte 2"),
            "{cause}"
        );
    }
}
