//! Windows: how a token grid is cut into them, with or without a shift.
//!
//! Liu et al., "Video Swin Transformer" (CVPR 2022), section 3.2. Rolling, padding and cutting
//! move whole token rows, so a stage computes one row index per kind of block and every block
//! gathers with it, instead of rolling and permuting.

use burn::prelude::*;
use burn::tensor::TensorData;
use clover_kernels::RowPermutation;

use super::shifted_window_mask::{mask_between_regions, shifted_window_regions};

/// The window and the shift that a grid really gets: an axis no longer than the window becomes one
/// window without shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowGeometry {
    /// Tokens along frames, height and width.
    pub grid: [usize; 3],
    /// The grid padded at the end of each axis to whole windows.
    pub padded: [usize; 3],
    /// Window extent along frames, height and width.
    pub window: [usize; 3],
    /// Shift along frames, height and width.
    pub shift: [usize; 3],
}

impl WindowGeometry {
    /// Clips `window` and `shift` to the grid and pads the grid.
    #[must_use]
    pub fn new(grid: [usize; 3], window: [usize; 3], shift: [usize; 3]) -> Self {
        let fits = |axis: usize| grid[axis] <= window[axis];
        let clipped = [0, 1, 2].map(|axis| if fits(axis) { grid[axis] } else { window[axis] });
        Self {
            grid,
            padded: [0, 1, 2].map(|axis| grid[axis].next_multiple_of(clipped[axis])),
            window: clipped,
            shift: [0, 1, 2].map(|axis| if fits(axis) { 0 } else { shift[axis] }),
        }
    }

    /// Tokens in one window.
    #[must_use]
    pub fn window_tokens(&self) -> usize {
        self.window.iter().product()
    }

    /// Windows in one padded grid.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.padded.iter().product::<usize>() / self.window_tokens()
    }

    fn is_shifted(&self) -> bool {
        self.shift != [0; 3]
    }

    /// For each token in window order, its row in the grid before padding and shift, or nothing
    /// where it is padding.
    #[must_use]
    pub fn source_rows(&self) -> Vec<Option<usize>> {
        let [frames, height, width] = self.grid;
        let mut rows = Vec::with_capacity(self.padded.iter().product());
        self.for_each_window_token(|place| {
            let source = |axis: usize| (place[axis] + self.shift[axis]) % self.padded[axis];
            let [frame, row, column] = [0, 1, 2].map(source);
            let inside = frame < frames && row < height && column < width;
            rows.push(inside.then_some((frame * height + row) * width + column));
        });
        rows
    }

    /// Visits the padded, already shifted grid in window order: windows frame-major, and so inside.
    pub(super) fn for_each_window_token(&self, mut visit: impl FnMut([usize; 3])) {
        let [window_frames, window_height, window_width] = self.window;
        let [frames, height, width] = self.padded;
        for frame_start in (0..frames).step_by(window_frames) {
            for row_start in (0..height).step_by(window_height) {
                for column_start in (0..width).step_by(window_width) {
                    for frame in frame_start..frame_start + window_frames {
                        for row in row_start..row_start + window_height {
                            for column in column_start..column_start + window_width {
                                visit([frame, row, column]);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Cuts token grids of one shape into windows and puts them together again.
#[derive(Clone, Debug)]
pub struct WindowPartition<B: Backend> {
    geometry: WindowGeometry,
    /// From the rows of the batch to the order of windows, where padding is empty.
    rows: RowPermutation<B>,
    mask: Option<Tensor<B, 3>>,
}

impl<B: Backend> WindowPartition<B> {
    /// Precomputes row indices, and the mask of a shifted grid, for batches of one shape.
    #[must_use]
    pub fn new(batch: usize, geometry: WindowGeometry, device: &B::Device) -> Self {
        let source_rows = geometry.source_rows();
        let tokens: usize = geometry.grid.iter().product();
        let all_rows: Vec<_> = (0..batch)
            .flat_map(|sample| {
                let of_sample = move |row: &Option<usize>| row.map(|row| sample * tokens + row);
                source_rows.iter().map(of_sample)
            })
            .collect();
        Self {
            geometry,
            rows: RowPermutation::new(&all_rows, batch * tokens, device),
            mask: geometry
                .is_shifted()
                .then(|| shifted_window_mask(&geometry, device)),
        }
    }

    /// What the logits of a shifted grid get added.
    ///
    /// # Shapes
    ///
    /// - output: `[windows, tokens, tokens]`, the windows of one sample
    #[must_use]
    pub fn mask(&self) -> Option<Tensor<B, 3>> {
        self.mask.clone()
    }

    /// Pads with zeros, shifts and cuts.
    ///
    /// # Shapes
    ///
    /// - tokens: `[batch, frames, height, width, channels]`
    /// - output: `[batch * windows, tokens, channels]`
    pub fn partition(&self, tokens: Tensor<B, 5>) -> Tensor<B, 3> {
        let [batch, frames, height, width, channels] = tokens.dims();
        debug_assert_eq!([frames, height, width], self.geometry.grid);
        let tokens = tokens.reshape([batch * frames * height * width, channels]);
        let rows = self.rows.forward(tokens);
        let windows = batch * self.geometry.windows();
        rows.reshape([windows, self.geometry.window_tokens(), channels])
    }

    /// Undoes [`partition`](Self::partition): joins, shifts back and crops the padding.
    ///
    /// # Shapes
    ///
    /// - windows: `[batch * windows, tokens, channels]`
    /// - output: `[batch, frames, height, width, channels]`
    pub fn merge(&self, windows: Tensor<B, 3>) -> Tensor<B, 5> {
        let [all_windows, window_tokens, channels] = windows.dims();
        let batch = all_windows / self.geometry.windows();
        let windows = windows.reshape([all_windows * window_tokens, channels]);
        let rows = self.rows.inverse(windows);
        let [frames, height, width] = self.geometry.grid;
        rows.reshape([batch, frames, height, width, channels])
    }
}

/// The additive mask as a tensor, built on the device from one region label a token.
fn shifted_window_mask<B: Backend>(geometry: &WindowGeometry, device: &B::Device) -> Tensor<B, 3> {
    let shape = [geometry.windows(), geometry.window_tokens()];
    let regions = TensorData::new(shifted_window_regions(geometry), shape);
    mask_between_regions(Tensor::from_data(regions, device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::Distribution;

    #[test]
    fn an_axis_within_the_window_becomes_one_window_without_shift() {
        let geometry = WindowGeometry::new([4, 56, 56], [8, 7, 7], [4, 3, 3]);

        assert_eq!(geometry.window, [4, 7, 7]);
        assert_eq!(geometry.shift, [0, 3, 3]);
        assert_eq!(geometry.padded, [4, 56, 56]);
    }

    #[test]
    fn a_grid_is_padded_to_whole_windows() {
        let geometry = WindowGeometry::new([9, 10, 3], [8, 7, 7], [4, 3, 3]);

        assert_eq!(geometry.padded, [16, 14, 3]);
        assert_eq!(geometry.windows(), 4);
    }

    #[test]
    fn windows_are_read_row_by_row() {
        let geometry = WindowGeometry::new([1, 2, 4], [1, 2, 2], [0, 0, 0]);

        assert_eq!(geometry.source_rows(), [0, 1, 4, 5, 2, 3, 6, 7].map(Some));
    }

    #[test]
    fn a_shift_rolls_the_grid_towards_its_start() {
        let geometry = WindowGeometry::new([1, 1, 4], [1, 1, 2], [0, 0, 1]);

        // The row 0 1 2 3 becomes 1 2 3 0, then is cut in two.
        assert_eq!(geometry.source_rows(), [1, 2, 3, 0].map(Some));
    }

    #[test]
    fn padding_stands_behind_each_axis() {
        let geometry = WindowGeometry::new([1, 1, 3], [1, 1, 2], [0, 0, 1]);

        // The row 0 1 2 and one padding becomes 1 2 padding 0, then is cut in two.
        assert_eq!(geometry.source_rows(), [Some(1), Some(2), None, Some(0)]);
    }

    #[test]
    fn merging_undoes_partitioning_with_padding_and_shift() {
        let device = Default::default();
        let geometry = WindowGeometry::new([3, 5, 4], [2, 3, 3], [1, 1, 1]);
        let partition = WindowPartition::<TestBackend>::new(2, geometry, &device);
        let tokens = Tensor::random([2, 3, 5, 4, 6], Distribution::Default, &device);

        let merged = partition.merge(partition.partition(tokens.clone()));

        merged.into_data().assert_eq(&tokens.into_data(), true);
    }
}
