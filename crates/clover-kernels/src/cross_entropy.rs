//! Cross entropy of a softmax over a large vocabulary.

use burn::prelude::*;
use burn::tensor::activation::log_softmax;

/// Each row's negative log likelihood of its label: `log(sum(exp(logits))) - logits[label]`.
///
/// # Shapes
///
/// - logits: `[rows, vocabulary]`
/// - labels: `[rows]`, each below `vocabulary`
/// - output: `[rows]`
///
/// # Panics
///
/// Panics if there is not one label a row.
pub fn softmax_cross_entropy<B: Backend>(
    logits: Tensor<B, 2>,
    labels: Tensor<B, 1, Int>,
) -> Tensor<B, 1> {
    let [rows, _] = logits.dims();
    assert_eq!(labels.dims(), [rows], "softmax cross entropy: one label a row is needed");

    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::softmax_cross_entropy(&logits, &labels) {
        return output;
    }
    portable(logits, labels)
}

/// The composition every backend has.
pub(crate) fn portable<B: Backend>(
    logits: Tensor<B, 2>,
    labels: Tensor<B, 1, Int>,
) -> Tensor<B, 1> {
    let [rows, _] = logits.dims();
    log_softmax(logits, 1).gather(1, labels.reshape([rows, 1])).reshape([rows]).neg()
}
