//! Which forms of which English verbs a word may be.
//!
//! The list beside this file holds the verbs of video captions in their base form, irregular ones
//! with past and participle (`ride/rode/ridden`); the regular forms follow from spelling rules.

use std::collections::HashMap;
use std::sync::LazyLock;

const VERBS: &str = include_str!("verbs.txt");

static FORMS: LazyLock<HashMap<String, VerbForms>> = LazyLock::new(|| {
    let mut forms = HashMap::new();
    for entry in VERBS.split_whitespace() {
        let mut words = entry.split('/');
        let base = words.next().unwrap_or_default();
        let mut add = |word: String, form: VerbForms| {
            let known: &mut VerbForms = forms.entry(word).or_default();
            *known = known.with(form);
        };
        add(base.to_owned(), VerbForms::BASE);
        add(third_person(base), VerbForms::THIRD);
        stems(base).for_each(|stem| add(stem + "ing", VerbForms::GERUND));
        let irregular: Vec<&str> = words.collect();
        if irregular.is_empty() {
            pasts(base).for_each(|past| add(past, VerbForms::PAST));
        }
        for past in irregular {
            add(past.to_owned(), VerbForms::PAST);
        }
    }
    forms
});

/// A set of verb forms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct VerbForms(u8);

impl VerbForms {
    /// No form: the word is no verb.
    pub(super) const NONE: Self = Self(0);
    /// *ride*.
    pub(super) const BASE: Self = Self(1);
    /// *rides*.
    pub(super) const THIRD: Self = Self(2);
    /// *riding*.
    pub(super) const GERUND: Self = Self(4);
    /// *rode*, *ridden*.
    pub(super) const PAST: Self = Self(8);

    /// The forms of the listed verbs that are spelled like `word`.
    pub(super) fn listed(word: &str) -> Self {
        FORMS.get(word).copied().unwrap_or(Self::NONE)
    }

    /// The one form a verb outside the list must have by its ending.
    pub(super) fn by_ending(word: &str) -> Self {
        if word.ends_with("ing") {
            Self::GERUND
        } else if word.ends_with("ed") {
            Self::PAST
        } else if word.ends_with('s') && !word.ends_with("ss") {
            Self::THIRD
        } else {
            Self::BASE
        }
    }

    /// Both sets together.
    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of the other's forms is in the set.
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

fn third_person(base: &str) -> String {
    let hissing = ["s", "sh", "ch", "x", "z", "o"];
    match base.strip_suffix('y') {
        Some(stem) if !ends_in_vowel(stem) => format!("{stem}ies"),
        _ if hissing.iter().any(|ending| base.ends_with(ending)) => format!("{base}es"),
        _ => format!("{base}s"),
    }
}

/// What `ing` is put to. Whether a last consonant is doubled depends on the stress, which spelling
/// does not tell: both are given.
fn stems(base: &str) -> impl Iterator<Item = String> {
    let stem = if let Some(stem) = base.strip_suffix("ie") {
        format!("{stem}y")
    } else if base.ends_with("ee") || base.ends_with("ye") || base.ends_with("oe") {
        base.to_owned()
    } else {
        base.strip_suffix('e').unwrap_or(base).to_owned()
    };
    std::iter::once(stem).chain(doubled(base))
}

fn pasts(base: &str) -> impl Iterator<Item = String> {
    let past = match base.strip_suffix('y') {
        Some(stem) if !ends_in_vowel(stem) => format!("{stem}ied"),
        _ if base.ends_with('e') => format!("{base}d"),
        _ => format!("{base}ed"),
    };
    std::iter::once(past).chain(doubled(base).map(|stem| stem + "ed"))
}

/// *hop* to *hopp*: one vowel before one last consonant.
fn doubled(base: &str) -> Option<String> {
    let (stem, last) = base.split_at_checked(base.len().checked_sub(1)?)?;
    let vowels = stem.chars().rev().take_while(|&c| is_vowel(c)).count();
    (vowels == 1 && !"aeiouwxy".contains(last)).then(|| format!("{base}{last}"))
}

fn ends_in_vowel(word: &str) -> bool {
    word.chars().next_back().is_some_and(is_vowel)
}

fn is_vowel(c: char) -> bool {
    "aeiou".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_forms_follow_from_the_spelling() {
        for (word, form) in [
            ("carries", VerbForms::THIRD),
            ("splashes", VerbForms::THIRD),
            ("plays", VerbForms::THIRD),
            ("chopped", VerbForms::PAST),
            ("carried", VerbForms::PAST),
            ("sliced", VerbForms::PAST),
            ("chopping", VerbForms::GERUND),
            ("slicing", VerbForms::GERUND),
            ("tying", VerbForms::GERUND),
            ("seeing", VerbForms::GERUND),
            ("opening", VerbForms::GERUND),
        ] {
            assert_eq!(VerbForms::listed(word), form, "{word}");
        }
    }

    #[test]
    fn irregular_forms_are_listed() {
        assert_eq!(VerbForms::listed("ridden"), VerbForms::PAST);
        let cut = VerbForms::BASE.with(VerbForms::PAST);
        assert_eq!(VerbForms::listed("cut"), cut);
        assert_eq!(VerbForms::listed("rided"), VerbForms::NONE);
    }

    #[test]
    fn a_noun_has_no_form() {
        assert_eq!(VerbForms::listed("guitar"), VerbForms::NONE);
    }
}
