//! WordPiece (Devlin et al., "BERT", NAACL 2019), in small letters unless its files say otherwise.

use std::ops::Range;
use std::path::{Path, PathBuf};

use ahash::AHashMap;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::bert::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, Tokenizer};

use super::normalization::TextNormalization;
use super::vocabulary::{SpecialTokens, Vocabulary};
use super::word_groups::word_groups;
use crate::DataError;

/// A word with more characters becomes `[UNK]`, as in BERT.
const MAX_WORD_CHARS: usize = 100;

/// Turns sentences into rows of token ids.
#[derive(Debug, Clone)]
pub struct WordPieceTokenizer {
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    normalization: TextNormalization,
}

/// One sentence as a row of token ids of fixed length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding {
    /// `[CLS]`, the pieces, `[SEP]`, then `[PAD]` up to the length asked for.
    pub ids: Vec<u32>,
    /// 1 for a token, 0 for padding.
    pub attention_mask: Vec<u8>,
    /// The positions of each word; special tokens belong to none.
    pub words: Vec<Range<usize>>,
}

impl WordPieceTokenizer {
    /// Reads the vocabulary file (one piece a line) and builds the tokenizer; what stands beside it
    /// tells whether capitals are kept ([`TextNormalization::beside`]).
    ///
    /// # Errors
    ///
    /// When a file is unreadable, or the vocabulary repeats a piece or lacks one of `[PAD] [UNK]
    /// [CLS] [SEP] [MASK]` under exactly that name.
    pub fn from_vocab_file(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let vocabulary = Vocabulary::from_file(path)?;
        Self::new(vocabulary, TextNormalization::beside(path)?)
    }

    /// Builds the tokenizer from the lines of a vocabulary; `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// As [`from_vocab_file`](Self::from_vocab_file).
    pub fn from_vocab_lines<'a>(
        lines: impl IntoIterator<Item = &'a str>,
        path: impl Into<PathBuf>,
    ) -> Result<Self, DataError> {
        let vocabulary = Vocabulary::from_lines(lines, path)?;
        Self::new(vocabulary, TextNormalization::default())
    }

    /// Builds the tokenizer of a vocabulary.
    ///
    /// # Errors
    ///
    /// When the tokenizer's library refuses the vocabulary.
    pub fn new(
        vocabulary: Vocabulary,
        normalization: TextNormalization,
    ) -> Result<Self, DataError> {
        let ids: AHashMap<String, u32> = vocabulary
            .pieces()
            .iter()
            .enumerate()
            .filter(|(_, piece)| !piece.is_empty())
            .map(|(id, piece)| (piece.clone(), id as u32))
            .collect();
        let model = WordPiece::builder()
            .vocab(ids)
            .unk_token("[UNK]".to_owned())
            .max_input_chars_per_word(MAX_WORD_CHARS)
            .build()
            .map_err(DataError::Tokenizer)?;
        let mut tokenizer = Tokenizer::new(model);
        tokenizer
            .with_normalizer(Some(BertNormalizer::new(
                true,
                normalization.tokenize_chinese_chars,
                Some(normalization.strips_accents()),
                normalization.do_lower_case,
            )))
            .map_err(DataError::Tokenizer)?
            .with_pre_tokenizer(Some(BertPreTokenizer));
        // Registered as special, "[MASK]" inside a sentence is one token and keeps its capitals.
        tokenizer
            .add_special_tokens(SpecialTokens::NAMES.map(|name| AddedToken::from(name, true)))
            .map_err(DataError::Tokenizer)?;
        Ok(Self {
            tokenizer,
            vocabulary,
            normalization,
        })
    }

    /// Encodes `text` into exactly `max_len` ids; what does not fit is cut from the end of the text.
    ///
    /// # Errors
    ///
    /// When the tokenizer's library fails on the text.
    ///
    /// # Panics
    ///
    /// Panics if `max_len` is below 2: a row holds at least `[CLS]` and `[SEP]`.
    pub fn encode(&self, text: &str, max_len: usize) -> Result<Encoding, DataError> {
        assert!(
            max_len >= 2,
            "tokenizer: a row holds at least [CLS] and [SEP]"
        );
        let special = self.vocabulary.special();
        let pieces = self.pieces(text)?;
        let pieces = pieces.get_ids();
        let kept = &pieces[..pieces.len().min(max_len - 2)];

        let mut ids = Vec::with_capacity(max_len);
        ids.push(special.cls);
        ids.extend_from_slice(kept);
        ids.push(special.sep);
        let used = ids.len();
        ids.resize(max_len, special.pad);

        let words = word_groups(ids.iter().map(|&id| self.ordinary_piece(id)));
        let attention_mask = (0..max_len).map(|at| u8::from(at < used)).collect();
        Ok(Encoding {
            ids,
            attention_mask,
            words,
        })
    }

    /// How long a row must be for nothing of `text` to be cut.
    ///
    /// # Errors
    ///
    /// When the tokenizer's library fails on the text.
    pub fn full_len(&self, text: &str) -> Result<usize, DataError> {
        // `[CLS]` and `[SEP]` stand around it.
        Ok(self.pieces(text)?.len() + 2)
    }

    fn pieces(&self, text: &str) -> Result<tokenizers::Encoding, DataError> {
        self.tokenizer
            .encode_fast(text, false)
            .map_err(DataError::Tokenizer)
    }

    /// The vocabulary behind the ids.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// How texts are written before they are cut.
    pub fn normalization(&self) -> TextNormalization {
        self.normalization
    }

    /// The ids of the special tokens.
    pub fn special(&self) -> SpecialTokens {
        self.vocabulary.special()
    }

    fn ordinary_piece(&self, id: u32) -> Option<&str> {
        if self.special().contains(id) {
            return None;
        }
        self.vocabulary
            .pieces()
            .get(id as usize)
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 14] = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "man", "skate", "##board", "cafe", "?",
        "is", "un", "##known",
    ];

    fn tokenizer() -> WordPieceTokenizer {
        WordPieceTokenizer::from_vocab_lines(LINES, "vocab.txt").unwrap()
    }

    #[test]
    fn a_sentence_is_framed_and_padded() {
        let encoding = tokenizer().encode("A man  skateboard?", 9).unwrap();

        assert_eq!(encoding.ids, [2, 5, 6, 7, 8, 10, 3, 0, 0]);
        assert_eq!(encoding.attention_mask, [1, 1, 1, 1, 1, 1, 1, 0, 0]);
        assert_eq!(encoding.words, vec![1..2, 2..3, 3..5, 5..6]);
    }

    #[test]
    fn accents_and_capitals_are_dropped() {
        let encoding = tokenizer().encode("CAFÉ", 3).unwrap();

        assert_eq!(encoding.ids, [2, 9, 3]);
    }

    #[test]
    fn accents_and_capitals_stay_where_the_files_beside_say_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vocab.txt");
        std::fs::write(&path, format!("{}\nMan\nCAFÉ\n", LINES.join("\n"))).unwrap();
        let config = r#"{"do_lower_case": false}"#;
        std::fs::write(folder.path().join(TextNormalization::FILE), config).unwrap();

        let encoding = WordPieceTokenizer::from_vocab_file(path)
            .unwrap()
            .encode("man Man A CAFÉ", 6)
            .unwrap();

        assert_eq!(encoding.ids, [2, 6, 14, 1, 15, 3]);
    }

    #[test]
    fn truncation_keeps_both_ends_of_the_frame() {
        let encoding = tokenizer().encode("a man is a man is a man", 5).unwrap();

        assert_eq!(encoding.ids, [2, 5, 6, 11, 3]);
        assert_eq!(encoding.attention_mask, [1; 5]);
    }

    #[test]
    fn special_tokens_inside_a_text_stay_single_and_join_no_word() {
        let encoding = tokenizer().encode("a [MASK] [SEP] man", 8).unwrap();

        assert_eq!(encoding.ids, [2, 5, 4, 3, 6, 3, 0, 0]);
        assert_eq!(encoding.words, vec![1..2, 4..5]);
    }

    #[test]
    fn a_word_of_more_than_a_hundred_characters_is_unknown() {
        let encoding = tokenizer().encode(&"a".repeat(101), 4).unwrap();

        assert_eq!(encoding.ids, [2, 1, 3, 0]);
        assert!(encoding.words.is_empty());
    }

    #[test]
    fn berts_own_vocabulary_gives_berts_own_ids() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vocab");
        let path = Path::new(folder).join("bert-base-uncased-vocab.txt");
        if !path.exists() {
            eprintln!("skipped: {} is absent", path.display());
            return;
        }
        let tokenizer = WordPieceTokenizer::from_vocab_file(path).unwrap();

        let encoding = tokenizer
            .encode("A man is riding a skateboard.", 12)
            .unwrap();

        // "skateboard" is not in the vocabulary: 17260 is "skate", 6277 is "##board".
        let expected = [
            101, 1037, 2158, 2003, 5559, 1037, 17260, 6277, 1012, 102, 0, 0,
        ];
        assert_eq!(encoding.ids, expected);
        assert_eq!(encoding.words[5], 6..8);
        assert_eq!(tokenizer.vocabulary().len(), 30_522);
    }
}
