//! Which pieces belong to one word.
//!
//! Every non-special piece starts a word unless it begins with `##` (the published code's rule).

use std::ops::Range;

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
}
