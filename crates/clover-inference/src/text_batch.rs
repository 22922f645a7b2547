//! Texts as a model reads them, and what passes for one.

use burn::prelude::*;
use clover_data::batch::stack_texts;
use clover_data::dataset::{MAX_CAPTION_BYTES, MAX_CAPTION_WORDS};
use clover_data::text::Encoding;

use crate::{Embedder, InferenceError};

/// Texts in word pieces, one a row.
pub(crate) struct TextBatch<B: Backend> {
    /// `[texts, text_len]`
    pub(crate) ids: Tensor<B, 2, Int>,
    /// `[texts, text_len]`
    pub(crate) mask: Tensor<B, 2, Int>,
    pub(crate) encodings: Vec<Encoding>,
    /// Pieces of the longest text, which padding stands behind.
    pub(crate) longest: usize,
    /// Whether one has more word pieces than the model reads.
    pub(crate) cut: bool,
}

impl<B: Backend> Embedder<B> {
    pub(crate) fn text_batch<S: AsRef<str>>(
        &self,
        texts: &[S],
    ) -> Result<TextBatch<B>, InferenceError> {
        let text_len = self.preprocessing().text_len;
        let (mut encodings, mut cut) = (Vec::new(), false);
        for text in texts {
            cut |= self.is_cut(text.as_ref())?;
            encodings.push(self.tokenizer().encode(text.as_ref(), text_len)?);
        }
        let ids: Vec<_> = encodings.iter().map(|text| &text.ids[..]).collect();
        let masks: Vec<_> = encodings
            .iter()
            .map(|text| &text.attention_mask[..])
            .collect();
        let pieces = |mask: &&[_]| mask.iter().filter(|piece| **piece == 1).count();
        let longest = masks.iter().map(pieces).max().unwrap_or(text_len);
        let [ids, mask] = stack_texts(&ids, &masks, self.device());
        Ok(TextBatch {
            ids,
            mask,
            encodings,
            longest,
            cut,
        })
    }

    /// Whether a text has more word pieces than the model reads.
    pub(crate) fn is_cut(&self, text: &str) -> Result<bool, InferenceError> {
        let text_len = self.preprocessing().text_len;
        let longer = self.tokenizer().encode(text, text_len + 1)?;
        Ok(longer.attention_mask.last() == Some(&1))
    }
}

/// A text without blanks around it, within the bounds of annotation files; `name` is what errors call it.
pub(crate) fn checked_text(
    text: &str,
    name: impl Fn() -> String,
) -> Result<String, InferenceError> {
    let text = text.trim();
    let wrong = |reason| {
        Err(InferenceError::Question {
            text: name(),
            reason,
        })
    };
    if text.is_empty() {
        return wrong("is empty".to_owned());
    }
    let words = text.split_whitespace().count();
    if words > MAX_CAPTION_WORDS || text.len() > MAX_CAPTION_BYTES {
        return wrong(format!(
            "has {words} words and {} bytes; at most {MAX_CAPTION_WORDS} words and \
             {MAX_CAPTION_BYTES} bytes are read",
            text.len()
        ));
    }
    Ok(text.to_owned())
}
