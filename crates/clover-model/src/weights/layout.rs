//! PyTorch keeps linear weights as `[output, input]`, Burn as `[input, output]`.

/// Rows and columns that are turned together: both fit the fast cache.
const BLOCK: usize = 32;

/// A matrix `[rows, columns]` with rows and columns exchanged.
pub(super) fn transposed(values: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    let mut turned = vec![0.0; values.len()];
    for row in (0..rows).step_by(BLOCK) {
        let last_row = rows.min(row + BLOCK);
        for column in (0..columns).step_by(BLOCK) {
            let last_column = columns.min(column + BLOCK);
            for from in row..last_row {
                let line = &values[from * columns + column..from * columns + last_column];
                for (value, to) in line.iter().zip(column..) {
                    turned[to * rows + from] = *value;
                }
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_changes_row_for_column() {
        let [rows, columns] = [45, 70];
        let values: Vec<f32> = (0..45 * 70_u16).map(f32::from).collect();

        let turned = transposed(&values, [rows, columns]);

        for row in 0..rows {
            for column in 0..columns {
                let (from, to) = (row * columns + column, column * rows + row);
                assert!(turned[to].to_bits() == values[from].to_bits());
            }
        }
    }
}
