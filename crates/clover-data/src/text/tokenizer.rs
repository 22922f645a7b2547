//! From a sentence to a row of token ids, by either of two ways to cut words into pieces: WordPiece
//! (Devlin et al., "BERT", NAACL 2019) or CLIP's byte-level BPE (Radford et al., ICML 2021).

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bpe;
use super::normalization::TextNormalization;
use super::vocabulary::{SpecialTokens, Vocabulary};
use super::word_groups::{word_groups, word_groups_by_end};
use super::word_piece;
use crate::DataError;

/// How words are cut into pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenizerKind {
    /// BERT's: the longest known piece first; a piece within a word begins with `##`.
    WordPiece,
    /// CLIP's: the bytes of a word are merged pair by pair; the last piece of a word ends in `</w>`.
    Bpe,
}

/// Turns sentences into rows of token ids.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    pub(super) library: tokenizers::Tokenizer,
    vocabulary: Vocabulary,
    scheme: Scheme,
}

/// What is different between the two kinds.
#[derive(Debug, Clone)]
enum Scheme {
    WordPiece(TextNormalization),
    Bpe,
}

/// One sentence as a row of token ids of fixed length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding {
    /// The first token, the pieces, the last token, then padding up to the length asked for: for
    /// BERT `[CLS] .. [SEP] [PAD] ..`, for CLIP `<|startoftext|> .. <|endoftext|> 0 ..`.
    pub ids: Vec<u32>,
    /// 1 for a token, 0 for padding.
    pub attention_mask: Vec<u8>,
    /// The positions of each word; special tokens belong to none.
    pub words: Vec<Range<usize>>,
}

impl Tokenizer {
    /// Builds the tokenizer from the lines of a WordPiece vocabulary; `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// When the vocabulary repeats a piece or lacks one of `[PAD] [UNK] [CLS] [SEP] [MASK]` under
    /// exactly that name.
    pub fn from_vocab_lines<'a>(
        lines: impl IntoIterator<Item = &'a str>,
        path: impl Into<PathBuf>,
    ) -> Result<Self, DataError> {
        let vocabulary = Vocabulary::from_lines(lines, path)?;
        Self::word_piece(vocabulary, TextNormalization::default())
    }

    /// Builds the tokenizer of a WordPiece vocabulary.
    ///
    /// # Errors
    ///
    /// When the tokenizer's library refuses the vocabulary.
    pub fn word_piece(
        vocabulary: Vocabulary,
        normalization: TextNormalization,
    ) -> Result<Self, DataError> {
        let library = word_piece::library(&vocabulary, normalization);
        Ok(Self {
            library: library.map_err(DataError::Tokenizer)?,
            vocabulary,
            scheme: Scheme::WordPiece(normalization),
        })
    }

    /// Builds CLIP's tokenizer of a vocabulary and the pairs that are merged, the most important
    /// first, each of which is known to be in the vocabulary.
    pub(super) fn bpe(
        vocabulary: Vocabulary,
        merges: Vec<(String, String)>,
    ) -> Result<Self, DataError> {
        let library = bpe::library(&vocabulary, merges);
        Ok(Self {
            library: library.map_err(DataError::Tokenizer)?,
            vocabulary,
            scheme: Scheme::Bpe,
        })
    }

    /// Encodes `text` into exactly `max_len` ids; what does not fit is cut from the end of the text,
    /// and the last token stays.
    ///
    /// `[MASK]` in a text is the masked token; `[SEP]` is the one between two texts, and nothing but
    /// a space for CLIP, which has none. No other special token can be written.
    ///
    /// # Errors
    ///
    /// When the tokenizer's library fails on the text.
    ///
    /// # Panics
    ///
    /// Panics if `max_len` is below 2: a row holds at least its first and its last token.
    pub fn encode(&self, text: &str, max_len: usize) -> Result<Encoding, DataError> {
        assert!(
            max_len >= 2,
            "tokenizer: a row holds at least its first and last token"
        );
        let special = self.vocabulary.special();
        let pieces = self.pieces(text)?;
        let kept = &pieces[..pieces.len().min(max_len - 2)];

        let mut ids = Vec::with_capacity(max_len);
        ids.push(special.cls);
        ids.extend_from_slice(kept);
        ids.push(special.sep);
        let used = ids.len();
        let ordinary = ids.iter().map(|&id| self.ordinary_piece(id));
        let words = match self.scheme {
            Scheme::WordPiece(_) => word_groups(ordinary),
            Scheme::Bpe => word_groups_by_end(ordinary),
        };
        ids.resize(max_len, special.pad);
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
        // The first and the last token stand around it.
        Ok(self.pieces(text)?.len() + 2)
    }

    fn pieces(&self, text: &str) -> Result<Vec<u32>, DataError> {
        let pieces = match self.scheme {
            Scheme::WordPiece(_) => word_piece::pieces(&self.library, text),
            Scheme::Bpe => bpe::pieces(&self.library, text, self.special().mask),
        };
        pieces.map_err(DataError::Tokenizer)
    }

    /// How words are cut into pieces.
    pub fn kind(&self) -> TokenizerKind {
        match self.scheme {
            Scheme::WordPiece(_) => TokenizerKind::WordPiece,
            Scheme::Bpe => TokenizerKind::Bpe,
        }
    }

    /// The vocabulary behind the ids.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// How texts are written before WordPiece cuts them; CLIP's way has no choice.
    pub fn normalization(&self) -> Option<TextNormalization> {
        match self.scheme {
            Scheme::WordPiece(normalization) => Some(normalization),
            Scheme::Bpe => None,
        }
    }

    /// The ids of the special tokens.
    pub fn special(&self) -> SpecialTokens {
        self.vocabulary.special()
    }

    /// What the pieces of one word spell.
    pub(super) fn spell(&self, ids: &[u32]) -> String {
        let pieces = ids.iter();
        let pieces = pieces.filter_map(|&id| self.vocabulary.pieces().get(id as usize));
        match self.scheme {
            Scheme::WordPiece(_) => pieces
                .map(|piece| piece.strip_prefix("##").unwrap_or(piece))
                .collect(),
            Scheme::Bpe => bpe::spell(pieces.map(String::as_str)),
        }
    }

    fn ordinary_piece(&self, id: u32) -> Option<&str> {
        if self.vocabulary.is_special(id) {
            return None;
        }
        let piece = self.vocabulary.pieces().get(id as usize);
        piece.map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const LINES: [&str; 14] = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "man", "skate", "##board", "cafe", "?",
        "is", "un", "##known",
    ];

    fn tokenizer() -> Tokenizer {
        Tokenizer::from_vocab_lines(LINES, "vocab.txt").unwrap()
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

        let encoding = Tokenizer::read(path)
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
        let tokenizer = Tokenizer::read(path).unwrap();

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
