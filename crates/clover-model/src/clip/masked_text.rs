//! CLIP's text encoder on texts with masked words.
//!
//! CLIP's vocabulary has no piece for a mask. One is learned beside its table, so that the table stays as it was
//! published (Clover, section 3.3, needs one to hide a word).

use burn::module::Param;
use burn::prelude::*;

use super::text::{ClipText, ClipTextConfig};
use crate::init::normal;

/// CLIP's text encoder and an embedding for masked words, whose number is one past the vocabulary.
///
/// Should be created with [`ClipTextConfig::init_masked`].
#[derive(Module, Debug)]
pub struct MaskedClipText<B: Backend> {
    /// Encodes texts.
    pub text: ClipText<B>,
    /// Stands for a masked word: `[dim]`.
    pub mask_embedding: Param<Tensor<B, 1>>,
}

impl ClipTextConfig {
    /// Initializes a new [`MaskedClipText`] module.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `width`.
    pub fn init_masked<B: Backend>(&self, device: &B::Device) -> MaskedClipText<B> {
        MaskedClipText {
            text: self.init(device),
            // As the pieces.
            mask_embedding: normal([self.width], 0.02, device),
        }
    }
}

impl<B: Backend> MaskedClipText<B> {
    /// Encodes texts, token by token.
    ///
    /// # Shapes
    ///
    /// - token_ids: `[batch, text_len]`, as of [`ClipText::forward`]; a masked word is the number one past the
    ///   vocabulary
    /// - output: `[batch, text_len, dim]`, normalized by the last LayerNorm
    ///
    /// # Panics
    ///
    /// Panics if the texts are longer than the position table.
    pub fn forward(&self, token_ids: Tensor<B, 2, Int>) -> Tensor<B, 3> {
        self.text.encode(self.pieces(token_ids))
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
        let features = self.text.encode_ends(pieces, self.ends(token_ids));
        self.text.project(features)
    }

    fn pieces(&self, token_ids: Tensor<B, 2, Int>) -> Tensor<B, 3> {
        let [batch, text_len] = token_ids.dims();
        let (masked, ids) = self.split(token_ids);
        let pieces = self.text.pieces(ids);
        let [_, _, dim] = pieces.dims();
        let shape = [batch, text_len, dim];
        let mask_embedding = self.mask_embedding.val().cast(pieces.dtype());
        pieces.mask_where(
            masked.unsqueeze_dim::<3>(2).expand(shape),
            mask_embedding.reshape([1, 1, dim]).expand(shape),
        )
    }

    /// Where each text ends, as `row * text_len + column`.
    ///
    /// # Shapes
    ///
    /// - token_ids: `[batch, text_len]`
    /// - output: `[batch]`
    pub fn ends(&self, token_ids: Tensor<B, 2, Int>) -> Tensor<B, 1, Int> {
        let (_, ids) = self.split(token_ids);
        super::text::ends(ids)
    }

    /// Where words are masked, and the other pieces.
    fn split(&self, token_ids: Tensor<B, 2, Int>) -> (Tensor<B, 2, Bool>, Tensor<B, 2, Int>) {
        let mask = self.text.vocabulary() as i64;
        let masked = token_ids.clone().greater_equal_elem(mask);
        (masked.clone(), token_ids.mask_fill(masked, 0))
    }
}
