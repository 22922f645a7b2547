//! BERT without its pooler.
//!
//! Devlin et al., "BERT" (NAACL 2019); Clover, section 3.1. The last hidden states are used; the
//! published model carries BERT's pooler along, but it never receives a gradient.

use burn::prelude::*;

use super::{TextEmbeddings, TextEmbeddingsConfig};
use crate::Noise;
use crate::transformer::{TransformerLayer, TransformerLayerConfig, padding_logits};

/// Configuration to create a [`Bert`] using the [init function](BertConfig::init).
#[derive(Config, Debug)]
pub struct BertConfig {
    /// Word pieces in the vocabulary. BERT-base uncased: 30,522.
    pub vocabulary: usize,
    /// Width of the tokens. BERT-base: 768.
    pub hidden: usize,
    /// Transformer layers. BERT-base: 12.
    pub layers: usize,
    /// Attention heads. BERT-base: 12.
    pub heads: usize,
    /// Width inside the feed-forward network. BERT: `4 * hidden`.
    pub inner: usize,
    /// Longest text in word pieces. BERT: 512.
    #[config(default = 512)]
    pub max_positions: usize,
    /// Dropout of embeddings, attention weights and residual branches. BERT: 0.1.
    #[config(default = 0.1)]
    pub dropout: f64,
}

/// Turns word pieces into contextual features.
///
/// Should be created with [`BertConfig`].
#[derive(Module, Debug)]
pub struct Bert<B: Backend> {
    embeddings: TextEmbeddings<B>,
    layers: Vec<TransformerLayer<B>>,
}

impl BertConfig {
    /// Initializes a new [`Bert`] module.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `hidden`.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Bert<B> {
        let layer = TransformerLayerConfig::new(self.hidden, self.heads, self.inner)
            .with_dropout(self.dropout);
        Bert {
            embeddings: TextEmbeddingsConfig::new(self.vocabulary, self.hidden, self.max_positions)
                .with_dropout(self.dropout)
                .init(device),
            layers: (0..self.layers).map(|_| layer.init(device)).collect(),
        }
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.heads == 0 || self.hidden == 0 || !self.hidden.is_multiple_of(self.heads) {
            return Err("text: heads must divide hidden".to_owned());
        }
        if self.vocabulary == 0 || self.max_positions == 0 || self.inner == 0 {
            return Err("text: vocabulary, max_positions and inner must be positive".to_owned());
        }
        match (0.0..1.0).contains(&self.dropout) {
            true => Ok(()),
            false => Err("text: dropout must lie in [0, 1)".to_owned()),
        }
    }
}

impl<B: Backend> Bert<B> {
    /// Encodes texts; position 0 holds `[CLS]`.
    ///
    /// # Shapes
    ///
    /// - token_ids: `[batch, text_len]`
    /// - attention_mask: `[batch, text_len]`, 1 for tokens and 0 for padding
    /// - output: `[batch, text_len, dim]`
    ///
    /// # Panics
    ///
    /// Panics if the text is longer than the position table or the two shapes differ.
    pub fn forward(
        &self,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
        noise: &mut Noise,
    ) -> Tensor<B, 3> {
        assert_eq!(
            token_ids.dims(),
            attention_mask.dims(),
            "text encoder: ids and attention mask differ in shape"
        );
        let padding = padding_logits(attention_mask);
        self.layers
            .iter()
            .fold(self.embeddings.forward(token_ids, noise), |x, layer| {
                layer.forward(x, padding.clone(), noise)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::Tolerance;

    #[test]
    fn padding_does_not_change_the_features_of_a_text() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 1);
        let encoder = BertConfig::new(20, 8, 2, 2, 32).init::<TestBackend>(&device);
        let short = Tensor::from_data([[2, 7, 9, 3]], &device);
        let long = Tensor::from_data([[2, 7, 9, 3, 0, 0]], &device);

        let alone = encoder.forward(short, Tensor::ones([1, 4], &device), &mut Noise::quiet());
        let mask = Tensor::from_data([[1, 1, 1, 1, 0, 0]], &device);
        let padded = encoder
            .forward(long, mask, &mut Noise::quiet())
            .narrow(1, 0, 4);

        padded
            .into_data()
            .assert_approx_eq::<f32>(&alone.into_data(), Tolerance::default());
    }
}
