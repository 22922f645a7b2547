//! The word loss of semantic masked language modelling: a focal loss over masked word pieces.
//!
//! Clover, section 3.4, after Lin et al., "Focal Loss" (ICCV 2017):
//!
//! ```text
//! c = -log softmax(logits)[label],  p = exp(-c)
//! L = mean over masked pieces of (1 - p)^gamma c
//! ```
//!
//! The mean is over all masked pieces of the batch, not per sentence, and the gradient goes through
//! `p` too.

use burn::prelude::*;

/// Configuration to create a [`FocalMlmLoss`] using the [init function](FocalMlmLossConfig::init).
#[derive(Config, Debug)]
pub struct FocalMlmLossConfig {
    /// How much easy words are played down. As released: 2.
    #[config(default = 2.0)]
    pub gamma: f64,
}

/// The focal word loss.
///
/// Should be created with [`FocalMlmLossConfig`].
#[derive(Clone, Debug)]
pub struct FocalMlmLoss {
    gamma: f64,
}

impl FocalMlmLossConfig {
    /// Initializes a new [`FocalMlmLoss`].
    #[must_use]
    pub fn init(&self) -> FocalMlmLoss {
        FocalMlmLoss { gamma: self.gamma }
    }
}

impl FocalMlmLoss {
    /// Averages over the masked pieces. With none the loss is zero (as released it is 0/0).
    ///
    /// # Shapes
    ///
    /// - logits: `[masked, vocabulary]`
    /// - labels: `[masked]`, ids of the original pieces
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// Panics if there is not one label a row.
    pub fn forward<B: Backend>(
        &self,
        logits: Tensor<B, 2>,
        labels: Tensor<B, 1, Int>,
    ) -> Tensor<B, 1> {
        let [masked, _] = logits.dims();
        if masked == 0 {
            return Tensor::zeros([1], &logits.device());
        }
        let cross_entropy = clover_kernels::softmax_cross_entropy(logits, labels);
        if self.gamma == 0.0 {
            return cross_entropy.mean();
        }
        // 1 - p by the hyperbolic tangent: subtracted from one, a known word's rest is rounded away.
        let half = (cross_entropy.clone() * 0.5).tanh();
        let missed = half.clone() * 2.0 / (half + 1.0);
        (missed.powf_scalar(self.gamma) * cross_entropy).mean()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{focal, random_rows};
    use crate::{TestAutodiffBackend, TestBackend};
    use burn::tensor::{TensorData, Tolerance};

    #[test]
    fn equals_the_plain_loops() {
        let logits = random_rows(3, 9, 4);
        let labels = Tensor::<TestBackend, 1, Int>::from_data([2, 8, 0], &Default::default());

        let loss = FocalMlmLossConfig::new()
            .init()
            .forward(logits.tensor(), labels);

        let expected = focal(&logits, &[2, 8, 0], 2.0);
        assert!((f64::from(loss.into_scalar()) - expected).abs() < 1e-5 * expected);
    }

    #[test]
    fn two_equally_likely_words_weigh_a_quarter_of_their_cross_entropy() {
        let device = Default::default();
        let logits = Tensor::<TestBackend, 2>::zeros([1, 2], &device);

        let loss = FocalMlmLossConfig::new()
            .init()
            .forward(logits, Tensor::zeros([1], &device));

        let expected = TensorData::from([0.25 * 2.0_f32.ln()]);
        loss.into_data()
            .assert_approx_eq::<f32>(&expected, Tolerance::default());
    }

    #[test]
    fn a_word_already_known_has_a_finite_gradient() {
        let device = Default::default();
        let logits = Tensor::<TestAutodiffBackend, 2>::from_data([[200.0, 0.0]], &device);
        let logits = logits.require_grad();

        let loss = FocalMlmLossConfig::new()
            .init()
            .forward(logits.clone(), Tensor::zeros([1], &device));

        let gradient = logits.grad(&loss.backward()).unwrap().into_data();
        assert!(
            gradient
                .to_vec::<f32>()
                .unwrap()
                .iter()
                .all(|g| g.is_finite())
        );
    }

    #[test]
    fn nothing_masked_is_no_loss() {
        let device = Default::default();
        let logits = Tensor::<TestBackend, 2>::zeros([0, 5], &device);

        let loss = FocalMlmLossConfig::new()
            .init()
            .forward(logits, Tensor::zeros([0], &device));

        loss.into_data()
            .assert_eq(&TensorData::from([0.0_f32]), false);
    }
}
