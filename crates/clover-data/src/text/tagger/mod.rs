//! Universal part-of-speech tags for captions.
//!
//! A transformation-based tagger (Brill, "A Simple Rule-Based Part of Speech Tagger", ANLP 1992)
//! trained on written English knows the ordinary words, a list the verbs of captions. A perceptron
//! trained on captions tagged by hand decides among what a word may be.

mod perceptron;
mod unknown_words;
mod verb_forms;

use std::fmt;
use std::sync::{Arc, LazyLock};

use harper_brill::{BrillTagger, FreqDict, Tagger, UPOS, brill_tagger};

use self::perceptron::Perceptron;
use self::unknown_words::guess;
use self::verb_forms::VerbForms;
use super::part_of_speech::PartOfSpeech;
use super::tag_scores::parse_tagged_sentence;

/// So few captions are learned in a moment, and need no file of weights that could be out of date.
const TRAINING: &str = include_str!("../../../gold/training.txt");

static LEARNED: LazyLock<Perceptron> = LazyLock::new(|| {
    let brill = brill_tagger();
    let sentences: Vec<_> = TRAINING.lines().filter_map(parse_tagged_sentence).collect();
    let examples = sentences.iter().map(|sentence| {
        let words: Vec<&str> = sentence.iter().map(|token| token.text.as_str()).collect();
        let tags = sentence.iter().map(|token| token.tag).collect();
        (look_up(&brill, &words), tags)
    });
    Perceptron::train(&examples.collect::<Vec<_>>())
});

/// Tags the words of a caption. Copies share one model.
#[derive(Clone)]
pub struct PartOfSpeechTagger {
    brill: Arc<BrillTagger<FreqDict>>,
    learned: &'static Perceptron,
}

/// A word and what is known of it before its neighbours are asked.
#[derive(Debug)]
struct Word<'a> {
    text: &'a str,
    /// Brill's answer; nothing for a word it does not know.
    trained: Option<PartOfSpeech>,
    /// The tag while nothing is known of the neighbours.
    guess: PartOfSpeech,
    /// The verb forms it may be.
    forms: VerbForms,
}

impl PartOfSpeechTagger {
    /// The tagger whose models are part of the program; the first one made reads and trains them
    /// (some 200 ms).
    pub fn new() -> Self {
        Self {
            brill: brill_tagger(),
            learned: &LEARNED,
        }
    }

    /// Gives every word a tag. Words are lower-case, punctuation is a word of its own, as BERT's
    /// basic tokenizer cuts a sentence.
    pub fn tag(&self, words: &[&str]) -> Vec<PartOfSpeech> {
        self.learned.tag(&look_up(&self.brill, words))
    }
}

impl Default for PartOfSpeechTagger {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PartOfSpeechTagger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartOfSpeechTagger").finish_non_exhaustive()
    }
}

fn look_up<'a>(brill: &BrillTagger<FreqDict>, words: &[&'a str]) -> Vec<Word<'a>> {
    let owned: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    let trained = brill.tag_sentence(&owned);
    let words = words.iter().zip(trained);
    words
        .map(|(text, trained)| Word::new(text, trained.map(PartOfSpeech::from)))
        .collect()
}

impl<'a> Word<'a> {
    /// What stands beyond both ends of a sentence.
    const EDGE: Word<'static> = Word {
        text: "",
        trained: None,
        guess: PartOfSpeech::Other,
        forms: VerbForms::NONE,
    };

    fn new(text: &'a str, trained: Option<PartOfSpeech>) -> Self {
        let listed = VerbForms::listed(text);
        let forms = match trained {
            _ if listed != VerbForms::NONE => listed,
            None => unknown_words::verb_forms(text),
            Some(PartOfSpeech::Verb | PartOfSpeech::Auxiliary) => VerbForms::by_ending(text),
            Some(PartOfSpeech::Adjective) if text.ends_with("ed") => VerbForms::PAST,
            Some(_) => VerbForms::NONE,
        };
        let unknown = || match listed {
            VerbForms::NONE => guess(text),
            _ => PartOfSpeech::Verb,
        };
        Self {
            text,
            trained,
            guess: trained.unwrap_or_else(unknown),
            forms,
        }
    }

    /// Whether the word alone allows that tag. Captions have lost the capitals that Brill's tagger
    /// learned names by.
    fn may_be(&self, tag: PartOfSpeech) -> bool {
        use PartOfSpeech::{Adjective, Auxiliary, Noun, ProperNoun, Verb};
        let verbal = self.forms != VerbForms::NONE && self.guess != Auxiliary;
        tag == self.guess
            || (verbal && matches!(tag, Verb | Noun | Adjective))
            || (self.guess == ProperNoun && tag == Noun)
    }

    /// The last letters, as bytes.
    fn end(&self, count: usize) -> &[u8] {
        let bytes = self.text.as_bytes();
        &bytes[bytes.len().saturating_sub(count)..]
    }
}

impl From<UPOS> for PartOfSpeech {
    fn from(tag: UPOS) -> Self {
        match tag {
            UPOS::ADJ => Self::Adjective,
            UPOS::ADP => Self::Adposition,
            UPOS::ADV => Self::Adverb,
            UPOS::AUX => Self::Auxiliary,
            UPOS::CCONJ => Self::CoordinatingConjunction,
            UPOS::DET => Self::Determiner,
            UPOS::INTJ => Self::Interjection,
            UPOS::NOUN => Self::Noun,
            UPOS::NUM => Self::Numeral,
            UPOS::PART => Self::Particle,
            UPOS::PRON => Self::Pronoun,
            UPOS::PROPN => Self::ProperNoun,
            UPOS::PUNCT => Self::Punctuation,
            UPOS::SCONJ => Self::SubordinatingConjunction,
            UPOS::SYM => Self::Symbol,
            UPOS::VERB => Self::Verb,
        }
    }
}

#[cfg(test)]
mod tests;
