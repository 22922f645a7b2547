//! Universal part-of-speech tags (Petrov et al., LREC 2012), and how a tagger's tokens meet ours.

use std::str::FromStr;

/// A universal part-of-speech tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartOfSpeech {
    /// `NOUN`, a common noun.
    Noun,
    /// `PROPN`, a proper noun.
    ProperNoun,
    /// `VERB`, a main verb.
    Verb,
    /// `AUX`, an auxiliary.
    Auxiliary,
    /// `ADV`, an adverb.
    Adverb,
    /// Every other tag: masking asks for none of them.
    Other,
}

/// A token as a part-of-speech tagger cut it, with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedToken {
    /// The token's text.
    pub text: String,
    /// The token's tag.
    pub tag: PartOfSpeech,
}

impl FromStr for PartOfSpeech {
    type Err = std::convert::Infallible;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(match name {
            "NOUN" => Self::Noun,
            "PROPN" => Self::ProperNoun,
            "VERB" => Self::Verb,
            "AUX" => Self::Auxiliary,
            "ADV" => Self::Adverb,
            _ => Self::Other,
        })
    }
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
        assert_eq!("PROPN".parse(), Ok(PartOfSpeech::ProperNoun));
        assert_eq!("DET".parse(), Ok(PartOfSpeech::Other));
    }
}
