//! From a sentence to token ids: vocabulary, tokenizer, word groups, part-of-speech tags, question
//! texts.

mod bpe;
mod clip_text;
mod html_entities;
mod normalization;
mod part_of_speech;
mod question;
mod stored_tags;
mod tag_scores;
mod tagger;
mod tokenizer;
mod tokenizer_file;
mod vocabulary;
mod vocabulary_training;
mod word_groups;
mod word_piece;

pub use normalization::TextNormalization;
pub use part_of_speech::{PartOfSpeech, TaggedToken, align_tags};
pub use question::QuestionForm;
pub use tag_scores::{TagScores, parse_tagged_sentence};
pub use tagger::PartOfSpeechTagger;
pub use tokenizer::{Encoding, Tokenizer, TokenizerKind};
pub use vocabulary::{SpecialTokens, Vocabulary};
pub use word_groups::word_groups;
