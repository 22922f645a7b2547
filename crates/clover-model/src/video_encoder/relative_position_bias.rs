//! The learned bias of window attention: one value a head for each offset between two tokens.
//!
//! Liu et al., "Video Swin Transformer" (CVPR 2022), section 3.2, equation 1.

use burn::module::Param;
use burn::prelude::*;
use clover_kernels::ColumnLookup;

/// Rows of the bias table: the offsets that a window allows.
#[must_use]
pub fn relative_positions(window: [usize; 3]) -> usize {
    window.iter().map(|extent| 2 * extent - 1).product()
}

/// The table row for each pair of tokens of a full window, `[tokens, tokens]` row by row.
///
/// Tokens are counted frame-major, then row by row. A row is
/// `(Δframe + f − 1)(2h − 1)(2w − 1) + (Δrow + h − 1)(2w − 1) + (Δcolumn + w − 1)`.
#[must_use]
pub fn relative_position_index(window: [usize; 3]) -> Vec<usize> {
    let tokens: usize = window.iter().product();
    relative_position_block(window, tokens)
}

/// The top-left `tokens x tokens` block of [`relative_position_index`].
///
/// This is what the published code takes when a window is clipped. When only the time axis is
/// clipped it is the geometric offset; when a spatial axis is clipped it is not: positions are read
/// as if they were the first cells of the full window. Trained weights expect it.
#[must_use]
pub fn relative_position_block(window: [usize; 3], tokens: usize) -> Vec<usize> {
    let [_, height, width] = window;
    let place = |token: usize| {
        [
            token / (height * width),
            token / width % height,
            token % width,
        ]
    };
    let mut index = Vec::with_capacity(tokens * tokens);
    for query in (0..tokens).map(place) {
        for key in (0..tokens).map(place) {
            index.push([0, 1, 2].into_iter().fold(0, |row, axis| {
                let offset = query[axis] + window[axis] - 1 - key[axis];
                row * (2 * window[axis] - 1) + offset
            }));
        }
    }
    index
}

/// The offset of each pair of tokens, for windows of `tokens` tokens: one lookup for all blocks of a
/// stage.
#[must_use]
pub fn relative_position_lookup<B: Backend>(
    window: [usize; 3],
    tokens: usize,
    device: &B::Device,
) -> ColumnLookup<B> {
    let index = relative_position_block(window, tokens);
    ColumnLookup::new(&index, relative_positions(window), device)
}

/// Looks the bias up.
///
/// # Shapes
///
/// - table: `[relative positions, heads]`
/// - output: `[heads, tokens, tokens]`
pub(super) fn relative_position_bias<B: Backend>(
    table: &Param<Tensor<B, 2>>,
    lookup: &ColumnLookup<B>,
    tokens: usize,
) -> Tensor<B, 3> {
    let [_, heads] = table.dims();
    // Heads first, so that the selected values need no further copy.
    lookup
        .forward(table.val().transpose())
        .reshape([heads, tokens, tokens])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_places_share_the_middle_row() {
        let index = relative_position_index([8, 7, 7]);

        assert_eq!(relative_positions([8, 7, 7]), 2535);
        assert!((0..392).all(|token| index[token * 392 + token] == 1267));
    }

    #[test]
    fn offsets_count_frames_then_rows_then_columns() {
        // Window 2 x 1 x 2: offsets -1..1 in frames and columns, so three columns a frame offset.
        let index = relative_position_index([2, 1, 2]);

        // Token 0 is (frame 0, column 0); keys (0,0), (0,1), (1,0), (1,1).
        assert_eq!(index[..4], [4, 3, 1, 0]);
    }

    #[test]
    fn a_window_clipped_in_time_keeps_geometric_offsets() {
        let clipped = relative_position_block([3, 2, 2], 8);

        let place = |token: usize| [token / 4, token / 2 % 2, token % 2];
        for (pair, row) in clipped.iter().enumerate() {
            let (query, key) = (place(pair / 8), place(pair % 8));
            let [frames, rows, columns] =
                [(0, 2), (1, 1), (2, 1)].map(|(axis, most)| query[axis] + most - key[axis]);
            assert_eq!(*row, frames * 9 + rows * 3 + columns);
        }
    }
}
