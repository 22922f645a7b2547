//! Tags that came with a caption, carried over to the words of its encoding.

use super::part_of_speech::PartOfSpeech;
use super::tokenizer::{Encoding, Tokenizer};
use crate::DataError;

impl Tokenizer {
    /// Carries tags of a caption's words over to the words of its encoding; `tagged` are the
    /// caption's words, as blanks separate them, each with its tag.
    ///
    /// The tokenizer may cut such a word further (`dog.`): its parts take its tag, but for
    /// punctuation. Words of the encoding that are left over are [`PartOfSpeech::Other`].
    ///
    /// # Errors
    ///
    /// When the tokenizer's library fails on a word.
    pub fn carry_tags<'a>(
        &self,
        tagged: impl IntoIterator<Item = (&'a str, PartOfSpeech)>,
        encoding: &Encoding,
    ) -> Result<Vec<PartOfSpeech>, DataError> {
        let wanted = encoding.words.len();
        let mut tags = Vec::with_capacity(wanted);
        for (word, tag) in tagged {
            // A text of so many pieces holds no word beyond.
            let alone = self.encode(word, encoding.ids.len().max(2))?;
            let parts = self.words(&alone);
            let cut = parts.len() > 1;
            tags.extend(parts.iter().map(|part| match part {
                part if cut && !part.contains(char::is_alphanumeric) => PartOfSpeech::Punctuation,
                _ => tag,
            }));
            if tags.len() >= wanted {
                break;
            }
        }
        tags.resize(wanted, PartOfSpeech::Other);
        Ok(tags)
    }

    /// The words of an encoding, their pieces joined; unknown words are none of them.
    pub fn words(&self, encoding: &Encoding) -> Vec<String> {
        let words = encoding.words.iter();
        words
            .map(|word| self.spell(&encoding.ids[word.clone()]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 12] = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "skate", "##board", ".", "on",
        "cafe",
    ];

    fn tokenizer() -> Tokenizer {
        Tokenizer::from_vocab_lines(LINES, "vocab.txt").unwrap()
    }

    fn carried(tagged: &[(&str, &str)], len: usize) -> Vec<PartOfSpeech> {
        let tokenizer = tokenizer();
        let text: Vec<&str> = tagged.iter().map(|(word, _)| *word).collect();
        let encoding = tokenizer.encode(&text.join(" "), len).unwrap();
        let tagged = tagged
            .iter()
            .map(|(word, tag)| (*word, tag.parse().unwrap()));
        tokenizer.carry_tags(tagged, &encoding).unwrap()
    }

    #[test]
    fn words_are_spelled_from_their_pieces() {
        let tokenizer = tokenizer();
        let encoding = tokenizer.encode("A dog on a Skateboard.", 12).unwrap();

        let words = tokenizer.words(&encoding);

        assert_eq!(words, ["a", "dog", "on", "a", "skateboard", "."]);
    }

    #[test]
    fn parts_of_a_word_take_its_tag_but_for_punctuation() {
        let tags = carried(&[("Café", "PROPN"), ("dog.", "NOUN"), (".", "SYM")], 12);

        let expected = [
            PartOfSpeech::ProperNoun,
            PartOfSpeech::Noun,
            PartOfSpeech::Punctuation,
            PartOfSpeech::Symbol,
        ];
        assert_eq!(tags, expected);
    }

    #[test]
    fn unknown_words_have_no_place_and_cut_ones_no_tag() {
        let tags = carried(
            &[("zebra", "NOUN"), ("on", "ADP"), ("skateboard", "NOUN")],
            5,
        );

        // [CLS] [UNK] on skate [SEP]
        assert_eq!(tags, [PartOfSpeech::Adposition, PartOfSpeech::Noun]);
    }
}
