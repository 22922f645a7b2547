//! How well a tagger does: precision and recall of each tag against captions tagged by hand.

use std::fmt;

use super::part_of_speech::{PartOfSpeech, TaggedToken};

/// Reads a sentence tagged by hand: tokens separated by blanks, each a word, a slash and a
/// universal tag. Nothing where a token has no slash or a tag that is not universal.
pub fn parse_tagged_sentence(line: &str) -> Option<Vec<TaggedToken>> {
    line.split_whitespace()
        .map(|token| {
            let (word, name) = token.rsplit_once('/')?;
            let known = PartOfSpeech::NAMES.iter();
            let (_, tag) = known.copied().find(|(known, _)| *known == name)?;
            (!word.is_empty()).then(|| TaggedToken {
                text: word.to_owned(),
                tag,
            })
        })
        .collect()
}

/// Words counted by the tag they have and the tag they were given.
#[derive(Debug, Clone, Default)]
pub struct TagScores {
    /// `(true tag, given tag)` of every word.
    words: Vec<(PartOfSpeech, PartOfSpeech)>,
}

impl TagScores {
    /// Counts the words of a sentence.
    pub fn add(&mut self, truth: &[TaggedToken], given: &[PartOfSpeech]) {
        let truth = truth.iter().map(|token| token.tag);
        self.words.extend(truth.zip(given.iter().copied()));
    }

    /// The words counted.
    pub fn words(&self) -> usize {
        self.words.len()
    }

    /// The share of words with the right tag.
    pub fn accuracy(&self) -> f64 {
        let right = self.words.iter().filter(|(truth, given)| truth == given);
        share(right.count(), self.words.len())
    }

    /// The words whose true tag is one of `tags`.
    pub fn support(&self, tags: &[PartOfSpeech]) -> usize {
        let matching = self.words.iter().filter(|(truth, _)| tags.contains(truth));
        matching.count()
    }

    /// Of the words whose true tag is one of `tags`, the share that was given one of them.
    pub fn recall(&self, tags: &[PartOfSpeech]) -> f64 {
        share(self.both(tags), self.support(tags))
    }

    /// Of the words given one of `tags`, the share whose true tag is one of them.
    pub fn precision(&self, tags: &[PartOfSpeech]) -> f64 {
        let given = self.words.iter().filter(|(_, given)| tags.contains(given));
        share(self.both(tags), given.count())
    }

    fn both(&self, tags: &[PartOfSpeech]) -> usize {
        let both = |(truth, given): &&(_, _)| tags.contains(truth) && tags.contains(given);
        self.words.iter().filter(both).count()
    }
}

impl fmt::Display for TagScores {
    /// A table in markdown: each tag that occurs, common nouns and names together, all words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| tag | words | precision | recall |")?;
        writeln!(f, "|---|---:|---:|---:|")?;
        let row = |f: &mut fmt::Formatter<'_>, name: &str, tags: &[PartOfSpeech]| {
            let (precision, recall) = (self.precision(tags), self.recall(tags));
            let words = self.support(tags);
            writeln!(f, "| {name} | {words} | {precision:.3} | {recall:.3} |")
        };
        for (name, tag) in PartOfSpeech::NAMES {
            if self.support(&[tag]) > 0 {
                row(f, name, &[tag])?;
            }
        }
        let nouns = [PartOfSpeech::Noun, PartOfSpeech::ProperNoun];
        row(f, "NOUN or PROPN", &nouns)?;
        let (words, accuracy) = (self.words(), self.accuracy());
        writeln!(f, "| all | {words} | {accuracy:.3} | {accuracy:.3} |")
    }
}

fn share(part: usize, whole: usize) -> f64 {
    match whole {
        0 => 1.0,
        whole => part as f64 / whole as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_and_recall_count_what_they_say() {
        let truth = parse_tagged_sentence("dogs/NOUN run/VERB runs/NOUN paris/PROPN").unwrap();
        let given = [
            PartOfSpeech::Noun,
            PartOfSpeech::Verb,
            PartOfSpeech::Verb,
            PartOfSpeech::Noun,
        ];

        let mut scores = TagScores::default();
        scores.add(&truth, &given);

        let nouns = [PartOfSpeech::Noun, PartOfSpeech::ProperNoun];
        for (share, expected) in [
            (scores.recall(&[PartOfSpeech::Noun]), 0.5),
            (scores.precision(&[PartOfSpeech::Verb]), 0.5),
            (scores.recall(&nouns), 2.0 / 3.0),
            (scores.accuracy(), 0.5),
        ] {
            assert!((share - expected).abs() < 1e-12, "{share} {expected}");
        }
        assert!(
            scores
                .to_string()
                .contains("| NOUN or PROPN | 3 | 1.000 | 0.667 |")
        );
    }

    #[test]
    fn a_token_without_a_universal_tag_is_refused() {
        assert!(parse_tagged_sentence("a/DET dog").is_none());
        assert!(parse_tagged_sentence("a/DET dog/NN").is_none());
        assert!(parse_tagged_sentence("a/DET /NOUN").is_none());
        assert_eq!(parse_tagged_sentence("").unwrap(), []);
    }
}
