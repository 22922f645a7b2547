//! The caption of a sample: what its json says, or else its text.

use serde::Deserialize;
use serde_json::Value;

use super::super::clip_table::Texts;
use super::super::items::{
    Caption, Item, MAX_TEXTS, MultipleChoiceItem, OpenEndedItem, TaggedCaption, check_caption,
};
use super::super::rows::{RowFault, json_row};

/// The most bytes of a caption's file or of what is known of a sample; the metadata of a video from
/// the web takes some hundred thousand.
pub(in super::super) const MAX_TEXT_BYTES: u64 = 1 << 20;

/// The most letters of a status that are told.
const STATUS_LETTERS: usize = 200;

/// The keys that matter here, among many others.
#[derive(Default, Deserialize)]
struct Known {
    #[serde(default)]
    caption: Value,
    #[serde(default)]
    captions: Value,
    /// The universal part-of-speech tag of each word.
    caption_tags: Option<Vec<String>>,
    #[serde(default)]
    question: Value,
    #[serde(default)]
    options: Value,
    #[serde(default)]
    answer: Value,
    #[serde(default)]
    answers: Value,
    #[serde(default)]
    status: Value,
    #[serde(default)]
    error_message: Value,
}

/// Why a sample has no texts.
#[derive(Debug)]
pub(in super::super) enum Refusal {
    /// There is none, or none that can be used.
    Text(RowFault),
    /// The clip was not fetched.
    Status(String),
}

impl From<RowFault> for Refusal {
    fn from(fault: RowFault) -> Self {
        Self::Text(fault)
    }
}

/// What goes with the clip of a sample: captions, or a question with options or answers. They stand in
/// its json under the keys of [`items`](super::super::items) or as one `caption`; a text is a caption.
pub(in super::super) fn texts_of(
    json: Option<&[u8]>,
    text: Option<&[u8]>,
) -> Result<Texts, Refusal> {
    let known: Known = match json {
        Some(json) => serde_json::from_value(json_row(json)?).map_err(RowFault::NotJson)?,
        None => Known::default(),
    };
    if let Value::String(status) = &known.status
        && status != "success"
    {
        let message = known.error_message.as_str().unwrap_or_default();
        let told = format!("{status} {message}");
        return Err(Refusal::Status(
            told.trim().chars().take(STATUS_LETTERS).collect(),
        ));
    }
    if !known.options.is_null() || !known.answers.is_null() {
        return Ok(known.question()?);
    }
    let captions = match (known.caption, known.captions) {
        (Value::String(words), _) if !words.trim().is_empty() => vec![words],
        (Value::Array(list), _) | (Value::Null, Value::Array(list)) => {
            strings("captions", Value::Array(list))?
        }
        (Value::String(_) | Value::Null, _) => vec![text_file(text)?],
        _ => {
            let (key, wanted) = ("caption", "a string or a list of strings");
            return Err(RowFault::WrongKind { key, wanted }.into());
        }
    };
    let tagged = |text: String| match &known.caption_tags {
        Some(tags) if captions.len() == 1 => Caption::Tagged(TaggedCaption {
            text,
            tags: tags.clone(),
        }),
        _ => Caption::Plain(text),
    };
    let checked = captions
        .iter()
        .cloned()
        .map(|text| check_caption(tagged(text)));
    Ok(Texts::Captions(checked.collect::<Result<_, _>>()?))
}

impl Known {
    fn question(self) -> Result<Texts, RowFault> {
        let wrong = |key, wanted| RowFault::WrongKind { key, wanted };
        let question = match self.question {
            Value::String(question) => question,
            Value::Null => String::new(),
            _ => return Err(wrong("question", "a string")),
        };
        let (id, clip) = (None, "clip".to_owned());
        let item = if self.options.is_null() {
            let answers = strings("answers", self.answers)?;
            Item::from(OpenEndedItem {
                id,
                span: None,
                clip,
                question,
                answers,
            })
        } else {
            let answer = self
                .answer
                .as_u64()
                .and_then(|answer| answer.try_into().ok());
            Item::from(MultipleChoiceItem {
                skill: None,
                id,
                span: None,
                clip,
                question,
                options: strings("options", self.options)?,
                answer: answer.ok_or_else(|| wrong("answer", "a number counted from zero"))?,
            })
        };
        Ok(item.check()?.into_texts())
    }
}

fn strings(key: &'static str, list: Value) -> Result<Vec<String>, RowFault> {
    let wanted = "a list of strings";
    let Value::Array(list) = list else {
        return Err(RowFault::WrongKind { key, wanted });
    };
    if !(1..=MAX_TEXTS).contains(&list.len()) {
        return Err(RowFault::Count {
            key,
            found: list.len(),
            smallest: 1,
            largest: MAX_TEXTS,
        });
    }
    let strings = list.into_iter().map(|text| match text {
        Value::String(text) => Ok(text),
        _ => Err(RowFault::WrongKind { key, wanted }),
    });
    strings.collect()
}

fn text_file(text: Option<&[u8]>) -> Result<String, RowFault> {
    let text = text.ok_or(RowFault::Missing { key: "caption" })?;
    let text = std::str::from_utf8(text).map_err(RowFault::NotText)?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, text: &str) -> Result<Texts, Refusal> {
        texts_of(
            Some(json.as_bytes()).filter(|json| !json.is_empty()),
            Some(text.as_bytes()).filter(|text| !text.is_empty()),
        )
    }

    #[test]
    fn the_json_comes_first_and_the_text_where_it_is_silent() {
        let json = r#"{"caption":" a cat ","status":"success","error_message":null,"width":2}"#;

        assert_eq!(read(json, "a dog").unwrap().all(), ["a cat"]);
        for silent in ["", "{}", r#"{"caption":null}"#, r#"{"caption":" "}"#] {
            assert_eq!(read(silent, "\u{feff}a dog\n").unwrap().all(), ["a dog"]);
        }
    }

    #[test]
    fn what_python_writes_that_json_lacks_costs_a_caption_at_most() {
        let json = r#"{"caption":"a cat","similarity":NaN,"title":"a \ud83d"}"#;
        let cut = r#"{"caption":"a cat \ud83d"}"#;

        assert_eq!(read(json, "").unwrap().all(), ["a cat"]);
        assert!(matches!(
            read(cut, "a cat"),
            Err(Refusal::Text(RowFault::BrokenText { .. }))
        ));
    }

    #[test]
    fn tags_belong_to_the_words() {
        let tagged = read(
            r#"{"caption":"it runs","caption_tags":["PRON","VERB"]}"#,
            "",
        );
        let short = read(r#"{"caption":"it runs","caption_tags":["PRON"]}"#, "");

        let Ok(Texts::Captions(tagged)) = tagged else {
            panic!("captions expected: {tagged:?}")
        };
        assert!(matches!(&tagged[0], Caption::Tagged(caption) if caption.tags.len() == 2));
        assert!(matches!(short, Err(Refusal::Text(RowFault::Tags { .. }))));
    }

    #[test]
    fn a_failed_download_tells_its_status() {
        let json = r#"{"caption":"a cat","status":"failed_to_download","error_message":"404"}"#;

        let refused = read(json, "a cat");

        assert!(
            matches!(&refused, Err(Refusal::Status(told)) if told == "failed_to_download 404"),
            "{refused:?}"
        );
    }

    #[test]
    fn texts_that_are_no_captions_are_refused() {
        for (json, text) in [
            ("", " "),
            ("{}", ""),
            ("[1]", "a cat"),
            ("{", "a cat"),
            (r#"{"caption":["a",1]}"#, "a cat"),
            (r#"{"caption":7}"#, "a cat"),
            (r#"{"question":"what","answers":[]}"#, ""),
            (r#"{"question":"what","options":["a","b"],"answer":2}"#, ""),
            ("", &"word ".repeat(10_000)),
        ] {
            assert!(matches!(read(json, text), Err(Refusal::Text(_))), "{json}");
        }
        assert!(texts_of(None, Some(b"caf\xe9")).is_err());
    }

    #[test]
    fn several_captions_and_questions_are_read() {
        let several = read(r#"{"captions":["a cat","it sleeps"]}"#, "").unwrap();
        let choice = r#"{"question":"what ?","options":["a cat","a dog"],"answer":1}"#;
        let choice = read(choice, "a cat").unwrap();
        let question = read(r#"{"question":"what ?","answers":["a cat"]}"#, "").unwrap();

        assert_eq!(several.all(), ["a cat", "it sleeps"]);
        assert_eq!(choice.all(), ["what ?", "a cat", "a dog"]);
        assert_eq!(question.all(), ["what ?", "a cat"]);
    }
}
