//! Which pieces belong to one word.
//!
//! WordPiece: every non-special piece starts a word unless it begins with `##` (the published code's
//! rule). CLIP: every piece that ends in `</w>` ends its word.

use std::ops::Range;

use super::bpe::END_OF_WORD;

/// Groups consecutive pieces into words; `None` stands for a special token.
///
/// A `##` piece right after a special token has no word to continue and starts one.
pub fn word_groups<'a>(pieces: impl IntoIterator<Item = Option<&'a str>>) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (position, piece) in pieces.into_iter().enumerate() {
        let Some(piece) = piece else { continue };
        match words.last_mut() {
            Some(word) if piece.starts_with("##") && word.end == position => word.end += 1,
            _ => words.push(position..position + 1),
        }
    }
    words
}

/// Groups consecutive pieces into words that end in `</w>`; `None` stands for a special token.
///
/// A special token ends a word too: it is where a text was cut.
pub(super) fn word_groups_by_end<'a>(
    pieces: impl IntoIterator<Item = Option<&'a str>>,
) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut within = false;
    for (position, piece) in pieces.into_iter().enumerate() {
        match (piece, words.last_mut()) {
            (Some(_), Some(word)) if within => word.end += 1,
            (Some(_), _) => words.push(position..position + 1),
            (None, _) => {}
        }
        within = piece.is_some_and(|piece| !piece.ends_with(END_OF_WORD));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuation_pieces_join_the_word_before_them() {
        let pieces = [
            None,
            Some("a"),
            Some("skate"),
            Some("##board"),
            Some("down"),
            None,
        ];

        let words = word_groups(pieces);

        assert_eq!(words, vec![1..2, 2..4, 4..5]);
    }

    #[test]
    fn a_special_token_ends_a_word() {
        let pieces = [Some("skate"), None, Some("##board")];

        let words = word_groups(pieces);

        assert_eq!(words, vec![0..1, 2..3]);
    }

    #[test]
    fn a_piece_that_ends_a_word_and_a_special_token_are_ends() {
        let pieces = [
            None,
            Some("a</w>"),
            Some("skate"),
            Some("board</w>"),
            Some("do"),
            None,
        ];

        let words = word_groups_by_end(pieces);

        assert_eq!(words, vec![1..2, 2..4, 4..5]);
    }
}
