//! What an answer looks at: the fused attention over regions and frames.
//!
//! Clover, section 3.1: a question is answered from one text position of the fusion encoder's output,
//! and that position's row of the last layer's attention says where the answer came from.

mod overlay;

use burn::prelude::*;

pub use overlay::{AttentionOverlay, HEAT_COLORS};

/// How much the position that answers a question attends to each region and frame.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionMap {
    /// Time steps, rows and columns; a time step is as many frames as the video encoder joins.
    pub grid: [usize; 3],
    /// `[frames, height, width]`, the last axis varying fastest; what is missing to 1 is the text's.
    pub values: Vec<f32>,
}

impl AttentionMap {
    /// The maps of a batch, as the models return them.
    ///
    /// # Shapes
    ///
    /// - attention: `[batch, frames, height, width]`
    pub fn of_batch<B: Backend>(attention: Tensor<B, 4>) -> Vec<Self> {
        let [_, frames, height, width] = attention.dims();
        let values: Vec<f32> = attention.into_data().convert::<f32>().iter().collect();
        let each = values.chunks((frames * height * width).max(1));
        each.map(|values| Self {
            grid: [frames, height, width],
            values: values.to_vec(),
        })
        .collect()
    }

    /// The share that goes to the video, between 0 and 1.
    #[must_use]
    pub fn video_share(&self) -> f32 {
        self.values.iter().sum::<f32>().clamp(0.0, 1.0)
    }

    /// The largest share that goes to one region of a time step.
    #[must_use]
    pub fn largest_share(&self) -> f32 {
        self.values.iter().copied().fold(0.0, f32::max)
    }

    /// What each region of each time step would get if the video's share went to all alike.
    #[must_use]
    pub fn even_share(&self) -> f32 {
        self.video_share() / self.values.len().max(1) as f32
    }

    /// The share that is shown brightest: the largest, but at least twice what each region would get if
    /// all got alike. A model without preferences is neither bright nor dark.
    #[must_use]
    pub fn brightest_share(&self) -> f32 {
        self.largest_share().max(2.0 * self.even_share())
    }

    /// The values of a time step, `[height, width]`; empty beyond the last.
    #[must_use]
    pub fn step(&self, step: usize) -> &[f32] {
        let regions = self.grid[1] * self.grid[2];
        let start = step.saturating_mul(regions);
        self.values
            .get(start..start.saturating_add(regions))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;

    #[test]
    fn a_map_knows_its_steps_and_sums() {
        let map = AttentionMap {
            grid: [2, 1, 2],
            values: vec![0.1, 0.2, 0.05, 0.15],
        };

        assert!((map.video_share() - 0.5).abs() < 1e-6);
        assert!((map.largest_share() - 0.2).abs() < 1e-6);
        assert!((map.even_share() - 0.125).abs() < 1e-6);
        assert!((map.brightest_share() - 0.25).abs() < 1e-6);
        assert_eq!(map.step(1), [0.05, 0.15]);
        assert!(map.step(2).is_empty());
    }

    #[test]
    fn each_clip_of_a_batch_has_its_own_map() {
        let attention = [
            [[[0.1_f32, 0.2]], [[0.3, 0.4]]],
            [[[0.5, 0.6]], [[0.7, 0.8]]],
        ];
        let attention = Tensor::<TestBackend, 4>::from_data(attention, &Default::default());

        let maps = AttentionMap::of_batch(attention);

        assert_eq!(maps.len(), 2);
        assert_eq!(maps[1].grid, [2, 1, 2]);
        assert_eq!(maps[1].values, [0.5, 0.6, 0.7, 0.8]);
    }
}
