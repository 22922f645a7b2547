//! Clover's training objectives: tensors in, one number out.
//!
//! | file | paper (Clover, CVPR 2023) |
//! |---|---|
//! | `exclusive_nce` | section 3.2: one direction of tri-modal alignment |
//! | `tri_modal_alignment` | section 3.2: both anchors |
//! | `pairwise_ranking` | section 3.3: a complete pair scores above a masked one |
//! | `focal_mlm` | section 3.4: the word loss of semantic masking |
//! | `temperature` | section 4.1: what cosines are divided by, or CLIP's learned one |
//! | `info_nce`, `cross_entropy_mlm` | the baselines, and fine-tuning for retrieval |
//!
//! Where the printed formulas and the released code disagree, the code is the default and the
//! printed form an option by name ([`Reduction`]). Every loss is zero, and no gradient is
//! not-a-number, where a batch leaves nothing to compare: a single pair, or no masked word. Losses
//! never read a value back from the device, and are meant to be evaluated in 32-bit floats.
//!
//! ```
//! use burn::tensor::{Distribution, Tensor};
//! use burn_ndarray::NdArray;
//! use clover_losses::InfoNceLossConfig;
//!
//! let device = Default::default();
//! let video = Tensor::<NdArray, 2>::random([4, 8], Distribution::Default, &device);
//! let loss = InfoNceLossConfig::new().init().forward(video.clone(), video);
//! assert!(loss.into_scalar() >= 0.0);
//! ```

mod cross_entropy_mlm;
mod exclusive_nce;
mod focal_mlm;
mod info_nce;
mod pairwise_ranking;
mod similarity;
mod temperature;
mod tri_modal_alignment;

pub use cross_entropy_mlm::{CrossEntropyMlmLoss, CrossEntropyMlmLossConfig};
pub use exclusive_nce::{ExclusiveNceLoss, ExclusiveNceLossConfig, Reduction};
pub use focal_mlm::{FocalMlmLoss, FocalMlmLossConfig};
pub use info_nce::{InfoNceLoss, InfoNceLossConfig};
pub use pairwise_ranking::{PairwiseRankingLoss, PairwiseRankingLossConfig};
pub use similarity::{paired_similarity, scaled_similarity, unit_rows};
pub use temperature::{LARGEST_SCALE, Temperature};
pub use tri_modal_alignment::{
    TriModalAlignment, TriModalAlignmentLoss, TriModalAlignmentLossConfig, TriModalEmbeddings,
};

/// Clover's temperature: similarities are cosines divided by it.
pub const TEMPERATURE: f64 = 0.05;

#[cfg(test)]
mod near_zero_tests;
#[cfg(test)]
mod oracle;

#[cfg(test)]
pub(crate) use clover_test_backend::{TestAutodiffBackend, TestBackend};
