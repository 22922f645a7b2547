//! From a sentence to token ids: vocabulary, tokenizer, word groups, question texts.

mod part_of_speech;
mod question;
mod tokenizer;
mod vocabulary;
mod word_groups;

pub use part_of_speech::{PartOfSpeech, TaggedToken, align_tags};
pub use question::QuestionForm;
pub use tokenizer::{Encoding, WordPieceTokenizer};
pub use vocabulary::{SpecialTokens, Vocabulary};
pub use word_groups::word_groups;
