//! Cosine similarity divided by a temperature.
//!
//! ```text
//! s(a, b) = <a, b> / (max(|a|, 1e-8) max(|b|, 1e-8) temperature)
//! ```

use burn::prelude::*;

use crate::Temperature;

/// The smallest norm a vector is divided by, squared: a zero vector stays zero, and its gradient
/// finite.
const SMALLEST_SQUARED_NORM: f64 = 1e-16;

/// Divides each row by its length.
///
/// # Shapes
///
/// - embeddings: `[batch, dim]`
/// - output: `[batch, dim]`
pub fn unit_rows<B: Backend>(embeddings: Tensor<B, 2>) -> Tensor<B, 2> {
    let squared = (embeddings.clone() * embeddings.clone()).sum_dim(1);
    embeddings / squared.clamp_min(SMALLEST_SQUARED_NORM).sqrt()
}

/// Scaled similarity of every row of `a` with every row of `b`, both already of unit length.
///
/// # Shapes
///
/// - a: `[rows, dim]`
/// - b: `[columns, dim]`
/// - output: `[rows, columns]`
pub fn scaled_similarity<B: Backend>(
    a: Tensor<B, 2>,
    b: Tensor<B, 2>,
    temperature: impl Into<Temperature<B>>,
) -> Tensor<B, 2> {
    temperature.into().divide(a.matmul(b.transpose()))
}

/// Scaled similarity of each row of `a` with the same row of `b`, both already of unit length.
///
/// # Shapes
///
/// - a, b: `[batch, dim]`
/// - output: `[batch, 1]`
pub fn paired_similarity<B: Backend>(
    a: Tensor<B, 2>,
    b: Tensor<B, 2>,
    temperature: impl Into<Temperature<B>>,
) -> Tensor<B, 2> {
    temperature.into().divide((a * b).sum_dim(1))
}

/// Each row's cross entropy of its own column, the one of the same index: the anchor's own positive
/// against all. A single row has none.
///
/// # Shapes
///
/// - similarities: `[batch, batch]`
/// - output: `[batch]`
pub(crate) fn cross_entropy_of_own<B: Backend>(similarities: Tensor<B, 2>) -> Tensor<B, 1> {
    let [batch, _] = similarities.dims();
    let own = Tensor::arange(0..batch as i64, &similarities.device());
    clover_kernels::softmax_cross_entropy(similarities, own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TestAutodiffBackend, TestBackend};
    use burn::tensor::{TensorData, Tolerance};

    #[test]
    fn rows_get_unit_length() {
        let rows = Tensor::<TestBackend, 2>::from_data([[3.0, 4.0]], &Default::default());

        let expected = TensorData::from([[0.6_f32, 0.8]]);
        unit_rows(rows)
            .into_data()
            .assert_approx_eq::<f32>(&expected, Tolerance::default());
    }

    #[test]
    fn a_zero_row_stays_zero_and_has_a_finite_gradient() {
        // Uploaded, as data is: Burn's fusion panics where it sums over a tensor that it has filled
        // itself, and so has no input (https://github.com/tracel-ai/burn/issues/5292).
        let zeros = TensorData::zeros::<f32, _>([1, 3]);
        let rows = Tensor::<TestAutodiffBackend, 2>::from_data(zeros, &Default::default());
        let rows = rows.require_grad();

        let unit = unit_rows(rows.clone());

        let gradient = rows.grad(&unit.clone().sum().backward()).unwrap();
        assert!(
            unit.into_data()
                .to_vec::<f32>()
                .unwrap()
                .iter()
                .all(|value| *value == 0.0)
        );
        assert!(
            gradient
                .into_data()
                .to_vec::<f32>()
                .unwrap()
                .iter()
                .all(|g| g.is_finite())
        );
    }

    #[test]
    fn similarity_is_the_cosine_over_the_temperature() {
        let device = Default::default();
        let a = Tensor::<TestBackend, 2>::from_data([[1.0, 0.0]], &device);
        let b = Tensor::<TestBackend, 2>::from_data([[0.6, 0.8], [0.0, 1.0]], &device);

        let similarity = scaled_similarity(a, b, 0.05);

        let expected = TensorData::from([[12.0_f32, 0.0]]);
        similarity
            .into_data()
            .assert_approx_eq::<f32>(&expected, Tolerance::default());
    }

    #[test]
    fn large_similarities_do_not_overflow() {
        let similarities = [[1000.0, 1000.0], [-1000.0, 1000.0]];
        let similarities = Tensor::<TestBackend, 2>::from_data(similarities, &Default::default());

        let expected = TensorData::from([2.0_f32.ln(), 0.0]);
        cross_entropy_of_own(similarities)
            .into_data()
            .assert_approx_eq::<f32>(&expected, Tolerance::default());
    }
}
