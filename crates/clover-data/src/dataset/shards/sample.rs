//! The caption of a sample: what its json says, or else its text.

use serde::Deserialize;
use serde_json::Value;

use super::super::items::{Caption, TaggedCaption, check_caption};
use super::super::rows::{RowFault, json_row};

/// The most bytes of a caption's file or of what is known of a sample; the metadata of a film from
/// the web takes some hundred thousand.
pub(super) const MAX_TEXT_BYTES: u64 = 1 << 20;

/// The most letters of a status that are told.
const STATUS_LETTERS: usize = 200;

/// The keys that matter here, among many others.
#[derive(Default, Deserialize)]
struct Known {
    #[serde(default)]
    caption: Value,
    /// The universal part-of-speech tag of each word.
    caption_tags: Option<Vec<String>>,
    #[serde(default)]
    status: Value,
    #[serde(default)]
    error_message: Value,
}

/// Why a sample has no caption.
#[derive(Debug)]
pub(super) enum Refusal {
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

/// Reads the caption of a sample.
pub(super) fn caption(json: Option<&[u8]>, text: Option<&[u8]>) -> Result<Caption, Refusal> {
    let known = match json {
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
    let words = match known.caption {
        Value::String(words) if !words.trim().is_empty() => words,
        Value::String(_) | Value::Null => text_file(text)?,
        _ => {
            let (key, wanted) = ("caption", "a string");
            return Err(RowFault::WrongKind { key, wanted }.into());
        }
    };
    let caption = match known.caption_tags {
        Some(tags) => Caption::Tagged(TaggedCaption { text: words, tags }),
        None => Caption::Plain(words),
    };
    Ok(check_caption(caption)?)
}

fn text_file(text: Option<&[u8]>) -> Result<String, RowFault> {
    let text = text.ok_or(RowFault::Missing { key: "caption" })?;
    let text = std::str::from_utf8(text).map_err(RowFault::NotText)?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, text: &str) -> Result<Caption, Refusal> {
        caption(
            Some(json.as_bytes()).filter(|json| !json.is_empty()),
            Some(text.as_bytes()).filter(|text| !text.is_empty()),
        )
    }

    #[test]
    fn the_json_comes_first_and_the_text_where_it_is_silent() {
        let json = r#"{"caption":" a cat ","status":"success","error_message":null,"width":2}"#;

        assert_eq!(read(json, "a dog").unwrap().text(), "a cat");
        for silent in ["", "{}", r#"{"caption":null}"#, r#"{"caption":" "}"#] {
            assert_eq!(read(silent, "\u{feff}a dog\n").unwrap().text(), "a dog");
        }
    }

    #[test]
    fn what_python_writes_that_json_lacks_costs_a_caption_at_most() {
        let json = r#"{"caption":"a cat","similarity":NaN,"title":"a \ud83d"}"#;
        let cut = r#"{"caption":"a cat \ud83d"}"#;

        assert_eq!(read(json, "").unwrap().text(), "a cat");
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

        assert!(matches!(tagged, Ok(Caption::Tagged(caption)) if caption.tags.len() == 2));
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
            (r#"{"caption":["a","b"]}"#, "a cat"),
            ("", &"word ".repeat(10_000)),
        ] {
            assert!(matches!(read(json, text), Err(Refusal::Text(_))), "{json}");
        }
        assert!(caption(None, Some(b"caf\xe9")).is_err());
    }
}
