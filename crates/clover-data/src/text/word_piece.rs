//! WordPiece (Devlin et al., "BERT", NAACL 2019), in small letters unless its files say otherwise.

use ahash::AHashMap;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::bert::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, Result, Tokenizer};

use super::normalization::TextNormalization;
use super::vocabulary::{SpecialTokens, Vocabulary};

/// A word with more characters becomes `[UNK]`, as in BERT.
const MAX_WORD_CHARS: usize = 100;

/// The library's tokenizer of a vocabulary.
pub(super) fn library(
    vocabulary: &Vocabulary,
    normalization: TextNormalization,
) -> Result<Tokenizer> {
    let ids: AHashMap<String, u32> = (0..)
        .zip(vocabulary.pieces())
        .filter(|(_, piece)| !piece.is_empty())
        .map(|(id, piece)| (piece.clone(), id))
        .collect();
    let model = WordPiece::builder()
        .vocab(ids)
        .unk_token("[UNK]".to_owned())
        .max_input_chars_per_word(MAX_WORD_CHARS)
        .build()?;
    let mut library = Tokenizer::new(model);
    library
        .with_normalizer(Some(normalizer(normalization)))?
        .with_pre_tokenizer(Some(BertPreTokenizer));
    // Registered as special, "[MASK]" inside a sentence is one token and keeps its capitals.
    library.add_special_tokens(SpecialTokens::NAMES.map(|name| AddedToken::from(name, true)))?;
    Ok(library)
}

/// How a text is written before it is cut.
pub(super) fn normalizer(normalization: TextNormalization) -> BertNormalizer {
    BertNormalizer::new(
        true,
        normalization.tokenize_chinese_chars,
        Some(normalization.strips_accents()),
        normalization.do_lower_case,
    )
}

/// The ids of a text's pieces.
pub(super) fn pieces(library: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    Ok(library.encode_fast(text, false)?.get_ids().to_vec())
}
