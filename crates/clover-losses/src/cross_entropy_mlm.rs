//! The plain word loss of masked language modelling, for baselines.
//!
//! Devlin et al., "BERT" (NAACL 2019):
//!
//! ```text
//! L = mean over masked pieces of -log softmax(logits)[label]
//! ```

use burn::prelude::*;

use crate::focal_mlm::{FocalMlmLoss, FocalMlmLossConfig};

/// Configuration to create a [`CrossEntropyMlmLoss`] using the [init function](CrossEntropyMlmLossConfig::init).
#[derive(Config, Debug)]
pub struct CrossEntropyMlmLossConfig {}

/// Cross-entropy over masked word pieces: the focal loss at gamma 0.
///
/// Should be created with [`CrossEntropyMlmLossConfig`].
#[derive(Clone, Debug)]
pub struct CrossEntropyMlmLoss {
    unfocused: FocalMlmLoss,
}

impl CrossEntropyMlmLossConfig {
    /// Initializes a new [`CrossEntropyMlmLoss`].
    #[must_use]
    pub fn init(&self) -> CrossEntropyMlmLoss {
        CrossEntropyMlmLoss {
            unfocused: FocalMlmLossConfig::new().with_gamma(0.0).init(),
        }
    }
}

impl CrossEntropyMlmLoss {
    /// Averages over the masked pieces. With none the loss is zero.
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
        self.unfocused.forward(logits, labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::{TensorData, Tolerance};

    #[test]
    fn equally_likely_words_cost_the_log_of_their_number() {
        let device = Default::default();
        let logits = Tensor::<TestBackend, 2>::zeros([2, 8], &device);

        let loss = CrossEntropyMlmLossConfig::new()
            .init()
            .forward(logits, Tensor::zeros([2], &device));

        let expected = TensorData::from([8.0_f32.ln()]);
        loss.into_data()
            .assert_approx_eq::<f32>(&expected, Tolerance::default());
    }
}
