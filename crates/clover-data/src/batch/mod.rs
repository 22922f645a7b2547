//! Samples stacked into tensors; nothing here can fail.

mod pretraining;
mod stack;
mod stacked_clips;
mod views;

pub use pretraining::{MaskedWords, PretrainingBatch, StackedPairs};
pub use stack::stack_clips;
pub use stacked_clips::{ClipBatch, StackedClips, StackedItem};
pub use views::{stack_texts, views_apart};
