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
//! `span`, as `[12.5, 30]` or `["00:00:12.5", "00:00:30"]`, or `start` and `end`, name a part of the clip.
//! `id` is optional everywhere, and `clip` is a path relative to the folder of clips, with `/`
//! between its parts, that never climbs out of it. A caption is a string, or an object with `text`
//! and the universal part-of-speech `tags` of its words. A fill-in-the-blank item is an open-ended
//! question whose text holds `[MASK]`. A pair test is a multiple-choice item of two captions of which one
//! fits the clip, with a `skill`: what tells them apart.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clip_table::Texts;
use super::rows::RowFault;
use super::skipped::SkippedItem;
use crate::video::Span;

mod checks;
mod clip_path;
mod gathered;
mod reading;
mod writing;

pub use checks::{MAX_CAPTION_BYTES, MAX_CAPTION_WORDS};
pub(crate) use checks::{MAX_TEXTS, check_caption, check_text};
pub use clip_path::check_relative;
pub(crate) use gathered::Gathered;
pub(crate) use reading::gather_items;
pub use reading::read_items;
pub use writing::{write_item_lines, write_items};

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
    /// The part of the clip that is meant: start and end in seconds, or as `hh:mm:ss.ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
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
    /// The part of the clip that is meant: start and end in seconds, or as `hh:mm:ss.ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The question; empty where the options are sentences about the clip.
    pub question: String,
    /// The answers to choose from.
    pub options: Vec<String>,
    /// The number of the right one, counted from zero.
    pub answer: usize,
    /// What tells the options apart: `color`, `direction`. Items with a skill are measured by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
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
    /// The part of the clip that is meant: start and end in seconds, or as `hh:mm:ss.ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The question, or the sentence with `[MASK]`.
    pub question: String,
    /// The right answers; the first is trained on, any counts in evaluation.
    pub answers: Vec<String>,
}

/// Items of one task, in the order of their file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Items {
    /// Clips and sentences.
    Retrieval(Vec<RetrievalItem>),
    /// Questions with options.
    MultipleChoice(Vec<MultipleChoiceItem>),
    /// Questions with answers in words.
    OpenEnded(Vec<OpenEndedItem>),
}

/// The usable items of a file, and the rows that were not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemsFile {
    /// The items in the order of the file.
    pub items: Items,
    /// The rows that were left out.
    pub skipped: Vec<SkippedItem>,
}

/// What items are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemsTask {
    /// To find a clip by its sentence and a sentence by its clip.
    Retrieval,
    /// To choose an answer.
    MultipleChoice,
    /// To answer in words.
    OpenEnded,
}

/// An item of any task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Retrieval(RetrievalItem),
    MultipleChoice(MultipleChoiceItem),
    OpenEnded(OpenEndedItem),
}

impl Items {
    /// The number of items.
    pub fn len(&self) -> usize {
        match self {
            Self::Retrieval(items) => items.len(),
            Self::MultipleChoice(items) => items.len(),
            Self::OpenEnded(items) => items.len(),
        }
    }

    /// Tells whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the items are for.
    pub fn task(&self) -> ItemsTask {
        match self {
            Self::Retrieval(_) => ItemsTask::Retrieval,
            Self::MultipleChoice(_) => ItemsTask::MultipleChoice,
            Self::OpenEnded(_) => ItemsTask::OpenEnded,
        }
    }
}

impl ItemsTask {
    /// What messages call the texts it needs.
    pub(crate) fn texts(self) -> &'static str {
        match self {
            Self::Retrieval => "captions",
            Self::MultipleChoice => "options",
            Self::OpenEnded => "answers",
        }
    }

    /// What messages call the task.
    pub fn name(self) -> &'static str {
        match self {
            Self::Retrieval => "retrieval",
            Self::MultipleChoice => "multiple-choice",
            Self::OpenEnded => "open-ended",
        }
    }
}

impl Item {
    pub(crate) fn task(&self) -> ItemsTask {
        match self {
            Self::Retrieval(_) => ItemsTask::Retrieval,
            Self::MultipleChoice(_) => ItemsTask::MultipleChoice,
            Self::OpenEnded(_) => ItemsTask::OpenEnded,
        }
    }
}

/// The span that the values of a row's `start` and `end` make: seconds, or `hh:mm:ss.ms`; none where there
/// is neither.
pub(crate) fn span_of(
    start: Option<&Value>,
    end: Option<&Value>,
) -> Result<Option<Span>, RowFault> {
    let given = |value: Option<&Value>| match value {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(value) => Some(value.clone()),
    };
    let (start, end) = match (given(start), given(end)) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(RowFault::Missing { key: "start" }),
        (Some(_), None) => return Err(RowFault::Missing { key: "end" }),
        (Some(start), Some(end)) => (start, end),
    };
    serde_json::from_value(Value::Array(vec![start, end]))
        .map(Some)
        .map_err(RowFault::Span)
}

impl Item {
    /// The name, the clip and its span.
    pub(crate) fn clip(&self) -> (Option<&str>, &str, Option<Span>) {
        match self {
            Self::Retrieval(item) => (item.id.as_deref(), &item.clip, item.span),
            Self::MultipleChoice(item) => (item.id.as_deref(), &item.clip, item.span),
            Self::OpenEnded(item) => (item.id.as_deref(), &item.clip, item.span),
        }
    }

    /// What is said or asked about the clip.
    pub(crate) fn into_texts(self) -> Texts {
        match self {
            Self::Retrieval(item) => Texts::Captions(item.captions),
            Self::MultipleChoice(item) => Texts::Choice {
                question: item.question,
                options: item.options,
                answer: item.answer,
            },
            Self::OpenEnded(item) => Texts::Question {
                question: item.question,
                answers: item.answers,
            },
        }
    }
}

impl From<RetrievalItem> for Item {
    fn from(item: RetrievalItem) -> Self {
        Self::Retrieval(item)
    }
}

impl From<MultipleChoiceItem> for Item {
    fn from(item: MultipleChoiceItem) -> Self {
        Self::MultipleChoice(item)
    }
}

impl From<OpenEndedItem> for Item {
    fn from(item: OpenEndedItem) -> Self {
        Self::OpenEnded(item)
    }
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
