//! A WordPiece vocabulary for the words of the captions.

use std::collections::BTreeSet;

use super::caption::caption_words;
use crate::text::SpecialTokens;

/// Characters that stand for themselves, so that an unknown word is spelled and not lost.
const PUNCTUATION: &str = ".,!?'\"-:;()";

/// The lines of the vocabulary file: special tokens, the captions' words, then single characters
/// and their continuations.
pub fn vocabulary() -> Vec<String> {
    vocabulary_of(&caption_words().collect())
}

/// The lines of the vocabulary file for these words.
pub(super) fn vocabulary_of(words: &BTreeSet<&str>) -> Vec<String> {
    let characters = || ('a'..='z').chain('0'..='9');

    let mut lines: Vec<String> = SpecialTokens::NAMES.map(str::to_owned).to_vec();
    lines.extend(words.iter().map(|&word| word.to_owned()));
    lines.extend(
        characters()
            .map(String::from)
            .filter(|letter| !words.contains(letter.as_str())),
    );
    lines.extend(characters().map(|character| format!("##{character}")));
    lines.extend(PUNCTUATION.chars().map(String::from));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::WordPieceTokenizer;

    fn tokenizer() -> WordPieceTokenizer {
        let lines = vocabulary();
        WordPieceTokenizer::from_vocab_lines(lines.iter().map(String::as_str), "vocab.txt").unwrap()
    }

    #[test]
    fn every_word_of_a_caption_is_one_piece() {
        let encoding = tokenizer()
            .encode("a tiny turquoise rhombus glides upwards", 10)
            .unwrap();

        let lengths: Vec<_> = encoding.words.iter().map(ExactSizeIterator::len).collect();
        assert_eq!(lengths, [1; 6]);
    }

    #[test]
    fn an_unknown_word_is_spelled() {
        let tokenizer = tokenizer();

        let encoding = tokenizer.encode("zebra", 10).unwrap();

        assert_eq!(encoding.words, vec![1..6]);
        assert!(!encoding.ids.contains(&tokenizer.special().unknown));
    }
}
