//! stub
use crate::video::NormalizedClip;
/// A video and its caption, prepared for evaluation.
#[derive(Debug, Clone)]
pub struct RetrievalSample {
    /// The normalised clip.
    pub clip: NormalizedClip,
    /// The text.
    pub token_ids: Vec<u32>,
    /// 1 for a token, 0 for padding.
    pub attention_mask: Vec<u8>,
    /// The text as it was written.
    pub caption: String,
    /// What reports call the sample.
    pub name: String,
}
