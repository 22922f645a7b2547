//! Samples stacked into tensors; nothing here can fail.

mod multiple_choice;
mod open_ended;
mod pretraining;
mod stack;
mod views;

pub use multiple_choice::MultipleChoiceBatch;
pub use open_ended::OpenEndedBatch;
pub use pretraining::{MaskedWords, PretrainingBatch, StackedPairs};
pub use stack::stack_clips;
pub use views::{stack_texts, views_apart};
