//! The phrases that captions are made of; names of attributes stand elsewhere.
//!
//! `{0}`, `{1}` and `{2}` are places for what else is told, other braces for what they name.

use rand::Rng;
use rand::seq::IndexedRandom;

/// What a sentence begins with, as often as it stands here.
pub(crate) const OPENINGS: [&str; 8] = [
    "{0}",
    "{0}",
    "{0}",
    "{0}",
    "in this video {0}",
    "we see that {0}",
    "a video in which {0}",
    "here {0}",
];

/// What a sentence begins with that says how many shapes there are; none is longer than the longest above.
pub(crate) const COUNTING_OPENINGS: [&str; 4] = [
    "{count} {0}",
    "we see {count} {0}",
    "video of {count} {0}",
    "here {count} {0}",
];

/// How many shapes there are, from one; the question's words, so that the vocabulary stays as it is.
pub(crate) const COUNTS: [&[&str]; 2] = [
    &["one shape", "two shapes", "three shapes"],
    &["one object", "two objects", "three objects"],
];

/// A single event, without "that".
pub(crate) const SIGHTS: [&str; 4] = [
    "there is {s} {0}",
    "we see {s} {0}",
    "{s} can be seen {0}",
    "a video of {s} {0}",
];

/// Two events at the same time.
pub(crate) const TOGETHER: [&str; 4] = [
    "{0} while {1}",
    "{0} and at the same time {1}",
    "while {0} {1}",
    "{0} as {1}",
];

/// Two events one after the other.
pub(crate) const SEQUENCE: [&str; 8] = [
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
pub(crate) const SAME: [&str; 7] = [
    "{s} {0} and then {1}",
    "first {s} {0} then it {1}",
    "{s} {0} some time before it {1}",
    "after {s} {0} it {1}",
    "{s} {1} but only after it {0}",
    "{s} {0} and after that it {1}",
    "at first {s} {0} and later it {1}",
];

/// Three events one after the other.
pub(crate) const THREE: [&str; 4] = [
    "first {0} then {1} and finally {2}",
    "{0} then {1} and at the end {2}",
    "first {0} next {1} and last {2}",
    "{0} some time before {1} and then {2}",
];

/// Two phases of which one has two events.
pub(crate) const MIXED: [&str; 3] = [
    "first {0} then {1}",
    "{0} and then {1}",
    "at first {0} and later {1}",
];

pub(crate) const SUBJECTS: [&str; 6] = [
    "{a} {size} {color} {shape}",
    "the {size} {color} {shape}",
    "one {size} {color} {shape}",
    "{a} {size} {shape} in {color}",
    "the {color} {shape} of {size} size",
    "the {shape} that is {size} and {color}",
];

pub(crate) const TOLD_MOVES: [&str; 3] = [
    "{moves} {direction} {speed}",
    "{moves} {speed} {direction}",
    "is {moving} {speed} {direction}",
];
pub(crate) const MOVES: [&str; 2] = ["{moves} {direction}", "is {moving} {direction}"];
pub(crate) const MOVING: [&str; 1] = ["{moving} {direction}"];
pub(crate) const TOLD_MOVING: [&str; 2] = [
    "{moving} {direction} {speed}",
    "{moving} {speed} {direction}",
];
pub(crate) const VERBS: [&str; 7] = [
    "moves", "slides", "glides", "travels", "drifts", "goes", "heads",
];
pub(crate) const PARTICIPLES: [&str; 7] = [
    "moving",
    "sliding",
    "gliding",
    "traveling",
    "drifting",
    "going",
    "heading",
];
pub(crate) const APPEARS: [&str; 4] = ["appears", "shows up", "becomes visible", "comes into view"];
pub(crate) const DISAPPEARS: [&str; 4] =
    ["disappears", "vanishes", "goes away", "goes out of view"];

/// Every word of a caption that is no name of an attribute.
pub(crate) fn caption_words() -> impl Iterator<Item = &'static str> {
    let lists: [&[&str]; 20] = [
        &OPENINGS,
        &COUNTING_OPENINGS,
        COUNTS[0],
        COUNTS[1],
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
        &MOVING,
        &VERBS,
        &PARTICIPLES,
        &APPEARS,
        &DISAPPEARS,
        &["a", "an"],
    ];
    let phrases = lists.into_iter().flatten().copied();
    phrases
        .flat_map(str::split_whitespace)
        .filter(|word| !word.starts_with('{'))
}

/// One of several phrases.
pub(crate) fn pick<R: Rng + ?Sized>(phrases: &[&'static str], rng: &mut R) -> &'static str {
    phrases.choose(rng).copied().unwrap_or_default()
}

/// Puts phrases into the places of a form.
pub(crate) fn fill(form: &str, places: &[(&str, &str)]) -> String {
    places
        .iter()
        .fold(form.to_owned(), |text, (place, phrase)| {
            text.replace(place, phrase)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saying_how_many_shapes_there_are_makes_no_opening_longer() {
        let words = |opening: &&str| opening.replace("{count}", "two shapes").split(' ').count();

        let longest = |openings: &[&str]| openings.iter().map(words).max();

        assert!(longest(&COUNTING_OPENINGS) <= longest(&OPENINGS));
    }

    #[test]
    fn a_direction_never_stands_before_after_or_before() {
        for form in SEQUENCE.iter().chain(&SAME).chain(&THREE) {
            for bad in ["{0} before", "{0} after", "{1} before", "{1} after"] {
                assert!(!form.contains(bad), "{form}");
            }
        }
    }
}
