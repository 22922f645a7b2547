//! Columns of a table, taken many times each by indices known beforehand.

use burn::prelude::*;
use burn::tensor::ops::IntTensor;

use crate::gathered::{Moves, SummedGather};
use crate::rows::index_tensor;

/// Gradients of one column that are added at once. Columns taken more often take further rounds, and
/// columns taken less often are filled up with zeros.
const GROUP: usize = 16;

/// Takes columns of a table by an index that stays: column `i` of the output is column `index[i]`.
///
/// A column may be taken any number of times. The gradients of its copies are added in rounds of up
/// to sixteen, each a gather by an index computed here, once.
#[derive(Debug, Clone)]
pub struct ColumnLookup<B: Backend> {
    moves: Moves<IntTensor<B>>,
    columns: usize,
}

impl<B: Backend> ColumnLookup<B> {
    /// Of a table with `columns` columns.
    ///
    /// # Panics
    ///
    /// Panics if an index is not below `columns`, or there are 2^31 indices.
    pub fn new(index: &[usize], columns: usize, device: &B::Device) -> Self {
        let tensor = |step: SummedGather<Vec<usize>>| SummedGather {
            index: index_tensor::<B>(&step.index, device).into_primitive(),
            group: step.group,
            padded: step.padded,
        };
        Self {
            moves: Moves {
                dim: 1,
                forward: tensor(SummedGather {
                    index: index.to_vec(),
                    group: 1,
                    padded: false,
                }),
                backward: rounds(index, columns).into_iter().map(tensor).collect(),
            },
            columns,
        }
    }

    /// Looks the columns up.
    ///
    /// # Shapes
    ///
    /// - table: `[rows, columns]`
    /// - output: `[rows, index.len()]`
    ///
    /// # Panics
    ///
    /// Panics if the table has another number of columns.
    pub fn forward(&self, table: Tensor<B, 2>) -> Tensor<B, 2> {
        let [_, columns] = table.dims();
        assert_eq!(columns, self.columns, "column lookup: columns of the table");
        crate::autodiff::moves(&self.moves, &table).unwrap_or_else(|| self.moves.compose(table))
    }
}

/// The gathers that add up the copies of each of `columns` columns.
fn rounds(index: &[usize], columns: usize) -> Vec<SummedGather<Vec<usize>>> {
    let mut copies = vec![Vec::new(); columns];
    for (place, &column) in index.iter().enumerate() {
        copies[column].push(place);
    }
    let mut entries = index.len();
    let mut rounds = Vec::new();
    loop {
        let most = copies.iter().map(Vec::len).max().unwrap_or(0);
        if most <= GROUP {
            let lists = copies.iter().map(Vec::as_slice);
            rounds.push(round(lists, most.max(1), entries));
            return rounds;
        }
        rounds.push(round(
            copies.iter().flat_map(|copies| copies.chunks(GROUP)),
            GROUP,
            entries,
        ));
        // Each sum of this round is an entry of the next.
        entries = 0;
        for copies in &mut copies {
            let sums = copies.len().div_ceil(GROUP);
            *copies = (entries..entries + sums).collect();
            entries += sums;
        }
    }
}

/// One sum for each list of at most `group` entries.
fn round<'a>(
    lists: impl Iterator<Item = &'a [usize]>,
    group: usize,
    entries: usize,
) -> SummedGather<Vec<usize>> {
    let mut index = Vec::new();
    let mut padded = false;
    for list in lists {
        index.extend_from_slice(list);
        let missing = group - list.len();
        padded |= missing > 0;
        index.extend(std::iter::repeat_n(entries, missing));
    }
    SummedGather {
        index,
        group,
        padded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::agreement::{assert_agree, leaf};
    use burn::backend::Autodiff;

    type Tracked = Autodiff<TestBackend>;

    /// Burn's own selection, and its derivative.
    fn selected(index: &[usize], table: Tensor<Tracked, 2>) -> Tensor<Tracked, 2> {
        let index = index_tensor(index, &table.device());
        table.select(1, index)
    }

    #[test]
    fn gradients_are_the_sums_over_all_copies_however_many() {
        crate::register_autodiff::<Tracked>();
        let table = leaf([3, 9], 1);
        // None of column 8, 1 of column 7, 16 of 6, 17 of 5, 700 of 0.
        let mut index = [vec![7], vec![6; 16], vec![5; 17], vec![0; 700]].concat();
        index.extend((0..200).map(|i| i * i % 5));
        let lookup = ColumnLookup::new(&index, 9, &Default::default());

        assert_eq!(lookup.moves.backward.len(), 3);
        assert_agree!(
            1e-6,
            [table],
            lookup.forward(table.clone()),
            selected(&index, table.clone())
        );
    }

    #[test]
    fn one_round_without_padding_is_enough_where_each_column_is_taken_once() {
        let [round] = rounds(&[2, 0, 1], 3).try_into().unwrap();

        assert_eq!(
            (round.index, round.group, round.padded),
            (vec![1, 2, 0], 1, false)
        );
    }

    #[test]
    fn every_copy_is_added_once() {
        let index: Vec<usize> = (0..1000).map(|i| i * i % 13).collect();
        let mut values: Vec<f64> = (0..1000).map(f64::from).collect();
        let mut expected = [0.0; 14];
        for (value, &column) in values.iter().zip(&index) {
            expected[column] += value;
        }

        for round in rounds(&index, 14) {
            values.push(0.0);
            let sums = round.index.chunks(round.group);
            values = sums
                .map(|sum| sum.iter().map(|&i| values[i]).sum())
                .collect();
        }

        assert_eq!(values, expected);
    }
}
