//! Auxiliaries: forms of *be*, *have* and *do*, modals, and what an apostrophe leaves of them.
//!
//! *Be* is an auxiliary even as the only verb, as in the universal tags; *have* and *do* only
//! before another verb.

use super::context::Context;
use super::verb_forms::VerbForms;
use crate::text::PartOfSpeech;

/// Tags a word that may be an auxiliary; nothing for all others.
pub(super) fn tag(context: &Context<'_>) -> Option<PartOfSpeech> {
    match context.word() {
        "have" | "has" | "had" | "having" => Some(before(context, VerbForms::PAST)),
        "do" | "does" | "did" | "don" | "didn" | "doesn" => Some(before(context, VerbForms::BASE)),
        "am" | "is" | "are" | "was" | "were" | "be" | "been" | "being" | "could" | "would"
        | "shall" | "should" | "might" | "must" | "cannot" | "isn" | "aren" | "wasn" | "weren"
        | "couldn" | "won" | "wouldn" | "hasn" | "haven" | "hadn" => Some(PartOfSpeech::Auxiliary),
        "can" | "will" | "may" => Some(modal_or_noun(context)),
        "s" | "t" | "re" | "ve" | "ll" | "m" | "d" => after_apostrophe(context),
        "not" => Some(PartOfSpeech::Particle),
        _ => None,
    }
}

/// An auxiliary where a verb of that form follows, past adverbs, *not* and the subject of a
/// question.
fn before(context: &Context<'_>, form: VerbForms) -> PartOfSpeech {
    let passed = |word: &str, tag| {
        matches!(word, "not" | "'" | "t" | "been" | "n")
            || matches!(tag, PartOfSpeech::Adverb | PartOfSpeech::Pronoun)
    };
    let mut next = 1;
    while let Some(word) = context.word_at(next) {
        if word == "been" || context.forms_at(next).has(form) {
            let object = context.is_noun_group(next);
            return match object {
                true => PartOfSpeech::Verb,
                false => PartOfSpeech::Auxiliary,
            };
        }
        if !context.tag_at(next).is_some_and(|tag| passed(word, tag)) {
            break;
        }
        next += 1;
    }
    PartOfSpeech::Verb
}

/// *can*, *will* and *may* are nouns behind a determiner or adjective: *a trash can*.
fn modal_or_noun(context: &Context<'_>) -> PartOfSpeech {
    let nominal = context.tag_at(-1).is_some_and(|tag| {
        matches!(
            tag,
            PartOfSpeech::Determiner | PartOfSpeech::Adjective | PartOfSpeech::Adposition
        )
    });
    let verb_follows = (1..=3).any(|next| {
        context.word_at(next) == Some("be") || context.forms_at(next).has(VerbForms::BASE)
    });
    match nominal || !verb_follows {
        true => PartOfSpeech::Noun,
        false => PartOfSpeech::Auxiliary,
    }
}

/// *man 's* is a possessive, *it 's* a verb, *don 't* a negation.
fn after_apostrophe(context: &Context<'_>) -> Option<PartOfSpeech> {
    if !matches!(context.word_at(-1), Some("'" | "’")) {
        return None;
    }
    let clause = |word: &str| {
        matches!(
            word,
            "it" | "he" | "she" | "that" | "there" | "what" | "who" | "here" | "where" | "how"
        )
    };
    Some(match context.word() {
        "s" if context.word_at(-2).is_some_and(clause) => PartOfSpeech::Auxiliary,
        "s" if context.word_at(-2) == Some("let") => PartOfSpeech::Pronoun,
        "s" | "t" => PartOfSpeech::Particle,
        _ => PartOfSpeech::Auxiliary,
    })
}
