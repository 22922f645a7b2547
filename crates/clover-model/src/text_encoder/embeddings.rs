//! BERT's input: word piece, position and segment embeddings, normalized.
//!
//! Devlin et al., "BERT" (NAACL 2019), figure 2. A text is one segment, so segment 0 throughout.

use burn::nn::{Embedding, EmbeddingConfig, Initializer, LayerNorm, LayerNormConfig};
use burn::prelude::*;

use crate::Noise;
use crate::fused::normalize;
use crate::transformer::BERT_EPSILON;

/// BERT knows two segments; a caption or question uses the first.
const SEGMENTS: usize = 2;

/// Configuration to create [`TextEmbeddings`] using the [init function](TextEmbeddingsConfig::init).
#[derive(Config, Debug)]
pub struct TextEmbeddingsConfig {
    /// Word pieces in the vocabulary.
    pub vocabulary: usize,
    /// Width of the tokens.
    pub hidden: usize,
    /// Rows of the position table: the longest text.
    pub max_positions: usize,
    /// Dropout of the sum. BERT: 0.1.
    #[config(default = 0.1)]
    pub dropout: f64,
}

/// Sums word, position and segment embeddings.
///
/// Should be created with [`TextEmbeddingsConfig`].
#[derive(Module, Debug)]
pub struct TextEmbeddings<B: Backend> {
    word: Embedding<B>,
    position: Embedding<B>,
    segment: Embedding<B>,
    norm: LayerNorm<B>,
    dropout: f64,
}

impl TextEmbeddingsConfig {
    /// Initializes new [`TextEmbeddings`].
    pub fn init<B: Backend>(&self, device: &B::Device) -> TextEmbeddings<B> {
        let table = |rows| {
            EmbeddingConfig::new(rows, self.hidden)
                .with_initializer(Initializer::Normal {
                    mean: 0.0,
                    std: 0.02,
                })
                .init(device)
        };
        TextEmbeddings {
            word: table(self.vocabulary),
            position: table(self.max_positions),
            segment: table(SEGMENTS),
            norm: LayerNormConfig::new(self.hidden)
                .with_epsilon(BERT_EPSILON)
                .init(device),
            dropout: self.dropout,
        }
    }
}

impl<B: Backend> TextEmbeddings<B> {
    /// Looks up word pieces.
    ///
    /// # Shapes
    ///
    /// - token_ids: `[batch, text_len]`
    /// - output: `[batch, text_len, dim]`
    ///
    /// # Panics
    ///
    /// Panics if the text is longer than the position table.
    pub fn forward(&self, token_ids: Tensor<B, 2, Int>, noise: &mut Noise) -> Tensor<B, 3> {
        let [batch, text_len] = token_ids.dims();
        let [max_positions, dim] = self.position.weight.dims();
        assert!(
            text_len <= max_positions,
            "text embeddings: {text_len} word pieces, but only {max_positions} positions"
        );

        let position = self.position.weight.val().narrow(0, 0, text_len);
        let segment = self.segment.weight.val().narrow(0, 0, 1);
        // A text as one row, so that the places are added row by row.
        let place = (position + segment).reshape([1, text_len * dim]);
        let words = clover_kernels::gather_rows(
            self.word.weight.val(),
            token_ids.reshape([batch * text_len]),
        );
        let sum = words.reshape([batch, text_len * dim]) + place;
        let sum = sum.reshape([batch, text_len, dim]);
        noise.dropout(normalize(&self.norm, BERT_EPSILON, sum), self.dropout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;

    #[test]
    fn the_same_word_differs_by_its_place() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 2);
        let embeddings = TextEmbeddingsConfig::new(10, 8, 4).init::<TestBackend>(&device);

        let same_word = Tensor::from_data([[5, 5]], &device);
        let [first, second]: [Vec<f32>; 2] = [0, 1].map(|place| {
            let row = embeddings
                .forward(same_word.clone(), &mut Noise::quiet())
                .narrow(1, place, 1);
            row.into_data().to_vec().unwrap()
        });

        assert!(first.iter().zip(&second).any(|(a, b)| (a - b).abs() > 1e-3));
    }

    #[test]
    #[should_panic(expected = "5 word pieces, but only 4 positions")]
    fn a_text_longer_than_the_position_table_is_refused() {
        let device = Default::default();
        let embeddings = TextEmbeddingsConfig::new(10, 8, 4).init::<TestBackend>(&device);

        embeddings.forward(Tensor::zeros([1, 5], &device), &mut Noise::quiet());
    }
}
