//! CLIP's byte-level BPE: the UTF-8 bytes of a word are merged pair by pair, the most frequent pair of
//! its training first (Radford et al., ICML 2021; Sennrich et al., ACL 2016).
//!
//! The last piece of a word ends in `</w>`. All 256 bytes are pieces, so that no text is unknown.

use ahash::AHashMap;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::{BPE, Merges};
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{Decoder, Result, SplitDelimiterBehavior, Tokenizer};

use super::clip_text::clean;
use super::vocabulary::Vocabulary;

/// What the last piece of a word ends in.
pub(super) const END_OF_WORD: &str = "</w>";

/// What is a word: letters, one digit, a row of other signs, or an English ending.
const WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// The library's tokenizer of a vocabulary and its merges, for texts that are clean.
pub(super) fn library(vocabulary: &Vocabulary, merges: Merges) -> Result<Tokenizer> {
    let pieces = (0..).zip(vocabulary.pieces());
    let ids: AHashMap<String, u32> = pieces.map(|(id, piece)| (piece.clone(), id)).collect();
    let model = BPE::builder()
        .vocab_and_merges(ids, merges)
        .end_of_word_suffix(END_OF_WORD.to_owned())
        .build()?;
    let mut library = Tokenizer::new(model);
    library.with_pre_tokenizer(Some(words()?));
    Ok(library)
}

/// Cuts a clean text into words, each of which is written by its bytes.
pub(super) fn words() -> Result<Sequence> {
    let pattern = SplitPattern::Regex(WORDS.to_owned());
    let split = Split::new(pattern, SplitDelimiterBehavior::Removed, true)?;
    Ok(Sequence::new(vec![split.into(), bytes().into()]))
}

/// Bytes as characters: those that print are themselves, the others are numbered from 256 on.
pub(super) fn bytes() -> ByteLevel {
    ByteLevel::new(false, true, false)
}

/// The ids of a text's pieces, `mask` where it says `[MASK]`.
pub(super) fn pieces(library: &Tokenizer, text: &str, mask: u32) -> Result<Vec<u32>> {
    let mut ids = Vec::new();
    for (number, part) in text.split("[MASK]").enumerate() {
        if number > 0 {
            ids.push(mask);
        }
        let part = clean(&part.replace("[SEP]", " "));
        ids.extend_from_slice(library.encode_fast(part, false)?.get_ids());
    }
    Ok(ids)
}

/// What the pieces of a word spell. Where the word was cut within a character, that is not one.
pub(super) fn spell<'p>(pieces: impl Iterator<Item = &'p str>) -> String {
    let letters = pieces.map(|piece| piece.strip_suffix(END_OF_WORD).unwrap_or(piece));
    let letters = bytes().decode_chain(vec![letters.collect()]);
    letters.unwrap_or_default().concat()
}
