//! Scores of retrieval: dot products of rows of length one.

use crate::error::TrainerError;

/// PyTorch's guard of a division by a row's length: a row of zeros stays one.
const SMALLEST_NORM: f64 = 1e-12;

/// Queries scored together, so that each candidate is fetched from memory once for all of them.
const BLOCK: usize = 32;

/// Independent partial sums of a dot product, which the compiler turns into vector instructions.
const LANES: usize = 8;

/// Rows of equal width, each of length one.
#[derive(Debug)]
pub(super) struct UnitRows {
    values: Vec<f32>,
    dim: usize,
}

impl UnitRows {
    /// Divides every row by its length.
    ///
    /// Fails where `values` holds no whole number of rows, or a value that is not finite.
    pub(super) fn new(
        what: &'static str,
        values: &[f32],
        dim: usize,
    ) -> Result<Self, TrainerError> {
        if dim == 0 || !values.len().is_multiple_of(dim) {
            return Err(TrainerError::EmbeddingsLength {
                what,
                values: values.len(),
                expected: values.len().next_multiple_of(dim.max(1)),
            });
        }
        let mut units = Vec::with_capacity(values.len());
        for (row, values) in values.chunks_exact(dim).enumerate() {
            if !values.iter().all(|value| value.is_finite()) {
                return Err(TrainerError::NotFinite { what, row });
            }
            // In 64 bits, where no finite 32-bit row overflows.
            let squares: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
            let norm = squares.sqrt().max(SMALLEST_NORM);
            units.extend(values.iter().map(|&value| (f64::from(value) / norm) as f32));
        }
        Ok(Self { values: units, dim })
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dim..(row + 1) * self.dim]
    }

    /// Calls `visit` with each row's number and its scores of all candidates.
    pub(super) fn for_each_score_row(
        &self,
        candidates: &Self,
        mut visit: impl FnMut(usize, &[f32]),
    ) {
        let columns = candidates.len();
        let mut scores = vec![0.0; BLOCK * columns];
        for start in (0..self.len()).step_by(BLOCK) {
            let end = (start + BLOCK).min(self.len());
            for column in 0..columns {
                for row in start..end {
                    scores[(row - start) * columns + column] =
                        dot(self.row(row), candidates.row(column));
                }
            }
            for row in start..end {
                let first = (row - start) * columns;
                visit(row, &scores[first..first + columns]);
            }
        }
    }
}

/// The dot product of two rows of one width.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = std::iter::zip(a_lanes.remainder(), b_lanes.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in std::iter::zip(a_lanes, b_lanes) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values compared are exact")]
mod tests {
    use super::*;

    #[test]
    fn rows_become_unit_length_and_zeros_stay() {
        let rows = UnitRows::new("text", &[3.0, 4.0, 0.0, 0.0, f32::MAX, 0.0], 2).expect("rows");

        assert_eq!(rows.row(0), [0.6, 0.8]);
        assert_eq!(rows.row(1), [0.0, 0.0]);
        assert_eq!(rows.row(2), [1.0, 0.0]);
    }

    #[test]
    fn a_value_that_is_not_finite_is_named_by_its_row() {
        let error = UnitRows::new("video", &[1.0, 2.0, f32::NAN, 3.0], 2).expect_err("not finite");

        assert_eq!(
            error.to_string(),
            "row 1 of the video embeddings is not finite"
        );
    }

    #[test]
    fn a_broken_row_is_an_error() {
        let error = UnitRows::new("text", &[1.0, 2.0, 3.0], 2).expect_err("half a row");

        assert_eq!(
            error.to_string(),
            "the text embeddings hold 3 values instead of 4"
        );
    }

    #[test]
    fn a_dot_product_covers_whole_lanes_and_the_rest() {
        let a: Vec<f32> = (1..=11_u8).map(f32::from).collect();

        assert_eq!(dot(&a, &a), 506.0);
    }

    #[test]
    fn every_query_is_scored_across_blocks() {
        let count = BLOCK + 3;
        let queries = UnitRows::new("query", &vec![2.0; count], 1).expect("rows");
        let candidates = UnitRows::new("candidate", &[5.0, -5.0], 1).expect("rows");
        let mut visited = Vec::new();

        queries.for_each_score_row(&candidates, |row, scores| {
            assert_eq!(scores, [1.0, -1.0]);
            visited.push(row);
        });

        assert_eq!(visited, (0..count).collect::<Vec<_>>());
    }
}
