//! A word among its neighbours: those before it are tagged, those after it only guessed.

use super::verb_forms::VerbForms;
use super::{Word, auxiliary, closed_class, verb_or_noun};
use crate::text::PartOfSpeech;

/// One place of a sentence that is being tagged from left to right.
pub(super) struct Context<'a> {
    words: &'a [Word<'a>],
    tags: &'a [PartOfSpeech],
    at: usize,
}

impl<'a> Context<'a> {
    pub(super) fn new(words: &'a [Word<'a>], tags: &'a [PartOfSpeech], at: usize) -> Self {
        Self { words, tags, at }
    }

    /// The tag of the word here.
    pub(super) fn tag(&self) -> PartOfSpeech {
        if let Some(tag) = auxiliary::tag(self).or_else(|| closed_class::tag(self)) {
            return tag;
        }
        let tag = match self.is_verb_form(0) {
            true => verb_or_noun::tag(self),
            false => self.tags[self.at],
        };
        match tag {
            PartOfSpeech::ProperNoun if self.names_a_kind() => PartOfSpeech::Noun,
            tag => tag,
        }
    }

    /// Whether what is spelled like a name cannot be one: *a tablet*, *the pond*. Captions have
    /// lost the capitals that the trained tagger learned names by.
    fn names_a_kind(&self) -> bool {
        match self.tag_at(-1) {
            Some(PartOfSpeech::Determiner) if self.word_at(-1) == Some("the") => {
                !self.is(1, PartOfSpeech::ProperNoun)
            }
            Some(PartOfSpeech::Determiner | PartOfSpeech::Adjective | PartOfSpeech::Numeral) => {
                true
            }
            _ => self.word_at(-1).is_some_and(is_possessive),
        }
    }

    /// Whether the word at that offset may be a verb.
    pub(super) fn is_verb_form(&self, offset: isize) -> bool {
        self.forms_at(offset) != VerbForms::NONE
    }

    /// The word here.
    pub(super) fn word(&self) -> &'a str {
        self.words[self.at].text
    }

    /// The trained tagger's answer for the word here.
    pub(super) fn trained(&self) -> Option<PartOfSpeech> {
        self.words[self.at].trained
    }

    /// Whether the word here is known as a verb, not only spelled like one.
    pub(super) fn is_listed_verb(&self) -> bool {
        self.words[self.at].listed
    }

    /// The word so many places to the right, or to the left for a negative number.
    pub(super) fn word_at(&self, offset: isize) -> Option<&'a str> {
        self.index(offset).map(|at| self.words[at].text)
    }

    /// The tag at that offset; on the right a guess.
    pub(super) fn tag_at(&self, offset: isize) -> Option<PartOfSpeech> {
        self.index(offset).map(|at| self.tags[at])
    }

    /// The verb forms the word at that offset may be.
    pub(super) fn forms_at(&self, offset: isize) -> VerbForms {
        self.index(offset)
            .map_or(VerbForms::NONE, |at| self.words[at].forms)
    }

    /// Whether the word at that offset has that tag.
    pub(super) fn is(&self, offset: isize, tag: PartOfSpeech) -> bool {
        self.tag_at(offset) == Some(tag)
    }

    /// Whether the word at that offset is a noun or a name.
    pub(super) fn is_noun(&self, offset: isize) -> bool {
        self.is(offset, PartOfSpeech::Noun) || self.is(offset, PartOfSpeech::ProperNoun)
    }

    /// Whether a noun group begins at that offset: *the*, *her*, *three*, or a participle or
    /// adjective with a noun behind it.
    pub(super) fn is_noun_group(&self, offset: isize) -> bool {
        self.opens_noun_group(offset)
            || self.is_noun(offset + 1)
                && (self.is(offset, PartOfSpeech::Adjective) || self.is_noun(offset))
    }

    /// Whether the word at that offset is a determiner, a number or a possessive.
    pub(super) fn opens_noun_group(&self, offset: isize) -> bool {
        self.is(offset, PartOfSpeech::Determiner)
            || self.is(offset, PartOfSpeech::Numeral)
            || self.word_at(offset).is_some_and(is_possessive)
    }

    /// The first offset to the left that holds neither an adverb nor *not*.
    pub(super) fn left_past_adverbs(&self) -> isize {
        let mut left = -1;
        while self.is(left, PartOfSpeech::Adverb) || self.word_at(left) == Some("not") {
            left -= 1;
        }
        left
    }

    /// Whether a verb of that form stands anywhere to the left.
    pub(super) fn has_earlier(&self, form: VerbForms) -> bool {
        (0..self.at).any(|at| self.tags[at] == PartOfSpeech::Verb && self.words[at].forms.has(form))
    }

    /// Whether the clause up to here has its finite verb already.
    pub(super) fn has_finite_verb(&self) -> bool {
        for at in (0..self.at).rev() {
            match self.tags[at] {
                PartOfSpeech::SubordinatingConjunction
                | PartOfSpeech::CoordinatingConjunction
                | PartOfSpeech::Punctuation => return false,
                PartOfSpeech::Auxiliary => return true,
                PartOfSpeech::Verb if !self.words[at].forms.has(VerbForms::GERUND) => return true,
                _ if matches!(self.words[at].text, "who" | "which" | "that") => return false,
                _ => {}
            }
        }
        false
    }

    /// Whether the clause up to here has a noun or pronoun for which `is_subject` holds.
    pub(super) fn clause_has(&self, is_subject: fn(&str) -> bool) -> bool {
        let clause = self.tags[..self.at].iter().rposition(|tag| {
            matches!(
                tag,
                PartOfSpeech::SubordinatingConjunction
                    | PartOfSpeech::CoordinatingConjunction
                    | PartOfSpeech::Punctuation
            )
        });
        let words = &self.words[clause.map_or(0, |at| at + 1)..self.at];
        words.iter().any(|word| is_subject(word.text))
    }

    /// Whether the noun group that ends at `offset` begins with a determiner or the like.
    pub(super) fn noun_group_is_opened(&self, offset: isize) -> bool {
        let mut left = offset;
        while self.is_noun(left) || self.is(left, PartOfSpeech::Adjective) {
            left -= 1;
        }
        self.opens_noun_group(left)
    }

    /// Whether the noun group that ends at `offset` is the second of *a man and a woman*.
    pub(super) fn noun_group_is_joined(&self, offset: isize) -> bool {
        let mut left = offset;
        while self.is_noun(left) || self.is(left, PartOfSpeech::Adjective) {
            left -= 1;
        }
        let left = if self.opens_noun_group(left) {
            left - 1
        } else {
            left
        };
        self.word_at(left) == Some("and") && self.is_noun(left - 1)
    }

    fn index(&self, offset: isize) -> Option<usize> {
        let at = self.at.checked_add_signed(offset)?;
        (at < self.words.len()).then_some(at)
    }
}

/// *my*, *her* and the like.
pub(super) fn is_possessive(word: &str) -> bool {
    matches!(
        word,
        "my" | "your" | "his" | "her" | "its" | "our" | "their" | "whose"
    )
}
