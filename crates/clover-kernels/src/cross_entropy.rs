//! Cross entropy of a softmax over a large vocabulary.

use burn::prelude::*;

/// The logit of an entry that does not take part: its share is exactly zero in 32-bit floats.
const EXCLUDED: f64 = -10_000.0;

/// Each row's negative log likelihood of its label.
///
/// ```text
/// log(sum_j exp(x_j)) - x_label = log(1 + sum_{j != label} exp(x_j - x_label))
/// ```
///
/// The second form is computed: where the label is nearly certain, the first is a difference of
/// two large numbers, and loses what it is about.
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
    assert_eq!(
        labels.dims(),
        [rows],
        "softmax cross entropy: one label a row is needed"
    );

    #[cfg(feature = "flex")]
    if let Some(output) = crate::dispatch::softmax_cross_entropy(&logits, &labels) {
        return output;
    }
    portable(logits, labels)
}

/// The composition every backend has.
pub fn portable<B: Backend>(logits: Tensor<B, 2>, labels: Tensor<B, 1, Int>) -> Tensor<B, 1> {
    let [rows, vocabulary] = logits.dims();
    let labels = labels.reshape([rows, 1]);
    let own = logits.clone().gather(1, labels.clone());
    let entries = Tensor::<B, 1, Int>::arange(0..vocabulary as i64, &logits.device());
    let is_own = entries
        .unsqueeze::<2>()
        .expand([rows, vocabulary])
        .equal(labels.expand([rows, vocabulary]));
    let gaps = (logits - own).mask_fill(is_own, EXCLUDED);
    // Taken out of the sum, so that nothing overflows; the value does not depend on it.
    let largest = gaps.clone().max_dim(1).clamp_min(0.0).detach();
    let others = (gaps - largest.clone()).exp().sum_dim(1);
    let own = largest.clone().neg().exp() - 1.0;
    (largest + (others + own).log1p()).reshape([rows])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{Tracked, assert_agree, assert_close, leaf};

    #[test]
    fn loss_is_the_log_of_the_share_and_its_gradient_the_share_less_one() {
        let device = Default::default();
        let logits = [[0.0, 3.0_f32.ln()], [1000.0, 1000.0]];
        let logits = Tracked::<2>::from_data(logits, &device).require_grad();
        let labels = Tensor::from_data([1, 0], &device);

        let losses = softmax_cross_entropy(logits.clone(), labels);
        let gradient = logits.grad(&losses.clone().sum().backward()).unwrap();

        let expected = Tensor::from_data([(4.0_f32 / 3.0).ln(), 2.0_f32.ln()], &device);
        // A thousand rounds the second row's logarithm to 6e-5.
        assert_close("loss", losses.inner(), expected, 1e-4);
        let expected = Tensor::from_data([[0.25, -0.25], [-0.5, 0.5]], &device);
        assert_close("gradient", gradient, expected, 1e-4);
    }

    #[test]
    fn kernel_agrees_with_the_composition_at_any_vocabulary() {
        for (rows, vocabulary) in [(1, 1), (3, 7), (2, 16), (5, 1003)] {
            let logits = leaf([rows, vocabulary], 1);
            let labels = Tensor::<_, 1, Int>::arange(0..rows as i64, &Default::default())
                .mul_scalar(97)
                .remainder_scalar(vocabulary as i64);
            assert_agree!(
                1e-5,
                [logits],
                softmax_cross_entropy(logits.clone(), labels.clone()),
                portable(logits.clone(), labels.clone())
            );
        }
    }
}
