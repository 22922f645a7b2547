//! What the colours of a model's training images were normalised by.

use serde::{Deserialize, Serialize};

/// Mean and standard deviation of red, green and blue, on a scale from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredStatistics")]
pub struct ColourStatistics {
    /// The means.
    pub mean: [f64; 3],
    /// The standard deviations, above 0.
    pub deviation: [f64; 3],
}

impl ColourStatistics {
    /// Those of ImageNet, as published for Clover and for Video Swin.
    pub const IMAGENET: Self = Self {
        mean: [0.485, 0.456, 0.406],
        deviation: [0.229, 0.224, 0.225],
    };

    /// Those of CLIP's training (Radford et al., ICML 2021; the released `clip.py`).
    pub const CLIP: Self = Self {
        mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
        deviation: [0.268_629_54, 0.261_302_58, 0.275_777_11],
    };

    /// Whether they are the published ones, which files leave out.
    pub(super) fn are_usual(&self) -> bool {
        *self == Self::IMAGENET
    }
}

impl Default for ColourStatistics {
    fn default() -> Self {
        Self::IMAGENET
    }
}

/// As a file says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredStatistics {
    mean: [f64; 3],
    deviation: [f64; 3],
}

impl TryFrom<StoredStatistics> for ColourStatistics {
    type Error = String;

    fn try_from(StoredStatistics { mean, deviation }: StoredStatistics) -> Result<Self, String> {
        let all = mean.iter().chain(&deviation);
        let sensible = all.into_iter().all(|level| (0.0..=1.0).contains(level));
        if !sensible || deviation.iter().any(|level| *level < 1e-3) {
            return Err(format!(
                "colours have the means {mean:?} and the deviations {deviation:?}, which lie between 0 and \
                 1, and deviations at 0.001 or above"
            ));
        }
        Ok(Self { mean, deviation })
    }
}
