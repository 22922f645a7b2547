//! Cosine similarity divided by a temperature.
//!
//! ```text
//! s(a, b) = <a, b> / (max(|a|, 1e-8) max(|b|, 1e-8) temperature)
//! ```

use burn::prelude::*;

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
    temperature: f64,
) -> Tensor<B, 2> {
    a.matmul(b.transpose()) / temperature
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
    temperature: f64,
) -> Tensor<B, 2> {
    (a * b).sum_dim(1) / temperature
}

/// `log sum exp` along one axis, which stays with length 1. The largest term is taken out first;
/// the value does not depend on it, so no gradient flows through it.
pub(crate) fn log_sum_exp<B: Backend>(x: Tensor<B, 2>, dim: usize) -> Tensor<B, 2> {
    let largest = x.clone().max_dim(dim).detach();
    (x - largest.clone()).exp().sum_dim(dim).log() + largest
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
    fn log_sum_exp_of_large_terms_does_not_overflow() {
        let x = Tensor::<TestBackend, 2>::from_data([[1000.0, 1000.0]], &Default::default());

        let expected = TensorData::from([[1000.0 + 2.0_f32.ln()]]);
        log_sum_exp(x, 1)
            .into_data()
            .assert_approx_eq::<f32>(&expected, Tolerance::default());
    }
}
