//! A vocabulary from nothing but texts: the pair of pieces that is most frequent becomes a piece, again
//! and again (Sennrich et al., ACL 2016), in the form of either tokenizer.
//!
//! The same texts give the same vocabulary. That is why a character that begins or ends a word is another
//! *character* for the library, which numbers those in their order, and other marks as it meets them.

use std::collections::HashSet;

use serde_json::Value;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::normalizer::NormalizedString;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, Result, Trainer,
};

use super::bpe::{self, END_OF_WORD};
use super::clip_text::clean;
use super::normalization::TextNormalization;
use super::tokenizer::{Tokenizer, TokenizerKind};
use super::vocabulary::{SpecialTokens, Vocabulary};
use super::word_piece;
use crate::DataError;

/// How far a marked character lies from its own: in the planes for private use.
const MARKED: u32 = 0xf_0000;

/// Different characters of WordPiece, at most; words with rarer ones are unknown.
const ALPHABET: usize = 1_000;

/// A piece of WordPiece is there for at least so many words.
const LEAST_FREQUENT: u64 = 2;

/// The first and the last token of a text, as OpenAI named them.
const FRAME: [&str; 2] = ["<|startoftext|>", "<|endoftext|>"];

impl Tokenizer {
    /// Makes a tokenizer whose vocabulary is learned from texts: `size` pieces, or fewer where the texts
    /// are too few.
    ///
    /// # Errors
    ///
    /// When `size` is too small for single letters and special tokens, or the tokenizer's library fails.
    pub fn train<S: AsRef<str>>(
        kind: TokenizerKind,
        texts: impl IntoIterator<Item = S>,
        size: usize,
    ) -> std::result::Result<Self, DataError> {
        let (words, least) = match kind {
            TokenizerKind::WordPiece => {
                (words_of_word_piece(texts), SpecialTokens::NAMES.len() + 2)
            }
            TokenizerKind::Bpe => (words_of_bpe(texts), 2 * 256 + FRAME.len()),
        };
        if size < least {
            return Err(DataError::OutOfRange {
                key: "vocabulary size",
                value: size,
                smallest: least,
                largest: u32::MAX as usize,
            });
        }
        let words = words.map_err(DataError::Tokenizer)?;
        match kind {
            TokenizerKind::WordPiece => word_pieces(words, size),
            TokenizerKind::Bpe => byte_pairs(words, size),
        }
    }
}

fn mark(c: char) -> Option<char> {
    let code = Some(u32::from(c)).filter(|code| *code < 0x1_0000)?;
    char::from_u32(MARKED + code)
}

/// The character itself, and whether it was marked.
fn unmarked(c: char) -> (char, bool) {
    let own = u32::from(c).checked_sub(MARKED).and_then(char::from_u32);
    own.map_or((c, false), |own| (own, true))
}

/// Words in which all characters but the first are marked; one of rare signs is left out.
fn words_of_word_piece<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Vec<String>> {
    let normalizer = word_piece::normalizer(TextNormalization::default());
    words(texts, &BertPreTokenizer, |text| {
        let mut text = NormalizedString::from(text);
        normalizer.normalize(&mut text)?;
        Ok(text.get().to_owned())
    })
    .map(|words| {
        let word = |word: String| {
            let mut characters = word.chars();
            let first = characters.next().filter(|first| u32::from(*first) < MARKED);
            first
                .into_iter()
                .map(Some)
                .chain(characters.map(mark))
                .collect()
        };
        words.into_iter().filter_map(word).collect()
    })
}

/// Words by their bytes, the last of which is marked.
fn words_of_bpe<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Vec<String>> {
    let words = words(texts, &bpe::words()?, |text| Ok(clean(text)))?;
    let word = |mut word: String| {
        let last = word.pop().and_then(mark)?;
        word.push(last);
        Some(word)
    };
    Ok(words.into_iter().filter_map(word).collect())
}

fn words<S: AsRef<str>>(
    texts: impl IntoIterator<Item = S>,
    cut: &impl PreTokenizer,
    written: impl Fn(&str) -> Result<String>,
) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for text in texts {
        let mut text = PreTokenizedString::from(written(text.as_ref())?);
        cut.pre_tokenize(&mut text)?;
        let words = text.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
        all.extend(words.into_iter().map(|(word, _, _)| word.to_owned()));
    }
    Ok(all)
}

/// Merges the most frequent pairs of marked words until there are so many pieces.
fn trained(trainer: &mut BpeTrainer, words: Vec<String>) -> Result<BPE> {
    trainer.feed(words.into_iter(), |word| Ok(vec![word.to_owned()]))?;
    let mut model = BPE::default();
    trainer.train(&mut model)?;
    Ok(model)
}

fn word_pieces(words: Vec<String>, size: usize) -> std::result::Result<Tokenizer, DataError> {
    let room = size - SpecialTokens::NAMES.len();
    let mut trainer = BpeTrainer::builder()
        .vocab_size(room)
        .limit_alphabet(ALPHABET.min(room))
        .min_frequency(LEAST_FREQUENT)
        .show_progress(false)
        .build();
    let model = trained(&mut trainer, words).map_err(DataError::Tokenizer)?;
    let mut pieces: Vec<(u32, String)> = model
        .get_vocab()
        .into_iter()
        .map(|(piece, id)| (id, of_word_piece(&piece)))
        .collect();
    pieces.sort_unstable();
    let special = SpecialTokens::NAMES.iter().copied();
    let lines = special.chain(pieces.iter().map(|(_, piece)| piece.as_str()));
    Tokenizer::from_vocab_lines(lines, "the trained vocabulary")
}

/// `##` before a piece that begins within a word.
fn of_word_piece(piece: &str) -> String {
    let within = piece.chars().next().is_some_and(|first| unmarked(first).1);
    let letters = piece.chars().map(|c| unmarked(c).0);
    let before = if within { "##" } else { "" };
    before.chars().chain(letters).collect()
}

fn byte_pairs(words: Vec<String>, size: usize) -> std::result::Result<Tokenizer, DataError> {
    let alphabet = tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet();
    let mut alphabet: Vec<char> = alphabet.into_iter().collect();
    alphabet.sort_unstable();
    let ends = alphabet.iter().copied().filter_map(mark);
    let all: HashSet<char> = alphabet.iter().copied().chain(ends).collect();
    let mut trainer = BpeTrainer::builder()
        .vocab_size(size - FRAME.len())
        .initial_alphabet(all)
        .show_progress(false)
        .build();
    let model = trained(&mut trainer, words);
    let merges = model.and_then(|model| merges_of(&model));
    let merges = merges.map_err(DataError::Tokenizer)?;

    let letters = alphabet.iter().map(char::to_string);
    let ends = alphabet
        .iter()
        .map(|letter| format!("{letter}{END_OF_WORD}"));
    let made = merges
        .iter()
        .map(|(first, second)| format!("{first}{second}"));
    let mut known = HashSet::new();
    let pieces: Vec<String> = letters
        .chain(ends)
        .chain(made)
        // Two pairs may make the same piece.
        .filter(|piece| known.insert(piece.clone()))
        .chain(FRAME.map(str::to_owned))
        .collect();
    let count = pieces.len() as u32;
    let [first, last] = [count - 2, count - 1];
    let special = SpecialTokens {
        pad: 0,
        unknown: last,
        cls: first,
        sep: last,
        mask: count,
    };
    Tokenizer::bpe(Vocabulary::new(pieces, special, vec![first, last]), merges)
}

/// The pairs in the order they were merged; the library tells them only as it writes them.
fn merges_of(model: &BPE) -> Result<Vec<(String, String)>> {
    let written = serde_json::to_value(model)?;
    let merges = written["merges"].as_array().into_iter().flatten();
    let piece = |value: &Value| Some(of_bpe(value.as_str()?));
    Ok(merges
        .filter_map(|pair| Some((piece(&pair[0])?, piece(&pair[1])?)))
        .collect())
}

/// `</w>` behind a piece that ends a word.
fn of_bpe(piece: &str) -> String {
    let ends = piece
        .chars()
        .next_back()
        .is_some_and(|last| unmarked(last).1);
    let letters: String = piece.chars().map(|c| unmarked(c).0).collect();
    letters + if ends { END_OF_WORD } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 4] = [
        "A man rides a skateboard on the street.",
        "two men are riding skateboards &amp; bikes, 日本 🎬",
        "the man is riding a bike; the street is wet",
        "skating on the street",
    ];

    fn all() -> impl Iterator<Item = &'static str> {
        TEXTS.into_iter().cycle().take(12)
    }

    #[test]
    fn frequent_words_are_pieces_and_others_are_cut() {
        for (kind, size) in [(TokenizerKind::WordPiece, 100), (TokenizerKind::Bpe, 560)] {
            let tokenizer = Tokenizer::train(kind, all(), size).unwrap();

            assert_eq!(tokenizer.kind(), kind);
            assert_eq!(tokenizer.vocabulary().len(), size);
            let the = tokenizer.encode("The", 4).unwrap();
            assert_eq!(the.attention_mask, [1, 1, 1, 0], "{kind:?}");
            let text = "the man rides skateboarding";
            let encoding = tokenizer.encode(text, 60).unwrap();
            assert_eq!(tokenizer.words(&encoding).join(" "), text, "{kind:?}");
            assert!(encoding.words[3].len() > 1, "{kind:?}");
        }
    }

    #[test]
    fn the_same_texts_give_the_same_vocabulary() {
        for (kind, size) in [(TokenizerKind::WordPiece, 120), (TokenizerKind::Bpe, 640)] {
            let train = || Tokenizer::train(kind, all(), size).unwrap();
            let first = train();

            for _ in 0..3 {
                let again = train();
                assert_eq!(first.vocabulary(), again.vocabulary());
                assert_eq!(first.files().unwrap(), again.files().unwrap());
            }
        }
    }

    #[test]
    fn byte_pairs_write_every_text_and_come_back_from_their_file() {
        let tokenizer = Tokenizer::train(TokenizerKind::Bpe, all(), 600).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in tokenizer.files().unwrap() {
            std::fs::write(folder.path().join(name), text).unwrap();
        }

        let read = Tokenizer::read(folder.path()).unwrap();

        assert_eq!(read.vocabulary(), tokenizer.vocabulary());
        let text = "emoji 👍🏽 مرحبا ünïcödé 12 ½";
        let encoding = read.encode(text, 80).unwrap();
        assert_eq!(encoding, tokenizer.encode(text, 80).unwrap());
        let words = ["emoji", "👍🏽", "مرحبا", "ünïcödé", "1", "2", "½"];
        assert_eq!(read.words(&encoding), words);
    }

    #[test]
    fn no_text_gives_a_vocabulary_of_letters_and_too_small_a_one_is_refused() {
        let none: [&str; 0] = [];
        let letters = Tokenizer::train(TokenizerKind::Bpe, none, 2_000).unwrap();
        assert_eq!(letters.vocabulary().len(), 514);

        let error = Tokenizer::train(TokenizerKind::Bpe, none, 500).unwrap_err();
        assert!(
            error.to_string().contains("vocabulary size is 500"),
            "{error}"
        );
    }
}
