//! Patch embedding: cuts a clip into 3-D patches and projects each to a token.
//!
//! Liu et al., "Video Swin Transformer" (CVPR 2022), section 3.1: patches of 2 x 4 x 4 pixels.
//! A convolution whose stride is its kernel is one matrix product over the patches.

use burn::nn::conv::{Conv3d, Conv3dConfig};
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::prelude::*;
use burn::tensor::ops::PadMode;

use crate::fused::{LAYER_NORM_EPSILON, normalize};

/// Configuration to create a [`PatchEmbedding`] using the [init function](PatchEmbeddingConfig::init).
#[derive(Config, Debug)]
pub struct PatchEmbeddingConfig {
    /// Width of the tokens.
    pub channels: usize,
    /// Pixels of a patch along frames, height and width.
    #[config(default = "[2, 4, 4]")]
    pub patch: [usize; 3],
    /// Channels of a clip.
    #[config(default = 3)]
    pub clip_channels: usize,
}

/// Turns a clip into a grid of tokens.
///
/// Should be created with [`PatchEmbeddingConfig`].
#[derive(Module, Debug)]
pub struct PatchEmbedding<B: Backend> {
    projection: Conv3d<B>,
    norm: LayerNorm<B>,
}

impl PatchEmbeddingConfig {
    /// Initializes a new [`PatchEmbedding`] module.
    pub fn init<B: Backend>(&self, device: &B::Device) -> PatchEmbedding<B> {
        PatchEmbedding {
            projection: Conv3dConfig::new([self.clip_channels, self.channels], self.patch)
                .with_stride(self.patch)
                .init(device),
            norm: LayerNormConfig::new(self.channels)
                .with_epsilon(LAYER_NORM_EPSILON)
                .init(device),
        }
    }
}

impl<B: Backend> PatchEmbedding<B> {
    /// Embeds a clip, padded with zeros at the end of width, height and time to whole patches. A
    /// still image is a clip of one frame; the padding is its second. From here on everything has the
    /// float type of the weights.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`
    /// - output: `[batch, ceil(frames / 2), ceil(height / 4), ceil(width / 4), channels]`
    ///
    /// # Panics
    ///
    /// Panics if the clip's channels differ from the configuration.
    pub fn forward(&self, clips: Tensor<B, 5>) -> Tensor<B, 5> {
        let [channels, clip_channels, ..] = self.projection.weight.dims();
        let [batch, found, ..] = clips.dims();
        assert_eq!(
            found, clip_channels,
            "patch embedding: clip channels differ"
        );

        let patch = self.projection.kernel_size;
        let clips = pad_to_patches(clips.cast(self.projection.weight.val().dtype()), patch);
        let [_, _, frames, height, width] = clips.dims();
        let grid = [frames / patch[0], height / patch[1], width / patch[2]];
        let patches = cut_patches(clips, patch);
        let [_, patch_values] = patches.dims();
        let weight = self
            .projection
            .weight
            .val()
            .reshape([channels, patch_values])
            .transpose();
        let bias = self.projection.bias.as_ref().map(|bias| bias.val());
        let tokens = clover_kernels::linear(patches, weight, bias);
        normalize(&self.norm, LAYER_NORM_EPSILON, tokens)
            .reshape([batch, grid[0], grid[1], grid[2], channels])
    }
}

fn pad_to_patches<B: Backend>(clips: Tensor<B, 5>, patch: [usize; 3]) -> Tensor<B, 5> {
    let [_, _, frames, height, width] = clips.dims();
    let extra = |length: usize, patch: usize| (0, length.next_multiple_of(patch) - length);
    let padding = [
        extra(frames, patch[0]),
        extra(height, patch[1]),
        extra(width, patch[2]),
    ];
    if padding.iter().all(|(_, end)| *end == 0) {
        return clips;
    }
    clips.pad(padding, PadMode::Constant(0.0))
}

/// One row a patch, in the order of the convolution's kernel: channel, frame, row, column.
///
/// # Shapes
///
/// - clips: `[batch, channels, frames, height, width]`, whole patches
/// - output: `[batch * grid, channels * patch]`
fn cut_patches<B: Backend>(clips: Tensor<B, 5>, patch: [usize; 3]) -> Tensor<B, 2> {
    let [batch, channels, frames, height, width] = clips.dims();
    let [depth, patch_height, patch_width] = patch;
    let [times, rows, columns] = [frames / depth, height / patch_height, width / patch_width];
    // Eight axes in all, and the ndarray backend stops at six: first time and height, with the
    // pixels of a patch row and the whole width folded together, then width.
    clips
        .reshape([batch, channels, times, depth, rows, patch_height * width])
        .permute([0, 2, 4, 1, 3, 5])
        .reshape([
            batch * times * rows,
            channels * depth * patch_height,
            columns,
            patch_width,
        ])
        .permute([0, 2, 1, 3])
        .reshape([
            batch * times * rows * columns,
            channels * depth * patch_height * patch_width,
        ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::{Distribution, Tolerance};

    #[test]
    fn equals_the_strided_convolution() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 6);
        let embedding = PatchEmbeddingConfig::new(5).init::<TestBackend>(&device);
        let clips = Tensor::random([2, 3, 4, 8, 12], Distribution::Default, &device);

        let tokens = embedding.forward(clips.clone());

        let convolved = embedding.projection.forward(clips).permute([0, 2, 3, 4, 1]);
        let expected = embedding.norm.forward(convolved);
        tokens
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-5));
    }

    #[test]
    fn a_still_image_is_followed_by_an_empty_frame() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 6);
        let embedding = PatchEmbeddingConfig::new(4).init::<TestBackend>(&device);
        let image = Tensor::random([1, 3, 1, 5, 8], Distribution::Default, &device);
        let empty = Tensor::zeros([1, 3, 1, 5, 8], &device);

        let alone = embedding.forward(image.clone());

        assert_eq!(alone.dims(), [1, 1, 2, 2, 4]);
        let followed = embedding.forward(Tensor::cat(vec![image, empty], 2));
        alone.into_data().assert_eq(&followed.into_data(), true);
    }
}
