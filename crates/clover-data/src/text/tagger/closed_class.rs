//! Words of few meanings that the trained tagger takes for something captions do not mean.

use super::context::Context;
use crate::text::PartOfSpeech;

/// The tag of a word that its letters and next neighbours settle; nothing for all others.
pub(super) fn tag(context: &Context<'_>) -> Option<PartOfSpeech> {
    match context.word() {
        "in" | "with" | "on" | "at" | "of" | "from" => Some(PartOfSpeech::Adposition),
        // Universal tags of newer treebanks: what introduces a clause is a conjunction.
        "when" | "where" | "how" | "why" => Some(PartOfSpeech::SubordinatingConjunction),
        "both" if context.word_at(2) != Some("and") => Some(PartOfSpeech::Determiner),
        "close" if is_close_up(context, 0) => Some(PartOfSpeech::Adjective),
        "up" if is_close_up(context, -1) => Some(PartOfSpeech::Noun),
        "left" | "right" => direction(context),
        "live" | "female" | "male" if context.is_noun(1) => Some(PartOfSpeech::Adjective),
        "down" | "around" | "along" | "past" | "across" | "through"
            if noun_group_follows(context) =>
        {
            Some(PartOfSpeech::Adposition)
        }
        "around" | "along" | "by" if context.word_at(1).is_none() => Some(PartOfSpeech::Adverb),
        "first" | "next" if introduces_verb(context) => Some(PartOfSpeech::Adverb),
        _ => None,
    }
}

/// *Close up of ...* is a kind of shot, not a command.
fn is_close_up(context: &Context<'_>, close: isize) -> bool {
    context.word_at(close) == Some("close")
        && context.word_at(close + 1) == Some("up")
        && matches!(
            context.word_at(close + 2),
            None | Some("of" | "shot" | "view")
        )
}

/// *The camera pans left*, *on the left*.
fn direction(context: &Context<'_>) -> Option<PartOfSpeech> {
    let beside = matches!(
        context.word_at(1),
        Some("side" | "hand" | "arm" | "foot" | "leg" | "corner")
    );
    let side = || context.word_at(-1) == Some("the") && !beside;
    match context.tag_at(-1) {
        Some(PartOfSpeech::Verb) => Some(PartOfSpeech::Adverb),
        _ if side() => Some(PartOfSpeech::Noun),
        _ if context.word_at(-1) == Some("to") => Some(PartOfSpeech::Adverb),
        _ => None,
    }
}

fn noun_group_follows(context: &Context<'_>) -> bool {
    context.is_noun_group(1) || context.is_noun(1) && !context.is_verb_form(1)
}

/// *The dog first enters*: between a subject and its verb.
fn introduces_verb(context: &Context<'_>) -> bool {
    let subject = context.is_noun(-1) || context.is(-1, PartOfSpeech::Pronoun);
    subject && context.is_verb_form(1)
}
