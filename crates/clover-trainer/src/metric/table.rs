//! Embeddings held on the CPU, in 32 or 16 bits.

use burn::tensor::f16;

use crate::error::TrainerError;

/// What a row is divided by at least, as PyTorch does: a row of zeros stays one.
const SMALLEST_NORM: f64 = 1e-12;

/// Independent partial sums of a dot product, which the compiler turns into vector instructions.
const LANES: usize = 8;

/// How embeddings are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// As they are.
    #[default]
    F32,
    /// In half the memory; a cosine is then off by some ten-thousandths.
    F16,
}

/// Rows of unit length.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingTable {
    what: &'static str,
    values: Values,
    dim: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    F32(Vec<f32>),
    F16(Vec<f16>),
}

impl EmbeddingTable {
    /// A table without rows; errors call its rows `what`.
    #[must_use]
    pub fn new(what: &'static str, storage: Storage) -> Self {
        Self {
            what,
            values: match storage {
                Storage::F32 => Values::F32(Vec::new()),
                Storage::F16 => Values::F16(Vec::new()),
            },
            dim: 0,
        }
    }

    /// A table of the rows that follow each other in `values`.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push); or `values` holds no whole number of rows.
    pub fn of_rows(
        what: &'static str,
        storage: Storage,
        values: &[f32],
        dim: usize,
    ) -> Result<Self, TrainerError> {
        let mut table = Self::new(what, storage);
        if dim == 0 || !values.len().is_multiple_of(dim) {
            return Err(TrainerError::EmbeddingsLength {
                what,
                values: values.len(),
                expected: values.len().next_multiple_of(dim.max(1)),
            });
        }
        values
            .chunks_exact(dim)
            .try_for_each(|row| table.push(row))?;
        Ok(table)
    }

    /// Adds a row, divided by its length.
    ///
    /// # Errors
    ///
    /// A value is not finite, or the row is not as wide as the first.
    pub fn push(&mut self, row: &[f32]) -> Result<(), TrainerError> {
        if self.is_empty() {
            self.dim = row.len();
        }
        let what = self.what;
        if row.is_empty() || row.len() != self.dim {
            return Err(TrainerError::EmbeddingsLength {
                what,
                values: row.len(),
                expected: self.dim.max(1),
            });
        }
        if !row.iter().all(|value| value.is_finite()) {
            let row = self.len();
            return Err(TrainerError::NotFinite { what, row });
        }
        // In 64 bits, where no finite 32-bit row overflows.
        let squares: f64 = row.iter().map(|&value| f64::from(value).powi(2)).sum();
        let norm = squares.sqrt().max(SMALLEST_NORM);
        let unit = row.iter().map(|&value| (f64::from(value) / norm) as f32);
        match &mut self.values {
            Values::F32(values) => values.extend(unit),
            Values::F16(values) => values.extend(unit.map(f16::from_f32)),
        }
        Ok(())
    }

    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        let values = match &self.values {
            Values::F32(values) => values.len(),
            Values::F16(values) => values.len(),
        };
        values.checked_div(self.dim).unwrap_or(0)
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values of a row.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// What errors call the rows.
    pub(super) fn what(&self) -> &'static str {
        self.what
    }

    /// Some rows, one after the other.
    ///
    /// # Panics
    ///
    /// Panics if there are not so many.
    #[must_use]
    pub fn rows(&self, rows: std::ops::Range<usize>) -> Vec<f32> {
        let values = rows.start * self.dim..rows.end * self.dim;
        match &self.values {
            Values::F32(all) => all[values].to_vec(),
            Values::F16(all) => all[values].iter().map(|value| value.to_f32()).collect(),
        }
    }

    /// The cosine of a row and a row of another table.
    ///
    /// # Panics
    ///
    /// Panics if there is no such row.
    #[must_use]
    pub fn cosine(&self, row: usize, other: &Self, other_row: usize) -> f32 {
        match (&self.values, &other.values) {
            (Values::F32(a), Values::F32(b)) => dot(
                &a[row * self.dim..(row + 1) * self.dim],
                &b[other_row * other.dim..(other_row + 1) * other.dim],
            ),
            _ => dot(
                &self.rows(row..row + 1),
                &other.rows(other_row..other_row + 1),
            ),
        }
    }
}

/// The dot product of two rows of one width.
fn dot(a: &[f32], b: &[f32]) -> f32 {
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
mod tests {
    use super::*;

    #[test]
    fn rows_have_unit_length_in_both_storages() {
        for storage in [Storage::F32, Storage::F16] {
            let table = EmbeddingTable::of_rows("text", storage, &[3.0, 4.0, 0.0, 0.0], 2).unwrap();

            let rows = table.rows(0..2);

            let close = |a: f32, b: f32| (a - b).abs() < 1e-3;
            assert!(close(rows[0], 0.6) && close(rows[1], 0.8), "{rows:?}");
            assert!(close(rows[2], 0.0) && close(rows[3], 0.0));
            assert!((table.cosine(0, &table, 0) - 1.0).abs() < 1e-3);
            assert_eq!((table.len(), table.dim()), (2, 2));
        }
    }

    #[test]
    fn a_row_that_is_not_finite_or_of_another_width_is_named() {
        let mut table = EmbeddingTable::new("video", Storage::F16);
        table.push(&[1.0, 0.0]).unwrap();

        let infinite = table.push(&[f32::INFINITY, 0.0]).unwrap_err();
        let wide = table.push(&[1.0, 0.0, 0.0]).unwrap_err();

        assert_eq!(
            infinite.to_string(),
            "row 1 of the video embeddings is not finite"
        );
        assert!(wide.to_string().contains("3 values instead of 2"), "{wide}");
    }

    #[test]
    fn half_a_row_is_an_error_and_the_largest_row_none() {
        let rows = |values: &[f32]| EmbeddingTable::of_rows("text", Storage::F32, values, 2);

        assert_eq!(
            rows(&[1.0, 2.0, 3.0]).unwrap_err().to_string(),
            "the text embeddings hold 3 values instead of 4"
        );
        assert_eq!(rows(&[f32::MAX, 0.0]).unwrap().rows(0..1), [1.0, 0.0]);
    }

    #[test]
    fn a_dot_product_covers_whole_lanes_and_the_rest() {
        let a: Vec<f32> = (1..=11_u8).map(f32::from).collect();

        assert!((dot(&a, &a) - 506.0).abs() < 1e-9);
    }
}
