//! Evaluation: what a trained model is worth on held-out data.

mod list_retrieval;
mod zero_shot;

pub use list_retrieval::{ListRetrieval, list_retrieval};
pub use zero_shot::{ZeroShotRetrieval, zero_shot_retrieval};
