//! What passes for an item: texts within bounds, a clip that stays below its folder, and an answer
//! among the options.

use std::ops::RangeInclusive;

use super::super::rows::{BROKEN, RowFault};
use super::{
    Caption, Item, MultipleChoiceItem, OpenEndedItem, RetrievalItem, TaggedCaption, check_relative,
};

/// A caption of more words is an error: the longest texts of the eleven tasks have a few hundred.
pub const MAX_CAPTION_WORDS: usize = 2_000;

/// A caption of more bytes is an error, so that one endless word is refused too.
pub const MAX_CAPTION_BYTES: usize = 32 * 1024;

/// Some sets ask for one sentence of five, and none for one of more than some dozens.
const OPTIONS: RangeInclusive<usize> = 2..=64;

/// The most captions or answers of an item; MSVD has up to 81 captions a clip.
pub(crate) const MAX_TEXTS: usize = 1_000;

/// The most bytes of all texts of an item, so that its line is one that can be read again.
const MAX_ITEM_BYTES: usize = 512 << 10;

/// The longest name of a universal tag has five letters.
const MAX_TAG_BYTES: usize = 16;

impl Item {
    /// Trims the texts of the item and checks all of it.
    pub(crate) fn check(self) -> Result<Self, RowFault> {
        match self {
            Self::Retrieval(item) => check_retrieval(item).map(Self::Retrieval),
            Self::MultipleChoice(item) => check_multiple_choice(item).map(Self::MultipleChoice),
            Self::OpenEnded(item) => check_open_ended(item).map(Self::OpenEnded),
        }
    }
}

fn check_retrieval(item: RetrievalItem) -> Result<RetrievalItem, RowFault> {
    check_relative(&item.clip)?;
    check_count("captions", item.captions.len(), 1..=MAX_TEXTS)?;
    let captions: Vec<_> = item
        .captions
        .into_iter()
        .map(check_caption)
        .collect::<Result<_, _>>()?;
    check_total(captions.iter().map(Caption::text))?;
    Ok(RetrievalItem {
        id: check_id(item.id)?,
        captions,
        ..item
    })
}

fn check_multiple_choice(item: MultipleChoiceItem) -> Result<MultipleChoiceItem, RowFault> {
    check_relative(&item.clip)?;
    check_count("options", item.options.len(), OPTIONS)?;
    let options = check_texts("option", item.options)?;
    check_total(options.iter().map(String::as_str))?;
    if item.answer >= options.len() {
        return Err(RowFault::Answer {
            answer: item.answer as u64,
            options: options.len(),
        });
    }
    let question = match item.question.trim() {
        "" => String::new(),
        question => check_text("question", question)?,
    };
    let skill = item.skill.map(|skill| check_text("skill", &skill));
    Ok(MultipleChoiceItem {
        id: check_id(item.id)?,
        skill: skill.transpose()?,
        question,
        options,
        ..item
    })
}

fn check_open_ended(item: OpenEndedItem) -> Result<OpenEndedItem, RowFault> {
    check_relative(&item.clip)?;
    check_count("answers", item.answers.len(), 1..=MAX_TEXTS)?;
    let answers = check_texts("answer", item.answers)?;
    check_total(answers.iter().map(String::as_str))?;
    Ok(OpenEndedItem {
        id: check_id(item.id)?,
        question: check_text("question", &item.question)?,
        answers,
        ..item
    })
}

/// Trims a caption and checks it; a tagged one has a tag for each of its words.
pub(crate) fn check_caption(caption: Caption) -> Result<Caption, RowFault> {
    match caption {
        Caption::Plain(text) => check_text("caption", &text).map(Caption::Plain),
        Caption::Tagged(TaggedCaption { text, tags }) => {
            let text = check_text("caption", &text)?;
            let words = text.split_whitespace().count();
            let named = |tag: &String| (1..=MAX_TAG_BYTES).contains(&tag.len());
            if tags.len() != words || !tags.iter().all(named) {
                let tags = tags.iter().filter(|&tag| named(tag)).count();
                return Err(RowFault::Tags { tags, words });
            }
            Ok(Caption::Tagged(TaggedCaption { text, tags }))
        }
    }
}

/// Trims a text and checks that it has words, and not too many.
pub(crate) fn check_text(key: &'static str, text: &str) -> Result<String, RowFault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(RowFault::Missing { key });
    }
    if text.contains(BROKEN) {
        return Err(RowFault::BrokenText { key });
    }
    let words = text.split_whitespace().take(MAX_CAPTION_WORDS + 1).count();
    if words > MAX_CAPTION_WORDS || text.len() > MAX_CAPTION_BYTES {
        return Err(RowFault::TextTooLong {
            key,
            words: MAX_CAPTION_WORDS,
            bytes: MAX_CAPTION_BYTES,
        });
    }
    Ok(text.to_owned())
}

fn check_texts(key: &'static str, texts: Vec<String>) -> Result<Vec<String>, RowFault> {
    texts.iter().map(|text| check_text(key, text)).collect()
}

fn check_id(id: Option<String>) -> Result<Option<String>, RowFault> {
    match id.as_deref().map(str::trim) {
        None | Some("") => Ok(None),
        Some(id) => check_text("id", id).map(Some),
    }
}

fn check_count(
    key: &'static str,
    found: usize,
    allowed: RangeInclusive<usize>,
) -> Result<(), RowFault> {
    if allowed.contains(&found) {
        return Ok(());
    }
    Err(RowFault::Count {
        key,
        found,
        smallest: *allowed.start(),
        largest: *allowed.end(),
    })
}

fn check_total<'a>(texts: impl Iterator<Item = &'a str>) -> Result<(), RowFault> {
    match texts.map(str::len).sum::<usize>() > MAX_ITEM_BYTES {
        true => Err(RowFault::TooLong {
            limit: MAX_ITEM_BYTES,
        }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(options: &[&str], answer: usize) -> Result<Item, RowFault> {
        Item::MultipleChoice(MultipleChoiceItem {
            skill: None,
            id: None,
            span: None,
            clip: "a.mp4".to_owned(),
            question: String::new(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            answer,
        })
        .check()
    }

    fn caption(caption: Caption, clip: &str) -> Result<Item, RowFault> {
        Item::Retrieval(RetrievalItem {
            id: None,
            span: None,
            clip: clip.to_owned(),
            captions: vec![caption],
        })
        .check()
    }

    #[test]
    fn an_answer_is_one_of_two_options_or_more() {
        assert!(choice(&["a cat", "a dog"], 1).is_ok());
        assert!(matches!(
            choice(&["a cat", "a dog"], 2),
            Err(RowFault::Answer {
                answer: 2,
                options: 2
            })
        ));
        assert!(matches!(choice(&["a cat"], 0), Err(RowFault::Count { .. })));
        assert!(choice(&["a"; 65], 0).is_err());
        assert!(choice(&["a cat", " "], 0).is_err());
    }

    #[test]
    fn a_clip_outside_its_folder_is_refused() {
        let error = caption(Caption::Plain("a cat".to_owned()), "../a.mp4").unwrap_err();

        assert!(error.to_string().contains("climbs"), "{error}");
    }

    #[test]
    fn each_word_of_a_tagged_caption_has_a_tag() {
        let tagged = |tags: &[&str]| {
            let caption = TaggedCaption {
                text: " it runs ".to_owned(),
                tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            };
            self::caption(Caption::Tagged(caption), "a.mp4")
        };

        assert!(tagged(&["PRON", "VERB"]).is_ok());
        assert!(matches!(
            tagged(&["PRON"]),
            Err(RowFault::Tags { tags: 1, words: 2 })
        ));
        assert!(tagged(&["PRON", ""]).is_err());
    }

    #[test]
    fn texts_are_trimmed_and_bounded() {
        let item = caption(Caption::Plain(" a cat\n".to_owned()), "a.mp4").unwrap();
        let Item::Retrieval(item) = item else {
            panic!("another task")
        };

        assert_eq!(item.captions[0].text(), "a cat");
        assert!(caption(Caption::Plain("a cat\u{ffff}".to_owned()), "a.mp4").is_err());
        assert!(caption(Caption::Plain("x ".repeat(3_000)), "a.mp4").is_err());
        assert!(caption(Caption::Plain("x".repeat(40_000)), "a.mp4").is_err());
    }
}
