//! A vocabulary from nothing but texts: the pair of pieces that is most frequent becomes a piece, again
//! and again (Sennrich et al., ACL 2016), in the form of either tokenizer.
//!
//! The same texts give the same vocabulary. That is why a character that begins or ends a word is another
//! *character* for the library, which numbers those in their order, and other marks as it meets them.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::normalizer::NormalizedString;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, Result,
};

use super::bpe::{self, END_OF_WORD};
use super::clip_text::clean;
use super::normalization::TextNormalization;
use super::tokenizer::{Tokenizer, TokenizerKind};
use super::vocabulary::{SpecialTokens, Vocabulary};
use super::word_piece;
use crate::DataError;

/// How far a marked character lies from its own: in the two planes for private use.
const MARKED: u32 = 0xf_0000;

/// The characters that can be marked: those of the first two planes, with all letters and emoji.
const MARKABLE: u32 = 0x2_0000;

/// A pair that occurs less often is never merged.
const LEAST_FREQUENT: u64 = 2;

/// The first and the last token of a text, as OpenAI named them.
const FRAME: [&str; 2] = ["<|startoftext|>", "<|endoftext|>"];

/// How often each word occurs, spelled as the library is to see it.
type Words = HashMap<String, u64>;

impl Tokenizer {
    /// Makes a tokenizer whose vocabulary is learned from texts: `size` pieces at most, fewer where the
    /// texts are few, and more only where they have so many different characters.
    ///
    /// The pieces of WordPiece are the special tokens in BERT's order, every character of the texts, to begin
    /// a word and within one, and the longer pieces that the texts are cut into. The texts are read once, and
    /// their order changes nothing.
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
    let code = Some(u32::from(c)).filter(|code| *code < MARKABLE)?;
    char::from_u32(MARKED + code)
}

/// The character itself, and whether it was marked.
fn unmarked(c: char) -> (char, bool) {
    let own = u32::from(c).checked_sub(MARKED).and_then(char::from_u32);
    own.map_or((c, false), |own| (own, true))
}

/// Words in which all characters but the first are marked; one of rare signs is left out.
fn words_of_word_piece<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Words> {
    let word = |word: &str| {
        let mut characters = word.chars();
        let first = characters
            .next()
            .filter(|first| u32::from(*first) < MARKED)?;
        let rest: Option<String> = characters.map(mark).collect();
        Some(String::from(first) + &rest?)
    };
    counted(texts, &BertPreTokenizer, normalized, word)
}

/// A text as WordPiece writes it.
fn normalized(text: &str) -> Result<String> {
    let mut text = NormalizedString::from(text);
    word_piece::normalizer(TextNormalization::default()).normalize(&mut text)?;
    Ok(text.get().to_owned())
}

/// Words by their bytes, the last of which is marked.
fn words_of_bpe<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Words> {
    let word = |word: &str| {
        let mut word = word.to_owned();
        let last = word.pop().and_then(mark)?;
        word.push(last);
        Some(word)
    };
    counted(texts, &bpe::words()?, |text| Ok(clean(text)), word)
}

/// The words of texts, which are written in one way, cut, and spelled in another.
fn counted<S: AsRef<str>>(
    texts: impl IntoIterator<Item = S>,
    cut: &impl PreTokenizer,
    written: impl Fn(&str) -> Result<String>,
    spelled: impl Fn(&str) -> Option<String>,
) -> Result<Words> {
    let mut words = Words::new();
    for text in texts {
        let mut text = PreTokenizedString::from(written(text.as_ref())?);
        cut.pre_tokenize(&mut text)?;
        let all = text.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
        for word in all.iter().filter_map(|(word, ..)| spelled(word)) {
            *words.entry(word).or_default() += 1;
        }
    }
    Ok(words)
}

/// Merges the most frequent pairs of marked words until there are so many pieces.
fn trained(trainer: &BpeTrainer, words: Words) -> Result<BPE> {
    let words = words.into_iter();
    let words = words.map(|(word, count)| (word.into(), count)).collect();
    let mut model = BPE::default();
    trainer.do_train(&words, &mut model)?;
    Ok(model)
}

fn word_pieces(words: Words, size: usize) -> std::result::Result<Tokenizer, DataError> {
    let letters = alphabet(&words).map_err(DataError::Tokenizer)?;
    let spellings: Vec<String> = words.keys().map(|word| own_letters(word)).collect();
    let trainer = BpeTrainer::builder()
        .vocab_size(size - SpecialTokens::NAMES.len())
        .initial_alphabet(letters)
        .min_frequency(LEAST_FREQUENT)
        .show_progress(false)
        .build();
    let model = trained(&trainer, words).map_err(DataError::Tokenizer)?;
    let mut pieces: Vec<(u32, String)> = model
        .get_vocab()
        .into_iter()
        .map(|(piece, id)| (id, piece))
        .collect();
    pieces.sort_unstable();
    // A character is its own piece, whether texts are cut into it or not.
    let (letters, longer): (Vec<_>, Vec<_>) = pieces
        .into_iter()
        .map(|(_, piece)| (piece.chars().nth(1).is_none(), of_word_piece(&piece)))
        .partition(|(is_letter, _)| *is_letter);
    let tokenizer = |longer: &[(bool, String)]| {
        let pieces = letters
            .iter()
            .chain(longer)
            .map(|(_, piece)| piece.as_str());
        let special = SpecialTokens::NAMES.iter().copied();
        Tokenizer::from_vocab_lines(special.chain(pieces), "the trained vocabulary")
    };
    let all = tokenizer(&longer)?;
    let mut used = HashSet::new();
    for word in spellings {
        let pieces = word_piece::pieces(&all.library, &word).map_err(DataError::Tokenizer)?;
        used.extend(pieces);
    }
    // Half of what was merged is only on the way to longer pieces: no text would ever teach it anything.
    let first = (SpecialTokens::NAMES.len() + letters.len()) as u32;
    let longer = (first..).zip(longer).filter(|(id, _)| used.contains(id));
    let longer: Vec<_> = longer.map(|(_, piece)| piece).collect();
    tokenizer(&longer)
}

/// Every character of some words as it begins a word, and marked where it can also stand within one.
fn alphabet(words: &Words) -> Result<HashSet<char>> {
    let letters = words.keys().flat_map(|word| word.chars());
    let letters: BTreeSet<char> = letters.map(|letter| unmarked(letter).0).collect();
    let mut all = HashSet::new();
    for letter in letters {
        all.insert(letter);
        // Punctuation and Chinese characters are words of their own wherever they stand.
        let behind_another = counted(
            [format!("a{letter}")],
            &BertPreTokenizer,
            normalized,
            |word| Some(word.to_owned()),
        )?;
        if behind_another.len() == 1 {
            all.extend(mark(letter));
        }
    }
    Ok(all)
}

/// Without marks.
fn own_letters(piece: &str) -> String {
    piece.chars().map(|letter| unmarked(letter).0).collect()
}

/// `##` before a piece that begins within a word.
fn of_word_piece(piece: &str) -> String {
    let within = piece.chars().next().is_some_and(|first| unmarked(first).1);
    let before = if within { "##" } else { "" };
    before.to_owned() + &own_letters(piece)
}

fn byte_pairs(words: Words, size: usize) -> std::result::Result<Tokenizer, DataError> {
    let alphabet = tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet();
    let mut alphabet: Vec<char> = alphabet.into_iter().collect();
    alphabet.sort_unstable();
    let ends = alphabet.iter().copied().filter_map(mark);
    let all: HashSet<char> = alphabet.iter().copied().chain(ends).collect();
    let trainer = BpeTrainer::builder()
        .vocab_size(size - FRAME.len())
        .initial_alphabet(all)
        .min_frequency(LEAST_FREQUENT)
        .show_progress(false)
        .build();
    let model = trained(&trainer, words);
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
    own_letters(piece) + if ends { END_OF_WORD } else { "" }
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
        for (kind, size) in [(TokenizerKind::WordPiece, 70), (TokenizerKind::Bpe, 550)] {
            let tokenizer = Tokenizer::train(kind, all(), size).unwrap();

            assert_eq!(tokenizer.kind(), kind);
            let pieces = tokenizer.vocabulary().len();
            // What no text is cut into has gone.
            assert!(pieces <= size && pieces > size - 20, "{kind:?}: {pieces}");
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
    fn the_order_of_many_texts_and_of_those_that_tie_changes_nothing() {
        let gold = include_str!("../../gold/training.txt");
        let mut lines: Vec<&str> = gold.lines().collect();
        let train = |lines: &[&str]| {
            let kind = TokenizerKind::WordPiece;
            Tokenizer::train(kind, lines, 30_522).unwrap()
        };
        let first = train(&lines);

        lines.reverse();
        let again = train(&lines);

        assert_eq!(first.vocabulary(), again.vocabulary());
        assert_eq!(first.vocabulary().pieces()[..5], SpecialTokens::NAMES);
        // Of each line the longest pieces there are; nearly all are of some use.
        let ids = lines
            .iter()
            .map(|line| first.encode(line, 200).unwrap().ids);
        let used: HashSet<u32> = ids.flatten().collect();
        let pieces = first.vocabulary().len();
        assert!(used.len() * 10 > pieces * 8, "{} of {pieces}", used.len());
    }

    #[test]
    fn every_character_of_the_texts_is_there_to_begin_a_word_and_within_one() {
        let texts = ["naïve 日本 🎬take, x1"];
        let tokenizer = Tokenizer::train(TokenizerKind::WordPiece, texts, 10).unwrap();
        let unknown = tokenizer.special().unknown;

        let of_other_texts = "xenia1 ekat🎬🎬 本日 1x ,naive";
        let encoding = tokenizer.encode(of_other_texts, 60).unwrap();

        assert!(!encoding.ids.contains(&unknown), "{encoding:?}");
        let pieces = tokenizer.vocabulary().pieces();
        for alone in ["##,", "##日"] {
            assert!(!pieces.iter().any(|piece| piece == alone), "{alone}");
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
