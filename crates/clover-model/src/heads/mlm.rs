//! Word prediction: BERT's masked-language-model head.
//!
//! Devlin et al., "BERT" (NAACL 2019), section 3.1. As released for Clover, its output matrix is not
//! tied to any embedding table.

use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;

use crate::fused::{normalize, project};
use crate::init::xavier_linear;
use crate::transformer::BERT_EPSILON;

/// Configuration to create an [`MlmHead`] using the [init function](MlmHeadConfig::init).
#[derive(Config, Debug)]
pub struct MlmHeadConfig {
    /// Width of the features.
    pub hidden: usize,
    /// Word pieces in the vocabulary.
    pub vocabulary: usize,
}

/// `decoder(norm(gelu(transform(x))))`.
///
/// Should be created with [`MlmHeadConfig`].
#[derive(Module, Debug)]
pub struct MlmHead<B: Backend> {
    transform: Linear<B>,
    norm: LayerNorm<B>,
    decoder: Linear<B>,
}

impl MlmHeadConfig {
    /// Initializes a new [`MlmHead`] module.
    pub fn init<B: Backend>(&self, device: &B::Device) -> MlmHead<B> {
        MlmHead {
            transform: xavier_linear(self.hidden, self.hidden, device),
            norm: LayerNormConfig::new(self.hidden)
                .with_epsilon(BERT_EPSILON)
                .init(device),
            decoder: xavier_linear(self.hidden, self.vocabulary, device),
        }
    }
}

impl<B: Backend> MlmHead<B> {
    /// Scores every word piece for the given positions of a batch of texts.
    ///
    /// Only the wanted positions meet the vocabulary: it is by far the largest product of the head.
    ///
    /// # Shapes
    ///
    /// - tokens: `[batch, text_len, dim]`
    /// - positions: `[masked]`, each `row * text_len + column`
    /// - output: `[masked, vocabulary]`
    pub fn forward_at(&self, tokens: Tensor<B, 3>, positions: Tensor<B, 1, Int>) -> Tensor<B, 2> {
        let [batch, text_len, dim] = tokens.dims();
        let rows = tokens.reshape([batch * text_len, dim]);
        self.forward(clover_kernels::gather_rows(rows, positions))
    }

    /// Scores every word piece for each feature.
    ///
    /// # Shapes
    ///
    /// - features: `[positions, dim]`
    /// - output: `[positions, vocabulary]`
    pub fn forward(&self, features: Tensor<B, 2>) -> Tensor<B, 2> {
        let transformed = clover_kernels::gelu(project(&self.transform, features));
        project(
            &self.decoder,
            normalize(&self.norm, BERT_EPSILON, transformed),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::{Distribution, Tolerance};

    #[test]
    fn positions_count_through_the_rows_of_a_batch() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 10);
        let head = MlmHeadConfig::new(4, 6).init::<TestBackend>(&device);
        let tokens = Tensor::random([2, 3, 4], Distribution::Default, &device);

        // Row 1, column 2.
        let logits = head.forward_at(tokens.clone(), Tensor::from_data([5], &device));

        let expected = head.forward(tokens.slice([1..2, 2..3, 0..4]).reshape([1, 4]));
        logits
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::default());
    }
}
