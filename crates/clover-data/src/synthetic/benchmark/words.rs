//! The vocabulary of all words, and the list of answers.

use std::collections::BTreeSet;

use super::narration::caption_words;
use super::question::{answers, question_forms};
use super::story::Speed;
use crate::synthetic::vocabulary::vocabulary_of;
use crate::synthetic::{Color, Direction, Shape, Size};

/// The lines of a WordPiece vocabulary with every word of a caption, a question or an answer.
pub fn benchmark_vocabulary() -> Vec<String> {
    let names = Color::ALL.map(Color::names).into_iter();
    let names = names.chain(Shape::ALL.map(Shape::names));
    let names = names.chain(Size::ALL.map(Size::names));
    let names = names.chain(Direction::ALL.map(Direction::names));
    let names = names.chain(Speed::ALL.map(Speed::names));
    let phrases = names.flatten().copied().chain(question_forms());
    let words = phrases
        .flat_map(str::split_whitespace)
        .filter(|word| !word.starts_with('{'))
        .chain(caption_words());
    let answers = answers();
    let mut words: BTreeSet<&str> = words.collect();
    words.extend(answers.iter().flat_map(|answer| answer.split_whitespace()));
    vocabulary_of(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_piece_stands_twice_and_no_form_is_among_them() {
        let lines = benchmark_vocabulary();

        let different: HashSet<_> = lines.iter().collect();

        assert_eq!(different.len(), lines.len());
        assert!(lines.iter().all(|line| !line.contains(['{', '}'])));
        assert!(lines.iter().any(|line| line == "disappears"));
    }
}
