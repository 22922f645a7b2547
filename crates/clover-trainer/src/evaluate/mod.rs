//! Evaluation: what a trained model is worth on held-out data.

mod questions;
mod similarity;
mod zero_shot;

pub use questions::{QuestionAccuracy, question_accuracy};
pub use similarity::{PairSimilarity, pair_similarity};
pub use zero_shot::{ZeroShotRetrieval, zero_shot_retrieval};
