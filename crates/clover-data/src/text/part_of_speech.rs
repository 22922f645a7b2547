//! Universal part-of-speech tags (Petrov et al., LREC 2012), and how a tagger's tokens meet ours.

use std::fmt;
use std::str::FromStr;

/// A universal part-of-speech tag. Masking asks for nouns, verbs, auxiliaries and adverbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PartOfSpeech {
    /// `ADJ`, an adjective.
    Adjective,
    /// `ADP`, a preposition, or the particle of a phrasal verb.
    Adposition,
    /// `ADV`, an adverb.
    Adverb,
    /// `AUX`, an auxiliary.
    Auxiliary,
    /// `CCONJ`, a coordinating conjunction.
    CoordinatingConjunction,
    /// `DET`, a determiner.
    Determiner,
    /// `INTJ`, an interjection.
    Interjection,
    /// `NOUN`, a common noun.
    Noun,
    /// `NUM`, a numeral.
    Numeral,
    /// `PART`, a particle: *to* before a verb, *not*, the possessive *s*.
    Particle,
    /// `PRON`, a pronoun.
    Pronoun,
    /// `PROPN`, a proper noun.
    ProperNoun,
    /// `PUNCT`, punctuation.
    Punctuation,
    /// `SCONJ`, a subordinating conjunction.
    SubordinatingConjunction,
    /// `SYM`, a symbol.
    Symbol,
    /// `VERB`, a main verb.
    Verb,
    /// `X`, or a name that is none of the seventeen.
    Other,
}

impl PartOfSpeech {
    /// All tags with their universal names, in the order of the names.
    pub const NAMES: [(&'static str, Self); 17] = [
        ("ADJ", Self::Adjective),
        ("ADP", Self::Adposition),
        ("ADV", Self::Adverb),
        ("AUX", Self::Auxiliary),
        ("CCONJ", Self::CoordinatingConjunction),
        ("DET", Self::Determiner),
        ("INTJ", Self::Interjection),
        ("NOUN", Self::Noun),
        ("NUM", Self::Numeral),
        ("PART", Self::Particle),
        ("PRON", Self::Pronoun),
        ("PROPN", Self::ProperNoun),
        ("PUNCT", Self::Punctuation),
        ("SCONJ", Self::SubordinatingConjunction),
        ("SYM", Self::Symbol),
        ("VERB", Self::Verb),
        ("X", Self::Other),
    ];
}

impl fmt::Display for PartOfSpeech {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, tag)| tag == self);
        f.pad(name.map_or("X", |(name, _)| name))
    }
}

impl FromStr for PartOfSpeech {
    type Err = std::convert::Infallible;

    /// Any tagger's words are taken: a name that is not universal is [`PartOfSpeech::Other`].
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::NAMES.iter().find(|(known, _)| *known == name);
        Ok(known.map_or(Self::Other, |&(_, tag)| tag))
    }
}

/// A token as a part-of-speech tagger cut it, with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedToken {
    /// The token's text.
    pub text: String,
    /// The token's tag.
    pub tag: PartOfSpeech,
}

/// Gives every word a tag from a tagger that may have cut the words further.
///
/// Equal counts are taken to be aligned, as in the published code. Otherwise tagger tokens are
/// concatenated until they spell the word, which takes the tag of its **last** part. A word that
/// the remaining tokens do not spell, and every word after it, is [`PartOfSpeech::Other`].
pub fn align_tags(words: &[&str], tagged: &[TaggedToken]) -> Vec<PartOfSpeech> {
    if words.len() == tagged.len() {
        return tagged.iter().map(|token| token.tag).collect();
    }
    let mut rest = tagged.iter();
    let mut tags: Vec<PartOfSpeech> = words
        .iter()
        .map_while(|word| {
            let mut spelled = String::new();
            rest.by_ref()
                .find(|token| {
                    spelled.push_str(&token.text);
                    spelled.len() >= word.len()
                })
                .filter(|_| spelled == *word)
                .map(|token| token.tag)
        })
        .collect();
    tags.resize(words.len(), PartOfSpeech::Other);
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(tokens: &[(&str, PartOfSpeech)]) -> Vec<TaggedToken> {
        tokens
            .iter()
            .map(|&(text, tag)| TaggedToken {
                text: text.to_owned(),
                tag,
            })
            .collect()
    }

    #[test]
    fn a_split_word_takes_the_tag_of_its_last_part() {
        let tokens = tagged(&[
            ("cat", PartOfSpeech::Noun),
            ("can", PartOfSpeech::Auxiliary),
            ("not", PartOfSpeech::Other),
            ("jump", PartOfSpeech::Verb),
        ]);

        let tags = align_tags(&["cat", "cannot", "jump"], &tokens);

        let expected = [PartOfSpeech::Noun, PartOfSpeech::Other, PartOfSpeech::Verb];
        assert_eq!(tags, expected);
    }

    #[test]
    fn words_the_tagger_spells_otherwise_stay_untagged() {
        let tokens = tagged(&[("cat", PartOfSpeech::Noun), ("sat", PartOfSpeech::Verb)]);

        let tags = align_tags(&["cat", "runs", "far"], &tokens);

        let expected = [PartOfSpeech::Noun, PartOfSpeech::Other, PartOfSpeech::Other];
        assert_eq!(tags, expected);
    }

    #[test]
    fn tags_are_read_by_their_universal_names() {
        for (name, tag) in PartOfSpeech::NAMES {
            assert_eq!(name.parse(), Ok(tag));
            assert_eq!(tag.to_string(), name);
        }
        assert_eq!("NN".parse(), Ok(PartOfSpeech::Other));
    }
}
