//! Verb or not, for a word spelled like a verb form: *walks*, *dance*, *painting*, *cut*.
//!
//! Each form has its own evidence. A form's score is a sum of points for its neighbours; above zero
//! it is a verb. The points were set by hand on the development half of the gold captions.

use super::context::Context;
use super::verb_forms::VerbForms;
use super::word_lists::{
    comes_before_verbs, heads_compounds, is_living, is_modal, is_mostly_a_noun, is_particle,
    is_plural, makes_others_act,
};
use crate::text::PartOfSpeech;

/// Tags a word that has verb forms.
pub(super) fn tag(context: &Context<'_>) -> PartOfSpeech {
    let forms = context.forms_at(0);
    let scores = [
        (VerbForms::BASE, base as fn(&Context<'_>) -> i32),
        (VerbForms::THIRD, third),
        (VerbForms::GERUND, gerund),
        (VerbForms::PAST, past),
    ];
    let best = scores
        .iter()
        .filter(|(form, _)| forms.has(*form))
        .map(|(_, score)| score(context))
        .max();
    if best.is_some_and(|score| score > 0) {
        return PartOfSpeech::Verb;
    }
    match context.trained() {
        Some(PartOfSpeech::Verb | PartOfSpeech::Auxiliary) | None => otherwise(context),
        Some(tag) => tag,
    }
}

/// A word the trained tagger holds for a verb, or does not know, where no verb can stand.
fn otherwise(context: &Context<'_>) -> PartOfSpeech {
    let participle = VerbForms::PAST.with(VerbForms::GERUND);
    let names_a_kind = context.word_at(1).is_some_and(heads_compounds);
    match context.forms_at(0).has(participle) && context.is_noun(1) && !names_a_kind {
        true => PartOfSpeech::Adjective,
        false => PartOfSpeech::Noun,
    }
}

/// *ride*: after *to*, a modal, a plural; in a command.
fn base(context: &Context<'_>) -> i32 {
    let left = context.left_past_adverbs();
    let before = match context.tag_at(left) {
        None => start_of_command(context),
        Some(_) if asks_for_base(context, left) => 12,
        Some(_) if has_someone_act(context) => 8,
        Some(PartOfSpeech::Noun | PartOfSpeech::ProperNoun) => plural_subject(context, left),
        Some(PartOfSpeech::Pronoun) => match context.word_at(left) {
            Some("they" | "we" | "you" | "i" | "who" | "that" | "which") => 8,
            Some("him" | "them" | "me" | "us" | "others") => 4,
            Some(word) if !super::context::is_possessive(word) => unchanged_past(context, 6),
            _ => -8,
        },
        Some(PartOfSpeech::CoordinatingConjunction | PartOfSpeech::Punctuation) => {
            joined(context, VerbForms::BASE)
        }
        Some(PartOfSpeech::SubordinatingConjunction) => -2,
        Some(PartOfSpeech::Verb | PartOfSpeech::Auxiliary) => -4,
        Some(_) => -8,
    };
    before + after(context) + leaning(context)
}

/// *rides*: after its subject.
fn third(context: &Context<'_>) -> i32 {
    let left = context.left_past_adverbs();
    let before = match context.tag_at(left) {
        Some(PartOfSpeech::Noun | PartOfSpeech::ProperNoun) => singular_subject(context, left),
        Some(PartOfSpeech::Pronoun) => match context.word_at(left) {
            Some(word) if super::context::is_possessive(word) => -8,
            _ => 8,
        },
        Some(PartOfSpeech::CoordinatingConjunction | PartOfSpeech::Punctuation) => {
            joined(context, VerbForms::THIRD)
        }
        Some(PartOfSpeech::Verb | PartOfSpeech::Auxiliary) => -4,
        Some(PartOfSpeech::SubordinatingConjunction) | None => -2,
        Some(PartOfSpeech::Adposition) if context.word_at(left).is_some_and(is_particle) => -2,
        Some(_) => -8,
    };
    let adverb = if left < -1 { 4 } else { 0 };
    before + adverb + after(context) + leaning(context)
}

/// *riding*: nearly always, but for *the painting*, *a swimming pool*.
fn gerund(context: &Context<'_>) -> i32 {
    let noun_follows = context.is_noun(1);
    let before = match context.tag_at(context.left_past_adverbs()) {
        Some(PartOfSpeech::Auxiliary) => 10,
        Some(tag) if opens_modifiers(context, tag) => modifier(noun_follows),
        Some(PartOfSpeech::Adposition) if context.word_at(1).is_none() => -1,
        Some(PartOfSpeech::Adposition) => 2,
        Some(PartOfSpeech::Noun) if is_sport_compound(context) => -8,
        Some(_) => 4,
        None if noun_follows => 1,
        None => 2,
    };
    let after = match context.tag_at(1) {
        _ if context.word_at(1).is_some_and(heads_compounds) => -8,
        _ if context.opens_noun_group(1) => 6,
        _ if context.word_at(1) == Some("of") => -6,
        Some(PartOfSpeech::Adposition | PartOfSpeech::Adverb | PartOfSpeech::Pronoun) => 2,
        Some(PartOfSpeech::Auxiliary) => -1,
        _ => 0,
    };
    before + after + leaning(context)
}

/// *rode*, *ridden*: after a subject or an auxiliary, or before what was done by.
fn past(context: &Context<'_>) -> i32 {
    let noun_follows = context.is_noun(1) || context.is(1, PartOfSpeech::Adjective);
    let before = match context.tag_at(context.left_past_adverbs()) {
        Some(PartOfSpeech::Auxiliary) if context.trained() == Some(PartOfSpeech::Adjective) => 0,
        Some(PartOfSpeech::Auxiliary) => 6,
        Some(PartOfSpeech::Noun | PartOfSpeech::ProperNoun) => 5,
        Some(tag) if opens_modifiers(context, tag) => modifier(noun_follows),
        Some(PartOfSpeech::Adposition) => modifier(noun_follows),
        Some(PartOfSpeech::Pronoun) => 7,
        Some(PartOfSpeech::Verb) => 1,
        Some(_) | None => 2,
    };
    before + after(context).min(3) + leaning(context)
}

/// Whether what stands before is the beginning of a noun group: *the*, *her*, *three*, *old*, *'s*.
fn opens_modifiers(context: &Context<'_>, tag: PartOfSpeech) -> bool {
    match tag {
        PartOfSpeech::Pronoun => possessive_before(context),
        tag => matches!(
            tag,
            PartOfSpeech::Determiner
                | PartOfSpeech::Numeral
                | PartOfSpeech::Adjective
                | PartOfSpeech::Particle
        ),
    }
}

fn modifier(noun_follows: bool) -> i32 {
    if noun_follows { 1 } else { -8 }
}

/// What follows a finite verb: an object, a particle, a preposition.
fn after(context: &Context<'_>) -> i32 {
    if context.opens_noun_group(1) {
        return 4;
    }
    if context.word_at(1) == Some("of") {
        return -8;
    }
    if context.word_at(1).is_some_and(is_particle) {
        return 4;
    }
    match context.tag_at(1) {
        Some(PartOfSpeech::Pronoun) => 4,
        Some(
            PartOfSpeech::Adverb | PartOfSpeech::SubordinatingConjunction | PartOfSpeech::Particle,
        ) => 2,
        Some(PartOfSpeech::Adposition) => 1,
        Some(PartOfSpeech::Auxiliary) => -6,
        Some(PartOfSpeech::Verb) if comes_before_verbs(context.word()) => 4,
        Some(PartOfSpeech::Verb) => -4,
        Some(PartOfSpeech::Noun) => -1,
        _ => 0,
    }
}

/// What the trained tagger holds the word for, wherever it stands.
fn leaning(context: &Context<'_>) -> i32 {
    match context.trained() {
        Some(PartOfSpeech::Verb | PartOfSpeech::Auxiliary) => 2,
        None if context.is_listed_verb() || context.forms_at(0) != VerbForms::THIRD => 1,
        None => -3,
        Some(_) => -2,
    }
}

fn asks_for_base(context: &Context<'_>, left: isize) -> bool {
    let word = context.word_at(left);
    let modal = word.is_some_and(is_modal);
    let verb_rather = context.opens_noun_group(1) || !is_mostly_a_noun(context.word());
    let infinitive = word == Some("to") && verb_rather;
    infinitive || modal && !context.is_noun(left)
}

/// *Let it rise*, *makes a coin vanish*: between the two verbs stands who acts.
fn has_someone_act(context: &Context<'_>) -> bool {
    let group = |offset| {
        context.is_noun(offset)
            || context.is(offset, PartOfSpeech::Adjective)
            || context.is(offset, PartOfSpeech::Determiner)
            || context.is(offset, PartOfSpeech::Pronoun)
    };
    let mut left = -1;
    while group(left) {
        left -= 1;
    }
    let no_object_follows = !context.is_noun(1) && context.word_at(1) != Some("of");
    let actor = context.is_noun(-1) || context.is(-1, PartOfSpeech::Pronoun);
    actor && no_object_follows && context.word_at(left).is_some_and(makes_others_act)
}

fn start_of_command(context: &Context<'_>) -> i32 {
    match () {
        () if context.opens_noun_group(1) => 4,
        () if context.is(1, PartOfSpeech::Pronoun) => 2,
        () => -1,
    }
}

/// *People dance* against *the car show*.
fn plural_subject(context: &Context<'_>, left: isize) -> i32 {
    let subject = context.word_at(left).unwrap_or_default();
    if !is_plural(subject) && !context.noun_group_is_joined(left) {
        return unchanged_past(context, 4);
    }
    let finite = if context.has_finite_verb() { -5 } else { 0 };
    let known = context.noun_group_is_opened(left) || is_living(subject);
    finite + if known { 5 } else { 3 }
}

/// *Cut*, *put*, *hit*: the past is spelled like the base form, so any subject will do.
fn unchanged_past(context: &Context<'_>, points: i32) -> i32 {
    match context.forms_at(0).has(VerbForms::PAST) {
        true => points,
        false => -6,
    }
}

/// *A woman slices* against *tomato slices*.
fn singular_subject(context: &Context<'_>, left: isize) -> i32 {
    let subject = context.word_at(left).unwrap_or_default();
    if is_plural(subject) && !is_living(subject) {
        // *A guy in sunglasses nods*: the subject is further left.
        let further = context.clause_has(is_living) && !context.has_finite_verb();
        return if further { 2 } else { -6 };
    }
    let opened = context.noun_group_is_opened(left);
    let named = context.is(left, PartOfSpeech::ProperNoun);
    let subject = if opened || is_living(subject) || named {
        5
    } else {
        -1
    };
    let finite = if context.has_finite_verb() { -6 } else { 0 };
    subject + finite
}

/// Behind *and* or a comma: like the verb before it.
fn joined(context: &Context<'_>, form: VerbForms) -> i32 {
    match () {
        () if context.has_earlier(form) => 3,
        () if form == VerbForms::BASE && context.has_earlier(VerbForms::BASE) => 3,
        () => -3,
    }
}

fn possessive_before(context: &Context<'_>) -> bool {
    context
        .word_at(context.left_past_adverbs())
        .is_some_and(super::context::is_possessive)
}

/// *Ice skating*, *rock climbing*.
fn is_sport_compound(context: &Context<'_>) -> bool {
    matches!(
        context.word_at(-1),
        Some("ice" | "rock" | "figure" | "scuba" | "bull" | "bungee" | "belly" | "water" | "hand")
    ) && !context.opens_noun_group(1)
}
