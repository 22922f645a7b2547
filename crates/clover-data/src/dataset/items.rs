//! The project's own form of annotations: one JSON object an item, one item a line.
//!
//! A file holds items of one task. Which task follows from the keys of the first item:
//!
//! | task | keys |
//! |---|---|
//! | retrieval | `clip`, `captions` |
//! | multiple choice | `clip`, `question`, `options`, `answer` (counted from zero) |
//! | open-ended questions | `clip`, `question`, `answers` |
//!
//! `id` is optional everywhere, and `clip` is a path relative to the folder of clips, with `/`
//! between its parts, that never climbs out of it. A caption is a string, or an object with `text`
//! and the universal part-of-speech `tags` of its words. A fill-in-the-blank item is an open-ended
//! question whose text holds `[MASK]`.

use serde::{Deserialize, Serialize};

/// A sentence about a clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Caption {
    /// The words alone.
    Plain(String),
    /// The words with what a tagger said about them.
    Tagged(TaggedCaption),
}

/// A sentence whose words carry tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaggedCaption {
    /// The sentence.
    pub text: String,
    /// The universal tag of each of its words, words being what blanks separate.
    pub tags: Vec<String>,
}

/// A clip and what is said about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrievalItem {
    /// What reports call the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The clip's path below the folder of clips.
    pub clip: String,
    /// The sentences; evaluation with one sentence a clip takes the first.
    pub captions: Vec<Caption>,
}

/// A question and the answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultipleChoiceItem {
    /// What reports call the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The clip's path below the folder of clips.
    pub clip: String,
    /// The question; empty where the options are sentences about the clip.
    pub question: String,
    /// The answers to choose from.
    pub options: Vec<String>,
    /// The number of the right one, counted from zero.
    pub answer: usize,
}

/// A question with an answer in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenEndedItem {
    /// What reports call the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The clip's path below the folder of clips.
    pub clip: String,
    /// The question, or the sentence with `[MASK]`.
    pub question: String,
    /// The right answers; the first is trained on, any counts in evaluation.
    pub answers: Vec<String>,
}

impl Caption {
    /// The sentence.
    pub fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Tagged(TaggedCaption { text, .. }) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caption_is_a_string_or_carries_tags() {
        let line =
            r#"{"clip":"a.mp4","captions":["a cat",{"text":"it runs","tags":["PRON","VERB"]}]}"#;

        let item: RetrievalItem = serde_json::from_str(line).unwrap();

        assert_eq!(item.captions[0].text(), "a cat");
        assert!(matches!(&item.captions[1], Caption::Tagged(c) if c.tags[1] == "VERB"));
        assert_eq!(serde_json::to_string(&item).unwrap(), line);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let line = r#"{"clip":"a.mp4","question":"what","answers":["cat"],"description":"a cat"}"#;

        let error = serde_json::from_str::<OpenEndedItem>(line).unwrap_err();

        assert!(error.to_string().contains("description"), "{error}");
    }
}
