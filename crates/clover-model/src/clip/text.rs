//! CLIP's text encoder: a transformer in which a token sees itself and those before it.
//!
//! Radford et al. (2021), section 2.4, after GPT-2. The state of the end-of-text token, which has the
//! largest id, is the feature: it alone has seen all of the text. Padding stands behind it, so the causal mask
//! hides it.

use burn::module::Param;
use burn::nn::{Embedding, EmbeddingConfig, Initializer, LayerNorm, Linear};
use burn::prelude::*;

use super::block::{Activation, ResidualBlock, ResidualBlockConfig, clip_norm, clip_normalize};
use crate::fused::project;
use crate::init::{normal, projection};

/// What is added to the logit of a later token; its exponential vanishes, and it fits 16-bit floats.
const LATER_LOGIT: f64 = -1e4;

/// Configuration to create a [`ClipText`] using the [init function](ClipTextConfig::init).
#[derive(Config, Debug)]
pub struct ClipTextConfig {
    /// Pieces in the vocabulary; the last one is the end of a text.
    pub vocabulary: usize,
    /// Rows of the position table: the longest text. Published models: 77.
    pub max_positions: usize,
    /// Width of the tokens.
    pub width: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Attention heads. Published models: 64 channels a head.
    pub heads: usize,
    /// Numbers of an embedding.
    pub embedding: usize,
    /// The function in the perceptrons.
    pub activation: Activation,
}

/// The text encoder.
///
/// Should be created with [`ClipTextConfig`].
#[derive(Module, Debug)]
pub struct ClipText<B: Backend> {
    pieces: Embedding<B>,
    positions: Param<Tensor<B, 2>>,
    blocks: Vec<ResidualBlock<B>>,
    last_norm: LayerNorm<B>,
    projection: Linear<B>,
}

impl ClipTextConfig {
    /// Initializes a new [`ClipText`] module.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `width`.
    pub fn init<B: Backend>(&self, device: &B::Device) -> ClipText<B> {
        let block = ResidualBlockConfig::new(self.width, self.heads, self.activation);
        let pieces = EmbeddingConfig::new(self.vocabulary, self.width)
            // Published.
            .with_initializer(Initializer::Normal {
                mean: 0.0,
                std: 0.02,
            });
        ClipText {
            pieces: pieces.init(device),
            // Published.
            positions: normal([self.max_positions, self.width], 0.01, device),
            blocks: (0..self.layers).map(|_| block.init(device)).collect(),
            last_norm: clip_norm(self.width, device),
            projection: projection(
                self.width,
                self.embedding,
                (self.width as f64).powf(-0.5),
                device,
            ),
        }
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.heads == 0 || self.width == 0 || !self.width.is_multiple_of(self.heads) {
            return Err("text: heads must divide width".to_owned());
        }
        let sizes = [
            self.vocabulary,
            self.max_positions,
            self.layers,
            self.embedding,
        ];
        match sizes.contains(&0) {
            true => Err(
                "text: vocabulary, max_positions, layers and embedding must be positive".to_owned(),
            ),
            false => Ok(()),
        }
    }
}

impl<B: Backend> ClipText<B> {
    /// Encodes texts, token by token.
    ///
    /// # Shapes
    ///
    /// - token_ids: `[batch, text_len]`: start of text, pieces, end of text, zeros. Nothing behind the end of
    ///   the longest text changes an embedding, so batches are best cut there.
    /// - output: `[batch, text_len, dim]`, normalized by the last LayerNorm
    ///
    /// # Panics
    ///
    /// Panics if the texts are longer than the position table.
    pub fn forward(&self, token_ids: Tensor<B, 2, Int>) -> Tensor<B, 3> {
        let mask = causal_mask(token_ids.dims()[1], &token_ids.device());
        let x = self.first_tokens(token_ids);
        let last = self
            .blocks
            .iter()
            .fold(x, |x, block| block.forward(x, Some(mask.clone())));
        clip_normalize(&self.last_norm, last)
    }

    /// Embeds texts.
    ///
    /// # Shapes
    ///
    /// - token_ids: `[batch, text_len]`, as of [`forward`](Self::forward)
    /// - output: `[batch, dim]`, not normalized to unit length
    ///
    /// # Panics
    ///
    /// Panics if the texts are longer than the position table.
    pub fn embed(&self, token_ids: Tensor<B, 2, Int>) -> Tensor<B, 2> {
        let Some((last, others)) = self.blocks.split_last() else {
            let features = self.forward(token_ids.clone());
            return project(&self.projection, end_of_text(features, ends(token_ids)));
        };
        let (ends, text_len) = (ends(token_ids.clone()), token_ids.dims()[1]);
        let mask = causal_mask(text_len, &token_ids.device());
        let x = self.first_tokens(token_ids);
        let x = others
            .iter()
            .fold(x, |x, block| block.forward(x, Some(mask.clone())));
        let token = end_of_text(x.clone(), ends.clone()).unsqueeze_dim(1);
        let token = last.forward_one(token, x, later_keys(ends, text_len));
        let feature = clip_normalize(&self.last_norm, token.squeeze_dim(1));
        project(&self.projection, feature)
    }

    /// Each block's output; for comparisons with recordings.
    ///
    /// # Shapes
    ///
    /// - token_ids: `[batch, text_len]`
    /// - outputs: `[batch, text_len, dim]`
    pub fn activations(&self, token_ids: Tensor<B, 2, Int>) -> Vec<Tensor<B, 3>> {
        let mask = causal_mask(token_ids.dims()[1], &token_ids.device());
        let mut x = self.first_tokens(token_ids);
        let blocks = self.blocks.iter().map(|block| {
            x = block.forward(x.clone(), Some(mask.clone()));
            x.clone()
        });
        blocks.collect()
    }

    fn first_tokens(&self, token_ids: Tensor<B, 2, Int>) -> Tensor<B, 3> {
        let [batch, text_len] = token_ids.dims();
        let [max_positions, dim] = self.positions.dims();
        assert!(
            text_len <= max_positions,
            "clip: a text of {text_len} pieces, but only {max_positions} positions"
        );
        let pieces = clover_kernels::gather_rows(
            self.pieces.weight.val(),
            token_ids.reshape([batch * text_len]),
        );
        let positions = self.positions.val().narrow(0, 0, text_len);
        let sum = pieces.reshape([batch, text_len * dim]) + positions.reshape([1, text_len * dim]);
        sum.reshape([batch, text_len, dim])
    }
}

/// Where each text ends: at the largest id.
///
/// # Shapes
///
/// - token_ids: `[batch, text_len]`
/// - output: `[batch]`
fn ends<B: Backend>(token_ids: Tensor<B, 2, Int>) -> Tensor<B, 1, Int> {
    token_ids.argmax(1).squeeze_dim(1)
}

/// The state at the end of each text.
///
/// # Shapes
///
/// - features: `[batch, text_len, dim]`
/// - ends: `[batch]`
/// - output: `[batch, dim]`
fn end_of_text<B: Backend>(features: Tensor<B, 3>, ends: Tensor<B, 1, Int>) -> Tensor<B, 2> {
    let [batch, text_len, dim] = features.dims();
    let begins = positions(batch, &ends) * text_len as i64;
    clover_kernels::gather_rows(features.reshape([batch * text_len, dim]), ends + begins)
}

/// Logits that hide what stands behind each text.
///
/// # Shapes
///
/// - ends: `[batch]`
/// - output: `[batch, text_len]`
fn later_keys<B: Backend>(ends: Tensor<B, 1, Int>, text_len: usize) -> Tensor<B, 2> {
    let keys = positions(text_len, &ends).unsqueeze_dim::<2>(0);
    let later = keys.greater(ends.unsqueeze_dim(1));
    later.float() * LATER_LOGIT
}

/// Numbers from zero, of the type of an index: backends differ in it, and do not add two types.
fn positions<B: Backend>(count: usize, like: &Tensor<B, 1, Int>) -> Tensor<B, 1, Int> {
    Tensor::arange(0..count as i64, (&like.device(), like.dtype()))
}

/// Logits that hide the tokens behind each one.
///
/// # Shapes
///
/// - output: `[1, text_len, text_len]`
fn causal_mask<B: Backend>(text_len: usize, device: &B::Device) -> Tensor<B, 3> {
    let later = Tensor::<B, 2>::full([text_len, text_len], LATER_LOGIT, device).triu(1);
    later.unsqueeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::{TensorData, Tolerance};

    fn encoder() -> ClipText<TestBackend> {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 4);
        ClipTextConfig::new(10, 6, 8, 2, 2, 4, Activation::QuickGelu).init(&device)
    }

    #[test]
    fn a_token_sees_itself_and_those_before_it() {
        let mask = causal_mask::<TestBackend>(3, &Default::default()).into_data();

        let later = LATER_LOGIT as f32;
        let expected = [[[0.0, later, later], [0.0, 0.0, later], [0.0, 0.0, 0.0]]];
        mask.assert_eq(&TensorData::from(expected), true);
    }

    #[test]
    fn what_stands_behind_the_end_changes_nothing() {
        let (encoder, device) = (encoder(), Default::default());
        let short = Tensor::from_data([[8, 3, 9]], &device);
        let padded = Tensor::from_data([[8, 3, 9, 0, 0, 0]], &device);

        let [short, padded] = [short, padded].map(|ids| encoder.embed(ids).into_data());

        short.assert_approx_eq::<f32>(&padded, Tolerance::absolute(1e-6));
    }

    #[test]
    fn an_embedding_is_that_of_the_last_state_at_the_end_of_the_text() {
        let (encoder, device) = (encoder(), Default::default());
        let ids = Tensor::<TestBackend, 2, Int>::from_data([[8, 3, 9, 0], [8, 5, 1, 9]], &device);

        let last = encoder.forward(ids.clone());
        let expected = project(&encoder.projection, end_of_text(last, ends(ids.clone())));

        let embedding = encoder.embed(ids).into_data();
        embedding.assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-6));
    }

    #[test]
    #[should_panic(expected = "a text of 7 pieces, but only 6 positions")]
    fn a_text_longer_than_the_position_table_is_refused() {
        encoder().embed(Tensor::zeros([1, 7], &Default::default()));
    }
}
