//! Evaluation: what a trained model is worth on held-out data.

mod list_retrieval;
mod questions;
mod similarity;
mod zero_shot;

pub use list_retrieval::{ListRetrieval, list_retrieval};
pub use questions::{QuestionAccuracy, question_accuracy};
pub use similarity::{PairSimilarity, pair_similarity};
pub use zero_shot::{ZeroShotRetrieval, zero_shot_retrieval};
