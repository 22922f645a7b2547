//! What captions are made of.

use std::collections::HashMap;

use serde::Serialize;

use super::spread::{Count, Spread};

/// Different words that are counted; of more, none is added.
const MAX_WORDS: usize = 500_000;
/// Longer words are counted, and not told apart from others with the same beginning.
const MAX_WORD_BYTES: usize = 64;
/// How many of the most frequent words a report names.
const NAMED: usize = 20;

/// What the captions of a collection are made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct WordStatistics {
    /// Captions.
    pub captions: usize,
    /// Captions without any word.
    pub empty: usize,
    /// Words of a caption.
    pub words: Spread,
    /// Different words, in lower case and without punctuation around them.
    pub different: usize,
    /// Whether there are more different words than were counted.
    pub more: bool,
    /// The most frequent words.
    pub frequent: Vec<Count>,
}

/// Counts words as captions come.
#[derive(Debug, Default)]
pub(super) struct WordCounter {
    captions: usize,
    empty: usize,
    words: Spread,
    counts: HashMap<String, usize>,
    more: bool,
}

impl WordCounter {
    pub(super) fn count(&mut self, caption: &str) {
        let mut words = 0;
        for word in caption.split_whitespace() {
            let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
            if !word.is_empty() {
                words += 1;
                self.count_word(beginning(word).to_lowercase());
            }
        }
        self.captions += 1;
        self.empty += usize::from(words == 0);
        self.words.take(f64::from(words));
    }

    pub(super) fn statistics(self) -> WordStatistics {
        let different = self.counts.len();
        let mut frequent: Vec<Count> = self
            .counts
            .into_iter()
            .map(|(value, count)| Count { value, count })
            .collect();
        frequent.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        frequent.truncate(NAMED);
        WordStatistics {
            captions: self.captions,
            empty: self.empty,
            words: self.words,
            different,
            more: self.more,
            frequent,
        }
    }

    fn count_word(&mut self, word: String) {
        if let Some(count) = self.counts.get_mut(&word) {
            *count += 1;
        } else if self.counts.len() < MAX_WORDS {
            self.counts.insert(word, 1);
        } else {
            self.more = true;
        }
    }
}

/// As much of a word as is kept.
fn beginning(word: &str) -> &str {
    let mut end = word.len().min(MAX_WORD_BYTES);
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    &word[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_without_case_and_punctuation() {
        let mut words = WordCounter::default();
        for caption in ["A dog, a cat.", "\"Dog\" - runs", " ... "] {
            words.count(caption);
        }

        let statistics = words.statistics();

        assert_eq!((statistics.captions, statistics.empty), (3, 1));
        assert_eq!((statistics.words.sum, statistics.different), (6.0, 4));
        let first = &statistics.frequent[..2];
        let first: Vec<_> = first
            .iter()
            .map(|word| (&*word.value, word.count))
            .collect();
        assert_eq!(first, [("a", 2), ("dog", 2)]);
    }

    #[test]
    fn an_endless_word_is_cut_between_letters() {
        let word = "é".repeat(100);

        assert_eq!(beginning(&word), "é".repeat(32));
    }
}
