//! The mask of a shifted grid: after the roll, a window may hold tokens from both ends of an axis,
//! and those must not attend to each other.
//!
//! Liu et al., "Swin Transformer" (ICCV 2021), section 3.2, in three axes. Each axis is split into
//! three slices: all but the last window, the last window up to the shift, and what was rolled in.
//! Tokens in different slices get −100 on their logit (as published: not minus infinity).

use burn::prelude::*;

use super::window::WindowGeometry;

/// What a pair of tokens from different regions gets added to its logit.
const SEPARATED: f64 = -100.0;

/// The region of each token in window order: tokens attend to each other when theirs are equal.
#[must_use]
pub fn shifted_window_regions(geometry: &WindowGeometry) -> Vec<i32> {
    let mut regions = Vec::with_capacity(geometry.padded.iter().product());
    geometry.for_each_window_token(|place| {
        let [frames, rows, columns] = [0, 1, 2].map(|axis| {
            let (length, window, shift) = (
                geometry.padded[axis],
                geometry.window[axis],
                geometry.shift[axis],
            );
            slice_of(place[axis], length, window, shift)
        });
        regions.push(9 * frames + 3 * rows + columns);
    });
    regions
}

/// An axis without shift is not split.
fn slice_of(place: usize, length: usize, window: usize, shift: usize) -> i32 {
    if shift == 0 || place < length - window {
        0
    } else if place < length - shift {
        1
    } else {
        2
    }
}

/// Turns regions into additive logits.
///
/// # Shapes
///
/// - regions: `[windows, tokens]`
/// - output: `[windows, tokens, tokens]`
#[must_use]
pub fn mask_between_regions<B: Backend>(regions: Tensor<B, 2, Int>) -> Tensor<B, 3> {
    let [windows, tokens] = regions.dims();
    let queries = regions.clone().reshape([windows, tokens, 1]);
    let keys = regions.reshape([windows, 1, tokens]);
    let shape = [windows, tokens, tokens];
    queries.expand(shape).not_equal(keys.expand(shape)).float() * SEPARATED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::TensorData;

    fn mask(geometry: &WindowGeometry) -> Vec<f32> {
        let shape = [geometry.windows(), geometry.window_tokens()];
        let regions = TensorData::new(shifted_window_regions(geometry), shape);
        mask_between_regions(Tensor::<TestBackend, 2, Int>::from_data(
            regions,
            &Default::default(),
        ))
        .into_data()
        .to_vec()
        .unwrap()
    }

    #[test]
    fn tokens_rolled_in_from_the_other_end_are_separated() {
        // Four tokens, windows of two, shift one: the last window holds tokens 3 and 0.
        let geometry = WindowGeometry::new([1, 1, 4], [1, 1, 2], [0, 0, 1]);

        assert_eq!(
            mask(&geometry),
            [0.0, 0.0, 0.0, 0.0, 0.0, -100.0, -100.0, 0.0]
        );
    }

    /// Plain loops over the grid after Liu et al.: which end of the rolled axis did a token come from?
    #[test]
    fn masked_positions_never_attend_across_a_shift() {
        let (grid, window, shift) = ([4, 6, 9], [2, 3, 3], [1, 1, 1]);
        let geometry = WindowGeometry::new(grid, window, shift);
        let rows = geometry.source_rows();
        let tokens = geometry.window_tokens();
        let place = |row: Option<usize>| {
            let row = row.unwrap();
            [row / (6 * 9), row / 9 % 6, row % 9]
        };

        let mask = mask(&geometry);

        for (pair, logit) in mask.iter().enumerate() {
            let (start, query, key) = (
                pair / (tokens * tokens) * tokens,
                pair / tokens % tokens,
                pair % tokens,
            );
            let (a, b) = (place(rows[start + query]), place(rows[start + key]));
            // Within one window, tokens further apart than the window were joined by the roll.
            let joined_by_roll = (0..3).any(|axis| a[axis].abs_diff(b[axis]) >= window[axis]);
            assert_eq!(*logit < 0.0, joined_by_roll, "{a:?} and {b:?}");
        }
    }

    #[test]
    fn an_axis_without_shift_is_not_split() {
        let geometry = WindowGeometry {
            shift: [1, 0, 0],
            ..WindowGeometry::new([4, 3, 3], [2, 3, 3], [1, 1, 1])
        };

        assert_eq!(
            mask(&geometry).iter().filter(|logit| **logit < 0.0).count(),
            2 * 9 * 9
        );
    }
}
