//! The learned token that stands in for masked regions of a clip.
//!
//! Clover, section 3.3: complete and masked samples share one encoder. A region is one cell of a
//! coarse grid (7 x 7 as published) and masked in every frame.

use burn::module::Param;
use burn::prelude::*;

use crate::init::truncated_normal;

/// Configuration to create a [`MaskToken`] using the [init function](MaskTokenConfig::init).
#[derive(Config, Debug)]
pub struct MaskTokenConfig {
    /// Width of the tokens.
    pub channels: usize,
}

/// Replaces the tokens of masked regions.
///
/// Should be created with [`MaskTokenConfig`].
#[derive(Module, Debug)]
pub struct MaskToken<B: Backend> {
    /// `[1, channels, 1, 1, 1]`, the published layout.
    token: Param<Tensor<B, 5>>,
}

impl MaskTokenConfig {
    /// Initializes a new [`MaskToken`] module.
    pub fn init<B: Backend>(&self, device: &B::Device) -> MaskToken<B> {
        MaskToken {
            token: truncated_normal([1, self.channels, 1, 1, 1], 0.02, device),
        }
    }
}

impl<B: Backend> MaskToken<B> {
    /// Puts the learned token wherever the region is masked: `x (1 - w) + token w`.
    ///
    /// # Shapes
    ///
    /// - tokens: `[batch, frames, height, width, channels]`
    /// - region_mask: `[batch, rows, columns]`, 1 where masked and 0 elsewhere
    /// - output: `[batch, frames, height, width, channels]`
    ///
    /// # Panics
    ///
    /// Panics if the token grid has fewer rows or columns than the region grid.
    pub fn forward(&self, tokens: Tensor<B, 5>, region_mask: Tensor<B, 3>) -> Tensor<B, 5> {
        let shape = tokens.dims();
        let [batch, frames, height, width, channels] = shape;
        let [_, rows, columns] = region_mask.dims();
        assert!(
            height >= rows && width >= columns,
            "mask token: a {height} x {width} token grid does not divide into {rows} x {columns} regions"
        );

        let cells = batch * frames * height * width;
        let region_mask = region_mask.cast(tokens.dtype());
        let masked = repeat_regions(region_mask, [height, width])
            .reshape([batch, 1, height * width])
            .expand([batch, frames, height * width])
            .reshape([cells, 1]);
        let token = self.token.val().reshape([1, channels]);
        // One row a token, which backends scale and fill faster than five axes.
        let kept: Tensor<B, 2> = tokens.reshape([cells, channels]) * (1.0 - masked.clone());
        (masked.matmul(token) + kept).reshape(shape)
    }
}

/// Repeats each region over the tokens it covers; where tokens do not divide into regions evenly, a token
/// belongs to the region in which it begins.
fn repeat_regions<B: Backend>(regions: Tensor<B, 3>, [height, width]: [usize; 2]) -> Tensor<B, 3> {
    let [batch, rows, columns] = regions.dims();
    if height.is_multiple_of(rows) && width.is_multiple_of(columns) {
        let (down, across) = (height / rows, width / columns);
        return regions
            .reshape([batch, rows, 1, columns, 1])
            .expand([batch, rows, down, columns, across])
            .reshape([batch, height, width]);
    }
    let device = regions.device();
    let of = |tokens: usize, regions: usize| {
        let places: Vec<i64> = (0..tokens)
            .map(|token| (token * regions / tokens) as i64)
            .collect();
        Tensor::<B, 1, Int>::from_ints(places.as_slice(), &device)
    };
    regions
        .select(1, of(height, rows))
        .select(2, of(width, columns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::TensorData;

    #[test]
    fn a_token_across_two_regions_belongs_to_the_one_it_begins_in() {
        let regions = Tensor::<TestBackend, 3>::from_data([[[1.0, 0.0]]], &Default::default());

        let row = repeat_regions(regions, [1, 3]).into_data();

        row.assert_eq(&TensorData::from([[[1.0_f32, 1.0, 0.0]]]), true);
    }

    #[test]
    fn masked_regions_hold_the_token_in_every_frame() {
        let device = Default::default();
        let mask_token = MaskToken::<TestBackend> {
            token: Param::from_tensor(Tensor::full([1, 1, 1, 1, 1], 9.0, &device)),
        };
        let tokens = Tensor::ones([1, 2, 2, 4, 1], &device);
        let right_half = Tensor::from_data([[[0.0, 1.0]]], &device);

        let masked = mask_token.forward(tokens, right_half).reshape([4, 4]);

        let row = [1.0_f32, 1.0, 9.0, 9.0];
        masked
            .into_data()
            .assert_eq(&TensorData::from([row, row, row, row]), true);
    }
}
