//! The text encoder: [`Bert`], or CLIP's.
//!
//! Clover, section 3.1, has Devlin et al., "BERT" (NAACL 2019).

mod bert;
mod embeddings;

pub use bert::{Bert, BertConfig};
pub use embeddings::{TextEmbeddings, TextEmbeddingsConfig};

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Noise;
use crate::clip::{ClipTextConfig, MaskedClipText, unit_length};
use crate::heads::{TextProjection, cls_feature};
use crate::one_of::module_is_one_of;

/// Configuration to create a [`TextEncoder`] using the [init function](TextEncoderConfig::init).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextEncoderConfig {
    /// CLIP's text encoder.
    Clip(ClipTextConfig),
    /// BERT; in a file its sizes stand by themselves.
    #[serde(untagged)]
    Bert(BertConfig),
}

/// Turns pieces of words into contextual features.
///
/// Should be created with [`TextEncoderConfig`].
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a model has one, whose parameters lie elsewhere"
)]
pub enum TextEncoder<B: Backend> {
    /// CLIP's.
    Clip(MaskedClipText<B>),
    /// BERT.
    Bert(Bert<B>),
}

module_is_one_of!(TextEncoder { Clip(MaskedClipText), Bert(Bert) });

impl From<BertConfig> for TextEncoderConfig {
    fn from(config: BertConfig) -> Self {
        Self::Bert(config)
    }
}

impl From<ClipTextConfig> for TextEncoderConfig {
    fn from(config: ClipTextConfig) -> Self {
        Self::Clip(config)
    }
}

impl TextEncoderConfig {
    /// Width of the tokens.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Clip(clip) => clip.width,
            Self::Bert(bert) => bert.hidden,
        }
    }

    /// Attention heads.
    #[must_use]
    pub fn heads(&self) -> usize {
        match self {
            Self::Clip(clip) => clip.heads,
            Self::Bert(bert) => bert.heads,
        }
    }

    /// Width inside the feed-forward networks.
    #[must_use]
    pub fn inner(&self) -> usize {
        match self {
            Self::Clip(clip) => clip.inner(),
            Self::Bert(bert) => bert.inner,
        }
    }

    /// Pieces in the vocabulary. CLIP's has none for a mask; its number is one past the others.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        match self {
            Self::Clip(clip) => clip.vocabulary,
            Self::Bert(bert) => bert.vocabulary,
        }
    }

    /// Makes room for another number of pieces.
    pub fn set_vocabulary(&mut self, pieces: usize) {
        match self {
            Self::Clip(clip) => clip.vocabulary = pieces,
            Self::Bert(bert) => bert.vocabulary = pieces,
        }
    }

    /// Pieces of the longest text.
    #[must_use]
    pub fn longest_text(&self) -> usize {
        match self {
            Self::Clip(clip) => clip.max_positions,
            Self::Bert(bert) => bert.max_positions,
        }
    }

    /// Makes room for texts of another length.
    pub fn set_longest_text(&mut self, pieces: usize) {
        match self {
            Self::Clip(clip) => clip.max_positions = pieces,
            Self::Bert(bert) => bert.max_positions = pieces,
        }
    }

    /// Width of the embedding, where the encoder has a projection of its own.
    #[must_use]
    pub fn embedding(&self) -> Option<usize> {
        match self {
            Self::Clip(clip) => Some(clip.embedding),
            Self::Bert(_) => None,
        }
    }

    /// The sizes of a BERT, if it is one.
    #[must_use]
    pub fn bert(&self) -> Option<&BertConfig> {
        match self {
            Self::Clip(_) => None,
            Self::Bert(bert) => Some(bert),
        }
    }

    /// Drops units at this rate; CLIP never does.
    pub fn set_dropout(&mut self, rate: f64) {
        if let Self::Bert(bert) = self {
            bert.dropout = rate;
        }
    }

    /// Initializes a new [`TextEncoder`] module.
    ///
    /// # Panics
    ///
    /// Panics if heads do not divide the width.
    pub fn init<B: Backend>(&self, device: &B::Device) -> TextEncoder<B> {
        match self {
            Self::Clip(clip) => TextEncoder::Clip(clip.init_masked(device)),
            Self::Bert(bert) => TextEncoder::Bert(bert.init(device)),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), String> {
        match self {
            Self::Clip(clip) => clip.validate(),
            Self::Bert(bert) => bert.validate(),
        }
    }
}

impl<B: Backend> TextEncoder<B> {
    /// Encodes texts, token by token.
    ///
    /// # Shapes
    ///
    /// - token_ids: `[batch, text_len]`. BERT: position 0 holds `[CLS]`. CLIP: start of text, pieces, end
    ///   of text
    /// - attention_mask: `[batch, text_len]`, 1 for tokens and 0 for padding, which CLIP's tokens do not
    ///   see because it stands behind them
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
        match self {
            Self::Clip(clip) => clip.forward(token_ids),
            Self::Bert(bert) => bert.forward(token_ids, attention_mask, noise),
        }
    }

    /// Where in each text the token stands that stands for it, as `row * text_len + column`: `[CLS]`, or
    /// the end of the text.
    ///
    /// # Shapes
    ///
    /// - token_ids: `[batch, text_len]`, masked or not
    /// - output: `[batch]`
    pub fn feature_positions(&self, token_ids: Tensor<B, 2, Int>) -> Tensor<B, 1, Int> {
        match self {
            Self::Clip(clip) => clip.ends(token_ids),
            Self::Bert(_) => {
                let [batch, text_len] = token_ids.dims();
                Tensor::arange(0..batch as i64, &token_ids.device()) * text_len as i64
            }
        }
    }

    /// What stands for each text: the tokens at the [feature's position](Self::feature_positions).
    ///
    /// # Shapes
    ///
    /// - tokens: `[batch, text_len, dim]`, of this encoder or of the fusion encoder
    /// - token_ids: `[batch, text_len]`
    /// - output: `[batch, dim]`
    pub fn feature(&self, tokens: Tensor<B, 3>, token_ids: Tensor<B, 2, Int>) -> Tensor<B, 2> {
        match self {
            Self::Clip(clip) => {
                let [batch, text_len, dim] = tokens.dims();
                let rows = tokens.reshape([batch * text_len, dim]);
                clover_kernels::gather_rows(rows, clip.ends(token_ids))
            }
            Self::Bert(_) => cls_feature(tokens),
        }
    }

    /// Embeds texts by themselves, as of [`forward`](Self::forward) and [`embed`](Self::embed).
    ///
    /// # Shapes
    ///
    /// - token_ids, attention_mask: `[batch, text_len]`
    /// - output: `[batch, dim]`
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn embed_texts(
        &self,
        token_ids: Tensor<B, 2, Int>,
        attention_mask: Tensor<B, 2, Int>,
        projection: Option<&TextProjection<B>>,
        noise: &mut Noise,
    ) -> Tensor<B, 2> {
        match self {
            Self::Clip(clip) => unit_length(clip.embed(token_ids)),
            Self::Bert(_) => {
                let tokens = self.forward(token_ids.clone(), attention_mask, noise);
                self.embed(tokens, token_ids, projection, noise)
            }
        }
    }

    /// Embeds texts: by `projection`, or by CLIP's own.
    ///
    /// # Shapes
    ///
    /// - tokens: `[batch, text_len, dim]`, of [`forward`](Self::forward)
    /// - token_ids: `[batch, text_len]`
    /// - output: `[batch, dim]`; not normalized to unit length if by `projection`
    pub fn embed(
        &self,
        tokens: Tensor<B, 3>,
        token_ids: Tensor<B, 2, Int>,
        projection: Option<&TextProjection<B>>,
        noise: &mut Noise,
    ) -> Tensor<B, 2> {
        let feature = self.feature(tokens, token_ids);
        match (self, projection) {
            (Self::Clip(clip), _) => unit_length(clip.text.project(feature)),
            (Self::Bert(_), Some(projection)) => projection.forward(feature, noise),
            (Self::Bert(_), None) => feature,
        }
    }
}
