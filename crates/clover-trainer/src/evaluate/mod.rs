//! Evaluation: what a trained model is worth on held-out data.

mod zero_shot;

pub use zero_shot::{ZeroShotRetrieval, zero_shot_retrieval};
