//! Pair-wise ranking: a complete pair must score above the same pair with one side masked.
//!
//! Clover, section 3.3:
//!
//! ```text
//! R(a; b, b~) = mean_i max(0, margin - (s(a_i, b_i) - s(a_i, b~_i)))
//! ```
//!
//! As released, the margin applies to cosines *divided by the temperature*: 5 is 0.25 in cosine.
//! The released code can also rank the complete pair above the fused one, by a margin of 10, and
//! does not by default: that is this loss with that margin and the fused embedding for `b~`.

use burn::prelude::*;
use burn::tensor::activation::relu;

use crate::similarity::{paired_similarity, unit_rows};
use crate::{TEMPERATURE, Temperature};

/// Configuration to create a [`PairwiseRankingLoss`] using the [init function](PairwiseRankingLossConfig::init).
#[derive(Config, Debug)]
pub struct PairwiseRankingLossConfig {
    /// Divides cosines. Clover, section 4.1: 0.05.
    #[config(default = "TEMPERATURE")]
    pub temperature: f64,
    /// By how much the complete pair must win, in cosines over the temperature.
    #[config(default = 5.0)]
    pub margin: f64,
}

/// The hinge of one anchor.
///
/// Should be created with [`PairwiseRankingLossConfig`].
#[derive(Clone, Debug)]
pub struct PairwiseRankingLoss {
    temperature: f64,
    margin: f64,
}

impl PairwiseRankingLossConfig {
    /// Initializes a new [`PairwiseRankingLoss`].
    #[must_use]
    pub fn init(&self) -> PairwiseRankingLoss {
        PairwiseRankingLoss {
            temperature: self.temperature,
            margin: self.margin,
        }
    }
}

impl PairwiseRankingLoss {
    /// Averages the hinge over the batch.
    ///
    /// # Shapes
    ///
    /// - anchor, complete, masked: `[batch, dim]`, of any length
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    pub fn forward<B: Backend>(
        &self,
        anchor: Tensor<B, 2>,
        complete: Tensor<B, 2>,
        masked: Tensor<B, 2>,
    ) -> Tensor<B, 1> {
        self.forward_at(anchor, complete, masked, &self.temperature.into())
    }

    /// As [`forward`](Self::forward), at another temperature than the configured one.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    pub fn forward_at<B: Backend>(
        &self,
        anchor: Tensor<B, 2>,
        complete: Tensor<B, 2>,
        masked: Tensor<B, 2>,
        temperature: &Temperature<B>,
    ) -> Tensor<B, 1> {
        assert_eq!(
            complete.dims(),
            anchor.dims(),
            "pairwise ranking: shapes differ"
        );
        assert_eq!(
            masked.dims(),
            anchor.dims(),
            "pairwise ranking: shapes differ"
        );
        let anchor = unit_rows(anchor);
        let [whole, part] = [complete, masked]
            .map(|x| paired_similarity(anchor.clone(), unit_rows(x), temperature.clone()));
        relu(part - whole + self.margin).mean()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::oracle::{pairwise_ranking, random_rows};
    use burn::tensor::{TensorData, Tolerance};

    #[test]
    fn equals_the_plain_loops() {
        let rows = [1, 2, 3].map(|seed| random_rows(6, 5, seed));
        let [a, b, c] = rows.each_ref().map(|rows| rows.tensor::<TestBackend>());

        let loss = PairwiseRankingLossConfig::new()
            .init()
            .forward(a, b, c)
            .into_scalar();

        let expected = pairwise_ranking(&rows, 0.05, 5.0);
        assert!((f64::from(loss) - expected).abs() < 1e-4 * expected);
    }

    #[test]
    fn a_lead_of_a_quarter_in_cosine_is_enough() {
        let device = Default::default();
        let anchor = Tensor::<TestBackend, 2>::from_data([[1.0, 0.0]], &device);
        let complete = Tensor::from_data([[1.0, 0.0]], &device);
        let loss = |cosine: f32| {
            let sine = (1.0 - cosine * cosine).sqrt();
            let masked = Tensor::from_data([[cosine, sine]], &device);
            PairwiseRankingLossConfig::new()
                .init()
                .forward(anchor.clone(), complete.clone(), masked)
                .into_data()
        };

        loss(0.7).assert_eq(&TensorData::from([0.0_f32]), false);
        // Cosine 0.8 is 16 over the temperature, 4 behind: one short of the margin.
        loss(0.8).assert_approx_eq::<f32>(&TensorData::from([1.0_f32]), Tolerance::absolute(1e-4));
    }
}
