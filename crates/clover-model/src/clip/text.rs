//! CLIP's text encoder: a transformer in which a token sees itself and those before it.
//!
//! Radford et al. (2021), section 2.4, after GPT-2. The state of the end-of-text token, which has the
//! largest id, is the feature: it alone has seen all of the text. Padding stands behind it, so the causal mask
//! hides it.

use burn::module::Param;
use burn::nn::{Embedding, EmbeddingConfig, Initializer, LayerNorm, Linear};
use burn::prelude::*;

use super::block::{
    Activation, MLP_RATIO, ResidualBlock, ResidualBlockConfig, block_outputs, clip_norm,
    clip_normalize, forward_blocks, forward_blocks_to_one,
};
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

    /// Width inside the perceptrons.
    #[must_use]
    pub fn inner(&self) -> usize {
        MLP_RATIO * self.width
    }

    pub(crate) fn validate(&self) -> Result<(), String> {
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
        self.encode(self.pieces(token_ids))
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
        let pieces = self.pieces(token_ids.clone());
        self.project(self.encode_ends(pieces, ends(token_ids)))
    }

    /// The embedding that the feature at the end of a text becomes.
    ///
    /// # Shapes
    ///
    /// - feature: `[batch, dim]`, of [`forward`](Self::forward)
    /// - output: `[batch, dim]`, not normalized to unit length
    pub fn project(&self, feature: Tensor<B, 2>) -> Tensor<B, 2> {
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
        let placed = self.placed(self.pieces(token_ids));
        block_outputs(&self.blocks, placed, Some(&mask))
    }

    /// Pieces in the vocabulary.
    pub(super) fn vocabulary(&self) -> usize {
        let [vocabulary, _] = self.pieces.weight.dims();
        vocabulary
    }

    /// The pieces' embeddings, without their positions.
    ///
    /// # Shapes
    ///
    /// - token_ids: `[batch, text_len]`
    /// - output: `[batch, text_len, dim]`
    pub(super) fn pieces(&self, token_ids: Tensor<B, 2, Int>) -> Tensor<B, 3> {
        let [batch, text_len] = token_ids.dims();
        let [_, dim] = self.positions.dims();
        let ids = token_ids.reshape([batch * text_len]);
        clover_kernels::gather_rows(self.pieces.weight.val(), ids).reshape([batch, text_len, dim])
    }

    /// What the blocks make of pieces.
    ///
    /// # Shapes
    ///
    /// - pieces, output: `[batch, text_len, dim]`
    pub(super) fn encode(&self, pieces: Tensor<B, 3>) -> Tensor<B, 3> {
        let [_, text_len, _] = pieces.dims();
        let mask = causal_mask(text_len, &pieces.device());
        let last = forward_blocks(&self.blocks, self.placed(pieces), Some(&mask));
        clip_normalize(&self.last_norm, last)
    }

    /// What the blocks make of the ends of texts: of [`encode`](Self::encode), one token each.
    ///
    /// # Shapes
    ///
    /// - pieces: `[batch, text_len, dim]`
    /// - ends: `[batch]`, as of [`ends`]
    /// - output: `[batch, dim]`
    pub(super) fn encode_ends(
        &self,
        pieces: Tensor<B, 3>,
        ends: Tensor<B, 1, Int>,
    ) -> Tensor<B, 2> {
        let [batch, text_len, dim] = pieces.dims();
        let mask = causal_mask(text_len, &pieces.device());
        let tokens = forward_blocks_to_one(&self.blocks, self.placed(pieces), Some(&mask), |x| {
            let rows = x.reshape([batch * text_len, dim]);
            let tokens = clover_kernels::gather_rows(rows, ends.clone()).unsqueeze_dim(1);
            (tokens, later_keys(ends, [batch, text_len]))
        });
        clip_normalize(&self.last_norm, tokens.squeeze_dim(1))
    }

    fn placed(&self, pieces: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, text_len, dim] = pieces.dims();
        let [max_positions, _] = self.positions.dims();
        assert!(
            text_len <= max_positions,
            "clip: a text of {text_len} pieces, but only {max_positions} positions"
        );
        let positions = self.positions.val().narrow(0, 0, text_len);
        let sum = pieces.reshape([batch, text_len * dim]) + positions.reshape([1, text_len * dim]);
        sum.reshape([batch, text_len, dim])
    }
}

/// Where each text ends, as `row * text_len + column`.
///
/// # Shapes
///
/// - token_ids: `[batch, text_len]`
/// - output: `[batch]`
pub(super) fn ends<B: Backend>(token_ids: Tensor<B, 2, Int>) -> Tensor<B, 1, Int> {
    let [batch, text_len] = token_ids.dims();
    let device = token_ids.device();
    let ends = token_ids.argmax(1).reshape([batch]);
    // Backends differ in the type of an index, and do not add two of them.
    let begins: Tensor<B, 1, Int> = Tensor::arange(0..batch as i64, (&device, ends.dtype()));
    ends + begins * text_len as i64
}

/// Logits that hide what stands behind each text.
///
/// # Shapes
///
/// - ends: `[batch]`, as of [`ends`]
/// - output: `[batch, text_len]`
fn later_keys<B: Backend>(ends: Tensor<B, 1, Int>, shape: [usize; 2]) -> Tensor<B, 2> {
    let [batch, text_len] = shape;
    let numbers = 0..(batch * text_len) as i64;
    let numbers = Tensor::<B, 1, Int>::arange(numbers, (&ends.device(), ends.dtype()));
    let ends = ends.unsqueeze_dim::<2>(1).expand(shape);
    numbers.reshape(shape).greater(ends).float() * LATER_LOGIT
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

        let states = encoder.forward(ids.clone()).reshape([8, 8]);
        let at_ends = Tensor::cat(
            vec![states.clone().narrow(0, 2, 1), states.narrow(0, 7, 1)],
            0,
        );

        let embedding = encoder.embed(ids).into_data();
        let expected = encoder.project(at_ends).into_data();
        embedding.assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
    }

    #[test]
    #[should_panic(expected = "a text of 7 pieces, but only 6 positions")]
    fn a_text_longer_than_the_position_table_is_refused() {
        encoder().embed(Tensor::zeros([1, 7], &Default::default()));
    }
}
