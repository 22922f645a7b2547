//! InfoNCE between videos and texts: fine-tuning for retrieval, and the paper's baselines.
//!
//! van den Oord et al., "Contrastive Predictive Coding" (2018); Clover, section 4.2:
//!
//! ```text
//! NCE(a; b) = mean_i -log( exp s(a_i, b_i) / sum_j exp s(a_i, b_j) )
//! L = NCE(v; t) + NCE(t; v)
//! ```
//!
//! The two means are added, as released; there is no factor of one half.

use burn::prelude::*;

use crate::similarity::{cross_entropy_of_own, scaled_similarity, unit_rows};
use crate::{TEMPERATURE, Temperature};

/// Configuration to create an [`InfoNceLoss`] using the [init function](InfoNceLossConfig::init).
#[derive(Config, Debug)]
pub struct InfoNceLossConfig {
    /// Divides cosines. Clover, section 4.1: 0.05.
    #[config(default = "TEMPERATURE")]
    pub temperature: f64,
}

/// InfoNCE.
///
/// Should be created with [`InfoNceLossConfig`].
#[derive(Clone, Debug)]
pub struct InfoNceLoss {
    temperature: f64,
}

impl InfoNceLossConfig {
    /// Initializes a new [`InfoNceLoss`].
    #[must_use]
    pub fn init(&self) -> InfoNceLoss {
        InfoNceLoss {
            temperature: self.temperature,
        }
    }
}

impl InfoNceLoss {
    /// Both directions, added. A single pair has no loss.
    ///
    /// # Shapes
    ///
    /// - video, text: `[batch, dim]`, of any length
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    pub fn forward<B: Backend>(&self, video: Tensor<B, 2>, text: Tensor<B, 2>) -> Tensor<B, 1> {
        self.forward_at(video, text, &self.temperature.into())
    }

    /// As [`forward`](Self::forward), at another temperature than the configured one.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    pub fn forward_at<B: Backend>(
        &self,
        video: Tensor<B, 2>,
        text: Tensor<B, 2>,
        temperature: &Temperature<B>,
    ) -> Tensor<B, 1> {
        let all = similarities(video, text, temperature);
        cross_entropy_of_own(all.clone()).mean() + cross_entropy_of_own(all.transpose()).mean()
    }

    /// One direction: plain NCE of anchors against the batch's positives.
    ///
    /// # Shapes
    ///
    /// - anchor, positive: `[batch, dim]`, of any length
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    pub fn forward_one_way<B: Backend>(
        &self,
        anchor: Tensor<B, 2>,
        positive: Tensor<B, 2>,
    ) -> Tensor<B, 1> {
        self.forward_one_way_at(anchor, positive, &self.temperature.into())
    }

    /// As [`forward_one_way`](Self::forward_one_way), at another temperature than the configured one.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    pub fn forward_one_way_at<B: Backend>(
        &self,
        anchor: Tensor<B, 2>,
        positive: Tensor<B, 2>,
        temperature: &Temperature<B>,
    ) -> Tensor<B, 1> {
        cross_entropy_of_own(similarities(anchor, positive, temperature)).mean()
    }
}

fn similarities<B: Backend>(
    a: Tensor<B, 2>,
    b: Tensor<B, 2>,
    temperature: &Temperature<B>,
) -> Tensor<B, 2> {
    assert_eq!(a.dims(), b.dims(), "info nce: shapes differ");
    scaled_similarity(unit_rows(a), unit_rows(b), temperature.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::{TensorData, Tolerance};

    #[test]
    fn two_pairs_by_hand() {
        // Texts (1, 0) and (0, 1); videos (1, 0) and (0.8, 0.6). Over the temperature of 0.05 the
        // similarities are [[20, 0], [16, 12]].
        let device = Default::default();
        let video = Tensor::<TestBackend, 2>::from_data([[1.0, 0.0], [0.8, 0.6]], &device);
        let text = Tensor::from_data([[1.0, 0.0], [0.0, 1.0]], &device);
        let loss = InfoNceLossConfig::new().init();

        let both = loss.forward(video.clone(), text.clone());
        let one_way = loss.forward_one_way(video, text);

        let softplus = |x: f32| x.exp().ln_1p();
        let video_to_text = (softplus(-20.0) + softplus(4.0)) / 2.0;
        let text_to_video = (softplus(-4.0) + softplus(-12.0)) / 2.0;
        let tolerance = Tolerance::absolute(1e-5);
        let expected = TensorData::from([video_to_text + text_to_video]);
        both.into_data()
            .assert_approx_eq::<f32>(&expected, tolerance);
        one_way
            .into_data()
            .assert_approx_eq::<f32>(&TensorData::from([video_to_text]), tolerance);
    }

    #[test]
    fn a_single_pair_has_no_loss() {
        let device = Default::default();
        let video = Tensor::<TestBackend, 2>::from_data([[1.0, 2.0]], &device);
        let text = Tensor::from_data([[-3.0, 1.0]], &device);

        let loss = InfoNceLossConfig::new().init().forward(video, text);

        loss.into_data()
            .assert_eq(&TensorData::from([0.0_f32]), false);
    }
}
