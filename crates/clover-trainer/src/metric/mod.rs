//! The figures a model is judged by.

mod multiple_choice;
mod retrieval;
mod scores;

pub(crate) use multiple_choice::first_highest;
pub use multiple_choice::{accuracy, multiple_choice_accuracy};
pub use retrieval::{RetrievalMetrics, ranking, text_to_video, video_to_text};
