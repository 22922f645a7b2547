//! Samples stacked into tensors; nothing here can fail.

mod pretraining;
mod retrieval;
mod stack;

pub use pretraining::{MaskedWords, PretrainingBatch};
pub use retrieval::RetrievalBatch;
