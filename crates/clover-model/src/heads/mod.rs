//! Heads: what turns features into embeddings, words and answers.
//!
//! All linear layers start Xavier-uniform with zero bias.

mod mlm;
mod multiple_choice;
mod open_ended;
mod projection;

pub use mlm::{MlmHead, MlmHeadConfig};
pub use multiple_choice::{MultipleChoiceHead, MultipleChoiceHeadConfig};
pub use open_ended::{OpenEndedHead, OpenEndedHeadConfig};
pub use projection::{
    TextProjection, TextProjectionConfig, VideoProjection, VideoProjectionConfig, cls_feature,
};
