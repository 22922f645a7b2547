//! stub
use crate::masking::{MaskedTokens, RegionMask};
use crate::video::NormalizedClip;
/// A video and its caption, prepared for the pre-training step.
#[derive(Debug, Clone)]
pub struct PretrainingSample {
    /// The normalised clip.
    pub clip: NormalizedClip,
    /// The complete text.
    pub token_ids: Vec<u32>,
    /// The text with hidden words.
    pub masked: MaskedTokens,
    /// 1 for a token, 0 for padding.
    pub attention_mask: Vec<u8>,
    /// The hidden cells of the clip.
    pub region_mask: RegionMask,
    /// What reports call the sample.
    pub name: String,
}
