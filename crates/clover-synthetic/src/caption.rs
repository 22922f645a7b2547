//! The forms of sentences, and how one event is put into words.
//!
//! Without commas and question marks, as the captions and questions of the published sets are.
//! "Right before" and "right after" would be read as one idea, so something always stands between
//! a direction and those two words.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::story::{Action, Actor, Event, Speed, Story};

/// What a sentence begins with, as often as it stands here.
pub(super) const OPENINGS: [&str; 8] = [
    "{0}",
    "{0}",
    "{0}",
    "{0}",
    "in this video {0}",
    "we see that {0}",
    "a video in which {0}",
    "here {0}",
];

/// A single event, without "that".
pub(super) const SIGHTS: [&str; 4] = [
    "there is {s} {0}",
    "we see {s} {0}",
    "{s} can be seen {0}",
    "a video of {s} {0}",
];

/// Two events at the same time.
pub(super) const TOGETHER: [&str; 4] = [
    "{0} while {1}",
    "{0} and at the same time {1}",
    "while {0} {1}",
    "{0} as {1}",
];

/// Two events one after the other.
pub(super) const SEQUENCE: [&str; 8] = [
    "first {0} then {1}",
    "{0} and then {1}",
    "{0} some time before {1}",
    "after {0} {1}",
    "{1} but only after {0}",
    "{0} and after that {1}",
    "at first {0} and later {1}",
    "before {1} {0}",
];

/// Two events of one shape one after the other.
pub(super) const SAME: [&str; 7] = [
    "{s} {0} and then {1}",
    "first {s} {0} then it {1}",
    "{s} {0} some time before it {1}",
    "after {s} {0} it {1}",
    "{s} {1} but only after it {0}",
    "{s} {0} and after that it {1}",
    "at first {s} {0} and later it {1}",
];

/// Three events one after the other.
pub(super) const THREE: [&str; 4] = [
    "first {0} then {1} and finally {2}",
    "{0} then {1} and at the end {2}",
    "first {0} next {1} and last {2}",
    "{0} some time before {1} and then {2}",
];

/// Two phases of which one has two events.
pub(super) const MIXED: [&str; 3] = [
    "first {0} then {1}",
    "{0} and then {1}",
    "at first {0} and later {1}",
];

const SUBJECTS: [&str; 6] = [
    "{a} {size} {color} {shape}",
    "the {size} {color} {shape}",
    "one {size} {color} {shape}",
    "{a} {size} {shape} in {color}",
    "the {color} {shape} of {size} size",
    "the {shape} that is {size} and {color}",
];

const TOLD_MOVES: [&str; 3] = [
    "{moves} {direction} {speed}",
    "{moves} {speed} {direction}",
    "is {moving} {speed} {direction}",
];
const MOVES: [&str; 2] = ["{moves} {direction}", "is {moving} {direction}"];
const TOLD_MOVING: [&str; 2] = [
    "{moving} {direction} {speed}",
    "{moving} {speed} {direction}",
];
const VERBS: [&str; 7] = [
    "moves", "slides", "glides", "travels", "drifts", "goes", "heads",
];
const PARTICIPLES: [&str; 7] = [
    "moving",
    "sliding",
    "gliding",
    "traveling",
    "drifting",
    "going",
    "heading",
];
const APPEARS: [&str; 4] = ["appears", "shows up", "becomes visible", "comes into view"];
const DISAPPEARS: [&str; 4] = ["disappears", "vanishes", "goes away", "goes out of view"];

impl Speed {
    /// The ways to name the speed.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Slow => &["slowly", "gently", "at a low speed"],
            Self::Fast => &["quickly", "fast", "rapidly", "at a high speed"],
        }
    }
}

/// Every form and phrase of a caption, names of attributes apart.
pub(super) fn phrases() -> impl Iterator<Item = &'static str> {
    let lists: [&[&str]; 16] = [
        &OPENINGS,
        &SIGHTS,
        &TOGETHER,
        &SEQUENCE,
        &SAME,
        &THREE,
        &MIXED,
        &SUBJECTS,
        &TOLD_MOVES,
        &MOVES,
        &TOLD_MOVING,
        &VERBS,
        &PARTICIPLES,
        &APPEARS,
        &DISAPPEARS,
        &["a", "an"],
    ];
    lists.into_iter().flatten().copied()
}

/// One of several phrases.
pub(super) fn pick<R: Rng + ?Sized>(phrases: &[&'static str], rng: &mut R) -> &'static str {
    phrases.choose(rng).copied().unwrap_or_default()
}

/// Puts phrases into the places of a form.
pub(super) fn fill(form: &str, places: &[(&str, &str)]) -> String {
    places
        .iter()
        .fold(form.to_owned(), |text, (place, phrase)| {
            text.replace(place, phrase)
        })
}

/// A shape with its size and colour; the article is still open.
pub(super) fn subject<R: Rng + ?Sized>(actor: &Actor, rng: &mut R) -> String {
    let places = [
        ("{size}", pick(actor.size.names(), rng)),
        ("{color}", pick(actor.color.names(), rng)),
        ("{shape}", pick(actor.shape.names(), rng)),
    ];
    fill(pick(&SUBJECTS, rng), &places)
}

/// What a shape does, as the rest of a sentence.
pub(super) fn predicate<R: Rng + ?Sized>(story: &Story, event: &Event, rng: &mut R) -> String {
    let forms: &[&str] = match (event.action, story.tells_speed()) {
        (Action::Move(_), true) => &TOLD_MOVES,
        (Action::Move(_), false) => &MOVES,
        (Action::Appear, _) => &APPEARS,
        (Action::Disappear, _) => &DISAPPEARS,
    };
    put(forms, story, event, rng)
}

/// What a shape is seen doing; the story has a single event, so its speed is told.
pub(super) fn participle<R: Rng + ?Sized>(story: &Story, event: &Event, rng: &mut R) -> String {
    put(&TOLD_MOVING, story, event, rng)
}

fn put<R: Rng + ?Sized>(
    forms: &[&'static str],
    story: &Story,
    event: &Event,
    rng: &mut R,
) -> String {
    let form = pick(forms, rng);
    let Action::Move(direction) = event.action else {
        return form.to_owned();
    };
    let actor = story.actors.get(event.actor);
    let speed = actor.map_or(Speed::Slow, |actor| actor.speed);
    let places = [
        ("{moves}", pick(&VERBS, rng)),
        ("{moving}", pick(&PARTICIPLES, rng)),
        ("{direction}", pick(direction.names(), rng)),
        ("{speed}", pick(speed.names(), rng)),
    ];
    fill(form, &places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_never_stands_before_after_or_before() {
        for form in phrases() {
            for bad in ["{0} before", "{0} after", "{1} before", "{1} after"] {
                assert!(!form.contains(bad), "{form}");
            }
        }
    }

    #[test]
    fn every_place_of_a_form_is_filled() {
        let text = fill(
            "{s} {0} then {1}",
            &[("{s}", "it"), ("{0}", "a"), ("{1}", "b")],
        );

        assert_eq!(text, "it a then b");
    }
}
