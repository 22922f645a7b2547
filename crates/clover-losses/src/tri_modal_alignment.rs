//! Tri-modal alignment: video, text and their fusions are pulled together.
//!
//! Clover, section 3.2:
//!
//! ```text
//! L = E(v; t, t~, f1) + E(t; v, v~, f2)
//! ```
//!
//! with `f1` the fusion of masked video and complete text and `f2` that of complete video and
//! masked text, as in the released code (an older revision had them swapped).

use burn::prelude::*;

use crate::exclusive_nce::{ExclusiveNceLoss, ExclusiveNceLossConfig, Reduction};
use crate::{TEMPERATURE, Temperature};

/// Configuration to create a [`TriModalAlignmentLoss`] using the [init function](TriModalAlignmentLossConfig::init).
#[derive(Config, Debug)]
pub struct TriModalAlignmentLossConfig {
    /// Divides cosines. Clover, section 4.1: 0.05.
    #[config(default = "TEMPERATURE")]
    pub temperature: f64,
    /// How the terms are added up.
    #[config(default = "Reduction::Published")]
    pub reduction: Reduction,
}

/// Both anchored losses.
///
/// Should be created with [`TriModalAlignmentLossConfig`].
#[derive(Clone, Debug)]
pub struct TriModalAlignmentLoss {
    temperature: f64,
    exclusive_nce: ExclusiveNceLoss,
}

/// The embeddings of a batch of pairs, each `[batch, dim]`.
#[derive(Clone, Debug)]
pub struct TriModalEmbeddings<B: Backend> {
    /// `v`: the complete clip.
    pub video: Tensor<B, 2>,
    /// `t`: the complete text.
    pub text: Tensor<B, 2>,
    /// `v~`: the clip with masked regions.
    pub masked_video: Tensor<B, 2>,
    /// `t~`: the text with masked words.
    pub masked_text: Tensor<B, 2>,
    /// `f1`: masked clip and complete text, fused.
    pub fused_masked_video: Tensor<B, 2>,
    /// `f2`: complete clip and masked text, fused.
    pub fused_masked_text: Tensor<B, 2>,
}

impl<B: Backend> TriModalEmbeddings<B> {
    /// All six, in the order of the fields.
    #[must_use]
    pub fn into_array(self) -> [Tensor<B, 2>; 6] {
        [
            self.video,
            self.text,
            self.masked_video,
            self.masked_text,
            self.fused_masked_video,
            self.fused_masked_text,
        ]
    }

    /// Of six in the order of the fields.
    #[must_use]
    pub fn from_array(all: [Tensor<B, 2>; 6]) -> Self {
        let [
            video,
            text,
            masked_video,
            masked_text,
            fused_masked_video,
            fused_masked_text,
        ] = all;
        Self {
            video,
            text,
            masked_video,
            masked_text,
            fused_masked_video,
            fused_masked_text,
        }
    }

    /// The same done to each.
    #[must_use]
    pub fn map<C: Backend>(
        self,
        change: impl FnMut(Tensor<B, 2>) -> Tensor<C, 2>,
    ) -> TriModalEmbeddings<C> {
        TriModalEmbeddings::from_array(self.into_array().map(change))
    }
}

/// The two terms, each `[1]`; the loss is their sum.
#[derive(Clone, Debug)]
pub struct TriModalAlignment<B: Backend> {
    /// `E(v; t, t~, f1)`.
    pub video_anchored: Tensor<B, 1>,
    /// `E(t; v, v~, f2)`.
    pub text_anchored: Tensor<B, 1>,
}

impl TriModalAlignmentLossConfig {
    /// Initializes a new [`TriModalAlignmentLoss`].
    #[must_use]
    pub fn init(&self) -> TriModalAlignmentLoss {
        TriModalAlignmentLoss {
            temperature: self.temperature,
            exclusive_nce: ExclusiveNceLossConfig::new()
                .with_temperature(self.temperature)
                .with_reduction(self.reduction)
                .init(),
        }
    }
}

impl TriModalAlignmentLoss {
    /// Anchors once at the videos and once at the texts. Both terms are zero for a single pair.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    pub fn forward<B: Backend>(&self, embeddings: &TriModalEmbeddings<B>) -> TriModalAlignment<B> {
        self.forward_at(embeddings, &self.temperature.into())
    }

    /// As [`forward`](Self::forward), at another temperature than the configured one.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    pub fn forward_at<B: Backend>(
        &self,
        embeddings: &TriModalEmbeddings<B>,
        temperature: &Temperature<B>,
    ) -> TriModalAlignment<B> {
        let e = embeddings.clone();
        TriModalAlignment {
            video_anchored: self.exclusive_nce.forward_at(
                e.video.clone(),
                e.text.clone(),
                e.masked_text,
                e.fused_masked_video,
                temperature,
            ),
            text_anchored: self.exclusive_nce.forward_at(
                e.text,
                e.video,
                e.masked_video,
                e.fused_masked_text,
                temperature,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::oracle::{exclusive_nce, random_rows};

    #[test]
    fn each_anchor_meets_the_other_modality_and_its_own_fusion() {
        let [v, t, vm, tm, f1, f2] = [1, 2, 3, 4, 5, 6].map(|seed| random_rows(4, 6, seed));
        let rows = [&v, &t, &vm, &tm, &f1, &f2].map(|rows| rows.tensor::<TestBackend>());

        let alignment = TriModalAlignmentLossConfig::new()
            .init()
            .forward(&TriModalEmbeddings::from_array(rows));

        let published = |rows| {
            let (forward, reverse) = exclusive_nce(&rows, 0.05);
            forward / 4.0 + reverse / 12.0
        };
        let expected = [
            published([v.clone(), t.clone(), tm, f1]),
            published([t, v, vm, f2]),
        ];
        for (found, expected) in [alignment.video_anchored, alignment.text_anchored]
            .into_iter()
            .zip(expected)
        {
            assert!((f64::from(found.into_scalar()) - expected).abs() < 1e-4 * expected);
        }
    }
}
