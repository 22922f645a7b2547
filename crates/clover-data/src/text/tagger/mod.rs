//! Universal part-of-speech tags for captions.
//!
//! A transformation-based tagger (Brill, "A Simple Rule-Based Part of Speech Tagger", ANLP 1992)
//! trained on written English knows the ordinary words. What it does not know of captions is
//! decided here: verbs it never saw, words that are noun and verb alike, and auxiliaries.

mod auxiliary;
mod closed_class;
mod context;
mod unknown_words;
mod verb_forms;
mod verb_or_noun;
mod word_lists;

use std::fmt;
use std::sync::Arc;

use harper_brill::{BrillTagger, FreqDict, Tagger, UPOS, brill_tagger};

use self::context::Context;
use self::unknown_words::guess;
use self::verb_forms::VerbForms;
use super::part_of_speech::PartOfSpeech;

/// Tags the words of a caption. Copies share one model.
#[derive(Clone)]
pub struct PartOfSpeechTagger {
    brill: Arc<BrillTagger<FreqDict>>,
}

/// A word and what is known of it before its neighbours are asked.
#[derive(Debug)]
struct Word<'a> {
    text: &'a str,
    /// The trained tagger's answer; nothing for a word it does not know.
    trained: Option<PartOfSpeech>,
    /// The verb forms it may be.
    forms: VerbForms,
    /// Whether it is known as a verb, not only spelled like one.
    listed: bool,
}

impl PartOfSpeechTagger {
    /// The tagger whose model is part of the program; the first one made reads it (some 30 ms).
    pub fn new() -> Self {
        Self {
            brill: brill_tagger(),
        }
    }

    /// Gives every word a tag. Words are lower-case, punctuation is a word of its own, as BERT's
    /// basic tokenizer cuts a sentence.
    pub fn tag(&self, words: &[&str]) -> Vec<PartOfSpeech> {
        let owned: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let trained = self.brill.tag_sentence(&owned);
        let words: Vec<Word<'_>> = words
            .iter()
            .zip(trained)
            .map(|(text, trained)| Word::new(text, trained.map(PartOfSpeech::from)))
            .collect();
        let mut tags: Vec<PartOfSpeech> = words.iter().map(Word::by_itself).collect();
        for at in 0..words.len() {
            tags[at] = Context::new(&words, &tags, at).tag();
        }
        tags
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

impl<'a> Word<'a> {
    fn new(text: &'a str, trained: Option<PartOfSpeech>) -> Self {
        let listed = VerbForms::listed(text);
        let forms = match trained {
            Some(PartOfSpeech::Verb | PartOfSpeech::Auxiliary) if listed == VerbForms::NONE => {
                VerbForms::by_ending(text)
            }
            // What the trained tagger holds for a noun or adjective may be a verb all the same.
            None
            | Some(
                PartOfSpeech::Verb
                | PartOfSpeech::Auxiliary
                | PartOfSpeech::Noun
                | PartOfSpeech::ProperNoun
                | PartOfSpeech::Adjective
                | PartOfSpeech::Adverb,
            ) => listed,
            Some(_) => VerbForms::NONE,
        };
        let listed = forms != VerbForms::NONE;
        let forms = match trained {
            None if !listed => unknown_words::verb_forms(text),
            Some(PartOfSpeech::Adjective) if !listed && text.ends_with("ed") => VerbForms::PAST,
            _ => forms,
        };
        Self {
            text,
            trained,
            forms,
            listed,
        }
    }

    /// The tag while nothing is known of the neighbours.
    fn by_itself(&self) -> PartOfSpeech {
        match self.trained {
            Some(tag) => tag,
            None if self.listed => PartOfSpeech::Verb,
            None => guess(self.text),
        }
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
