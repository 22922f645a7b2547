//! The pieces of a tokenizer by their ids, and which of them mean something of their own.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use rand::Rng;

use crate::DataError;
use crate::files::read_regular;

/// Larger vocabulary files are refused before they are read; BERT's has 232 thousand bytes.
const MAX_VOCABULARY_BYTES: u64 = 64 << 20;

/// The pieces of a vocabulary in the order of their ids, with the special tokens found by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    pieces: Vec<String>,
    special: SpecialTokens,
    /// The ids that no piece of a word has, in their order.
    reserved: Vec<u32>,
}

/// The ids of the five tokens BERT gives a meaning of their own, and what takes their place for CLIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialTokens {
    /// `[PAD]`, which fills a row up to its length; for CLIP 0 if its file says nothing else, which
    /// may be the id of an ordinary piece.
    pub pad: u32,
    /// `[UNK]`, a word the vocabulary cannot spell; CLIP's spells all, and has the last token here.
    pub unknown: u32,
    /// `[CLS]` or `<|startoftext|>`, the first token of every row.
    pub cls: u32,
    /// `[SEP]` or `<|endoftext|>`, the last token of every row.
    pub sep: u32,
    /// `[MASK]`, a hidden piece; for CLIP the number one past the vocabulary.
    pub mask: u32,
}

impl SpecialTokens {
    /// The names of the special tokens, as they stand in a vocabulary.
    pub const NAMES: [&'static str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
}

impl Vocabulary {
    /// Reads a file of WordPiece: one piece a line, the line number is the id.
    ///
    /// # Errors
    ///
    /// When the file cannot be read as UTF-8 text, lists a piece twice, or lacks a special token.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        Self::from_lines(read_text(path)?.lines(), path)
    }

    /// Builds a vocabulary of WordPiece from its lines; `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// When a piece is listed twice or a special token is missing.
    pub fn from_lines<'a>(
        lines: impl IntoIterator<Item = &'a str>,
        path: impl Into<PathBuf>,
    ) -> Result<Self, DataError> {
        let path = path.into();
        let pieces: Vec<String> = lines
            .into_iter()
            .map(|line| line.trim().to_owned())
            .collect();
        let mut ids = HashMap::with_capacity(pieces.len());
        for (index, piece) in pieces.iter().enumerate() {
            // Blank lines keep their id but name nothing, so any number of them may stand there.
            if !piece.is_empty() && ids.insert(piece.as_str(), index as u32).is_some() {
                return Err(DataError::RepeatedPiece {
                    path,
                    line: index + 1,
                    piece: piece.clone(),
                });
            }
        }
        let special = special_tokens(&ids, &path)?;
        let SpecialTokens {
            pad,
            unknown,
            cls,
            sep,
            mask,
        } = special;
        Ok(Self::new(
            pieces,
            special,
            vec![pad, unknown, cls, sep, mask],
        ))
    }

    /// Pieces in the order of their ids, of which those with `reserved` ids are no part of a word.
    pub(super) fn new(pieces: Vec<String>, special: SpecialTokens, mut reserved: Vec<u32>) -> Self {
        reserved.sort_unstable();
        reserved.dedup();
        Self {
            pieces,
            special,
            reserved,
        }
    }

    /// The pieces in the order of their ids.
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// The number of ids, blank lines included.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Always false: a vocabulary has at least its special tokens.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The ids of the special tokens.
    pub fn special(&self) -> SpecialTokens {
        self.special
    }

    /// Tells whether `id` is one of a special token, or of no piece.
    pub fn is_special(&self, id: u32) -> bool {
        id as usize >= self.pieces.len() || self.reserved.binary_search(&id).is_ok()
    }

    /// What a hidden piece may be replaced by: of WordPiece any id, special ones included, as
    /// published; of CLIP's any that is not special, which it has never seen within a text.
    pub fn random_piece<R: Rng + ?Sized>(&self, rng: &mut R) -> u32 {
        let count = self.pieces.len();
        if (self.special.mask as usize) < count {
            return rng.random_range(0..count as u32);
        }
        let ordinary = count.saturating_sub(self.reserved.len()).max(1);
        let place = rng.random_range(0..ordinary as u32);
        let skip = |id, reserved: &u32| id + u32::from(*reserved <= id);
        self.reserved.iter().fold(place, skip)
    }

    /// The ids that are no part of a word, in their order.
    pub(crate) fn reserved(&self) -> &[u32] {
        &self.reserved
    }
}

/// The text of a vocabulary, or of a file about one.
pub(super) fn read_text(path: &Path) -> Result<String, DataError> {
    let unreadable = |source| DataError::Read {
        path: path.to_path_buf(),
        source,
    };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MAX_VOCABULARY_BYTES {
        return Err(DataError::VocabularyTooLarge {
            path: path.to_path_buf(),
            bytes,
            limit: MAX_VOCABULARY_BYTES,
        });
    }
    let text = read_regular(path, MAX_VOCABULARY_BYTES).map_err(unreadable)?;
    String::from_utf8(text).map_err(|error| unreadable(io::Error::other(error)))
}

fn special_tokens(ids: &HashMap<&str, u32>, path: &Path) -> Result<SpecialTokens, DataError> {
    // By exact name only: a copy with "[cls]" would otherwise train with [UNK] everywhere.
    let find = |token: &'static str| {
        ids.get(token).copied().ok_or_else(|| {
            let lowered = token.to_lowercase();
            DataError::MissingSpecialToken {
                path: path.to_path_buf(),
                token: token.to_owned(),
                hint: if ids.contains_key(lowered.as_str()) {
                    "; it has the lower-cased form, which BERT's tokens are not"
                } else {
                    ""
                },
            }
        })
    };
    Ok(SpecialTokens {
        pad: find("[PAD]")?,
        unknown: find("[UNK]")?,
        cls: find("[CLS]")?,
        sep: find("[SEP]")?,
        mask: find("[MASK]")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_order_of_the_lines() {
        let lines = ["[PAD]", "cat", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

        let vocabulary = Vocabulary::from_lines(lines, "vocab.txt").unwrap();

        assert_eq!(vocabulary.pieces()[1], "cat");
        assert_eq!(vocabulary.special().pad, 0);
        assert_eq!(vocabulary.special().unknown, 2);
        assert!(vocabulary.is_special(5) && vocabulary.is_special(6));
        assert!(!vocabulary.is_special(1));
    }

    #[test]
    fn lower_cased_special_tokens_are_refused_by_name() {
        let lines = ["[PAD]", "[UNK]", "[cls]", "[SEP]", "[MASK]"];

        let error = Vocabulary::from_lines(lines, "lowered.txt").unwrap_err();

        let message = error.to_string();
        assert!(message.contains("lowered.txt"), "{message}");
        assert!(message.contains("[CLS]"), "{message}");
        assert!(message.contains("lower-cased"), "{message}");
    }

    #[test]
    fn a_repeated_piece_names_its_line() {
        let lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "a"];

        let error = Vocabulary::from_lines(lines, "twice.txt").unwrap_err();

        assert!(
            matches!(error, DataError::RepeatedPiece { line: 8, ref piece, .. } if piece == "a")
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Vocabulary::from_file("no/such/vocab.txt").unwrap_err();

        assert!(error.to_string().contains("no/such/vocab.txt"));
    }
}
