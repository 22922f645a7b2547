//! The BERT layer: self-attention and feed-forward network, each with a residual and a LayerNorm
//! behind it.
//!
//! Devlin et al., "BERT" (NAACL 2019), after Vaswani et al. (2017), post-norm. The text encoder
//! and the fusion encoder are stacks of it. Burn's own `TransformerEncoder` is close but drops
//! units between the two feed-forward matrices too, which BERT does not.

mod feed_forward;
mod self_attention;

pub use feed_forward::{FeedForward, FeedForwardConfig};
pub use self_attention::{SelfAttention, SelfAttentionConfig};

use burn::prelude::*;

use crate::Noise;

/// BERT's LayerNorm epsilon.
pub(crate) const BERT_EPSILON: f64 = 1e-12;

/// What is added to the attention logit of a padding key. No row is ever fully masked, so the
/// exact size is immaterial as long as its exponential vanishes; it must fit 16-bit floats.
const PADDING_LOGIT: f64 = -1e4;

/// Configuration to create a [`TransformerLayer`] using the [init function](TransformerLayerConfig::init).
#[derive(Config, Debug)]
pub struct TransformerLayerConfig {
    /// Width of the tokens.
    pub hidden: usize,
    /// Attention heads.
    pub heads: usize,
    /// Width between the two feed-forward matrices.
    pub inner: usize,
    /// Dropout of attention weights and of both residual branches. BERT: 0.1.
    #[config(default = 0.1)]
    pub dropout: f64,
}

/// One post-norm transformer layer.
///
/// Should be created with [`TransformerLayerConfig`].
#[derive(Module, Debug)]
pub struct TransformerLayer<B: Backend> {
    attention: SelfAttention<B>,
    feed_forward: FeedForward<B>,
}

impl TransformerLayerConfig {
    /// Initializes a new [`TransformerLayer`] module.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `hidden`.
    pub fn init<B: Backend>(&self, device: &B::Device) -> TransformerLayer<B> {
        TransformerLayer {
            attention: SelfAttentionConfig::new(self.hidden, self.heads)
                .with_dropout(self.dropout)
                .init(device),
            feed_forward: FeedForwardConfig::new(self.hidden, self.inner)
                .with_dropout(self.dropout)
                .init(device),
        }
    }
}

impl<B: Backend> TransformerLayer<B> {
    /// Lets every token look at every key that is not padding, then transforms it.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, tokens, dim]`
    /// - padding: `[batch, tokens]`, additive; see [`padding_logits`]
    /// - output: `[batch, tokens, dim]`
    pub fn forward(
        &self,
        x: Tensor<B, 3>,
        padding: Tensor<B, 2>,
        noise: &mut Noise,
    ) -> Tensor<B, 3> {
        let mixed = self.attention.forward(x, padding, noise);
        self.feed_forward.forward(mixed, noise)
    }

    /// How much each token looks at each key, averaged over heads.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, tokens, dim]`
    /// - padding: `[batch, tokens]`, additive
    /// - output: `[batch, tokens, tokens]`; each row sums to 1
    pub fn attention_weights(&self, x: Tensor<B, 3>, padding: Tensor<B, 2>) -> Tensor<B, 3> {
        self.attention.weights(x, padding)
    }
}

/// Turns an attention mask of ones (tokens) and zeros (padding) into additive logits.
///
/// # Shapes
///
/// - attention_mask: `[batch, tokens]`
/// - output: `[batch, tokens]`
pub fn padding_logits<B: Backend>(attention_mask: Tensor<B, 2, Int>) -> Tensor<B, 2> {
    (attention_mask.float() - 1.0) * -PADDING_LOGIT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::{Distribution, TensorData, Tolerance};

    #[test]
    fn padding_gets_a_large_negative_logit_and_tokens_none() {
        let mask = Tensor::<TestBackend, 2, Int>::from_data([[1, 1, 0]], &Default::default());

        let logits = padding_logits(mask).into_data();

        logits.assert_eq(&TensorData::from([[0.0_f32, 0.0, -1e4]]), false);
    }

    #[test]
    fn padded_keys_do_not_change_the_tokens_before_them() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 5);
        let layer = TransformerLayerConfig::new(8, 2, 16).init::<TestBackend>(&device);
        let tokens = Tensor::random([1, 3, 8], Distribution::Default, &device);
        let padding = Tensor::random([1, 2, 8], Distribution::Default, &device);
        let mask = Tensor::from_data([[1, 1, 1, 0, 0]], &device);

        let alone = layer.forward(
            tokens.clone(),
            Tensor::zeros([1, 3], &device),
            &mut Noise::quiet(),
        );
        let padded = layer.forward(
            Tensor::cat(vec![tokens, padding], 1),
            padding_logits(mask),
            &mut Noise::quiet(),
        );

        padded
            .narrow(1, 0, 3)
            .into_data()
            .assert_approx_eq::<f32>(&alone.into_data(), Tolerance::default());
    }
}
