//! Video Swin Transformer, with masked regions.
//!
//! Liu et al., "Video Swin Transformer" (CVPR 2022); Clover, section 3.1. Windows, sizes and frame
//! counts are free: grids are padded, and windows clipped, as the published implementation does.

use burn::nn::{LayerNorm, LayerNormConfig};
use burn::prelude::*;

use super::StageEnding;
use super::{MaskToken, MaskTokenConfig, PatchEmbedding, PatchEmbeddingConfig, Stage, StageConfig};
use crate::Noise;
use crate::fused::{LAYER_NORM_EPSILON, normalize};

/// Configuration to create a [`VideoSwin`] using the [init function](VideoSwinConfig::init).
#[derive(Config, Debug)]
pub struct VideoSwinConfig {
    /// Width of the first stage's tokens; each further stage doubles it. Base: 128.
    pub embed_dim: usize,
    /// Blocks of each stage. Base: 2, 2, 18, 2.
    pub depths: Vec<usize>,
    /// Attention heads of each stage. Base: 4, 8, 16, 32.
    pub heads: Vec<usize>,
    /// The full window: frames, height, width.
    #[config(default = "[8, 7, 7]")]
    pub window: [usize; 3],
    /// Pixels of a patch along frames, height and width.
    #[config(default = "[2, 4, 4]")]
    pub patch: [usize; 3],
    /// Width of the perceptrons in multiples of the tokens'.
    #[config(default = 4)]
    pub mlp_ratio: usize,
    /// Stochastic depth of the last block, rising linearly from 0 at the first. Base: 0.3.
    #[config(default = 0.3)]
    pub drop_path: f64,
}

/// Turns clips into a grid of features.
///
/// Should be created with [`VideoSwinConfig`].
#[derive(Module, Debug)]
pub struct VideoSwin<B: Backend> {
    patch_embedding: PatchEmbedding<B>,
    mask_token: MaskToken<B>,
    stages: Vec<Stage<B>>,
    norm: LayerNorm<B>,
}

impl VideoSwinConfig {
    /// Channels of the output.
    #[must_use]
    pub fn output_channels(&self) -> usize {
        self.embed_dim << self.depths.len().saturating_sub(1)
    }

    /// Time steps of the output for a clip of `frames`.
    #[must_use]
    pub fn output_frames(&self, frames: usize) -> usize {
        frames.div_ceil(self.patch[0])
    }

    /// Rows (or columns) of the output for a clip of `size` pixels in height (or width).
    #[must_use]
    pub fn output_rows(&self, size: usize) -> usize {
        let patches = size.div_ceil(self.patch[1]);
        (1..self.depths.len()).fold(patches, |rows, _| rows.div_ceil(2))
    }

    /// Pixels of the clip along a side of one region of the output. Base: 32.
    #[must_use]
    pub fn region_side(&self) -> usize {
        self.patch[1] << self.depths.len().saturating_sub(1)
    }

    /// Initializes a new [`VideoSwin`] module, with the token for masked regions.
    ///
    /// # Panics
    ///
    /// Panics if depths and heads differ in length or a stage's heads do not divide its channels.
    pub fn init<B: Backend>(&self, device: &B::Device) -> VideoSwin<B> {
        assert_eq!(
            self.depths.len(),
            self.heads.len(),
            "video swin: one head count a stage"
        );
        let mut drop_path = self.drop_path_of_each_block().into_iter();
        let last = self.depths.len().saturating_sub(1);
        let stages = self.depths.iter().zip(&self.heads).enumerate();
        VideoSwin {
            patch_embedding: PatchEmbeddingConfig::new(self.embed_dim)
                .with_patch(self.patch)
                .init(device),
            mask_token: MaskTokenConfig::new(self.embed_dim).init(device),
            stages: stages
                .map(|(stage, (depth, heads))| {
                    StageConfig {
                        channels: self.embed_dim << stage,
                        heads: *heads,
                        window: self.window,
                        mlp_ratio: self.mlp_ratio,
                        drop_path: drop_path.by_ref().take(*depth).collect(),
                        ending: if stage == last {
                            StageEnding::Plain
                        } else {
                            StageEnding::MergePatches
                        },
                    }
                    .init(device)
                })
                .collect(),
            norm: LayerNormConfig::new(self.output_channels())
                .with_epsilon(LAYER_NORM_EPSILON)
                .init(device),
        }
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.depths.is_empty() || self.depths.len() != self.heads.len() {
            return Err("video: depths and heads need one number a stage".to_owned());
        }
        if self.depths.len() > 8 || self.depths.contains(&0) {
            return Err(
                "video: depths must hold one to eight stages of at least one block".to_owned(),
            );
        }
        let heads_fit = |(stage, heads): (usize, &usize)| {
            *heads > 0 && (self.embed_dim << stage).is_multiple_of(*heads)
        };
        if self.embed_dim == 0 || !self.heads.iter().enumerate().all(heads_fit) {
            return Err("video: each stage's heads must divide its channels".to_owned());
        }
        if self.window.contains(&0) || self.patch.contains(&0) || self.mlp_ratio == 0 {
            return Err("video: window, patch and mlp_ratio must be positive".to_owned());
        }
        match (0.0..1.0).contains(&self.drop_path) {
            true => Ok(()),
            false => Err("video: drop_path must lie in [0, 1)".to_owned()),
        }
    }

    fn drop_path_of_each_block(&self) -> Vec<f64> {
        let blocks: usize = self.depths.iter().sum();
        let step = self.drop_path / (blocks.saturating_sub(1).max(1) as f64);
        (0..blocks).map(|block| step * block as f64).collect()
    }
}

impl<B: Backend> VideoSwin<B> {
    /// Encodes clips; a still image is a clip of one frame.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`
    /// - output: `[batch, frames / 2, height / 32, width / 32, channels]`, each rounded up
    pub fn forward(&self, clips: Tensor<B, 5>, noise: &mut Noise) -> Tensor<B, 5> {
        self.encode(self.patch_embedding.forward(clips), noise)
    }

    /// Encodes clips whose masked regions are replaced by the learned token.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`
    /// - region_mask: `[batch, rows, columns]`, 1 where masked and 0 elsewhere
    /// - output: as [`forward`](Self::forward)
    ///
    /// # Panics
    ///
    /// Panics if the patch grid is not a whole multiple of the region grid.
    pub fn forward_masked(
        &self,
        clips: Tensor<B, 5>,
        region_mask: Tensor<B, 3>,
        noise: &mut Noise,
    ) -> Tensor<B, 5> {
        let tokens = self.patch_embedding.forward(clips);
        self.encode(self.mask_token.forward(tokens, region_mask), noise)
    }

    /// Encodes clips and keeps the tokens after the patch embedding (masked, if a mask is given)
    /// and after each stage.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`
    /// - region_mask: `[batch, rows, columns]`
    /// - output: each `[batch, frames, height, width, channels]`; the final norm is not applied
    pub fn intermediate_features(
        &self,
        clips: Tensor<B, 5>,
        region_mask: Option<Tensor<B, 3>>,
    ) -> Vec<Tensor<B, 5>> {
        let tokens = self.patch_embedding.forward(clips);
        let mut features = vec![match region_mask {
            Some(region_mask) => self.mask_token.forward(tokens, region_mask),
            None => tokens,
        }];
        for stage in &self.stages {
            if let Some(tokens) = features.last() {
                features.push(stage.forward(tokens.clone(), &mut Noise::quiet()));
            }
        }
        features
    }

    /// Encodes every clip as it is and once more with masked regions, all in one batch.
    ///
    /// # Shapes
    ///
    /// - clips: `[batch, channels, frames, height, width]`
    /// - region_mask: as in [`forward_masked`](Self::forward_masked)
    /// - output: `[2 * batch, frames', height', width', channels']`: the complete clips, then the
    ///   masked ones
    ///
    /// # Panics
    ///
    /// As [`forward_masked`](Self::forward_masked).
    pub fn forward_complete_and_masked(
        &self,
        clips: Tensor<B, 5>,
        region_mask: Tensor<B, 3>,
        noise: &mut Noise,
    ) -> Tensor<B, 5> {
        let tokens = self.patch_embedding.forward(clips);
        let masked = self.mask_token.forward(tokens.clone(), region_mask);
        self.encode(Tensor::cat(vec![tokens, masked], 0), noise)
    }

    fn encode(&self, tokens: Tensor<B, 5>, noise: &mut Noise) -> Tensor<B, 5> {
        let tokens = self
            .stages
            .iter()
            .fold(tokens, |tokens, stage| stage.forward(tokens, noise));
        normalize(&self.norm, LAYER_NORM_EPSILON, tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::{Distribution, Tolerance};

    fn encoder(
        device: &<TestBackend as burn::tensor::backend::BackendTypes>::Device,
    ) -> VideoSwin<TestBackend> {
        <TestBackend as Backend>::seed(device, 8);
        VideoSwinConfig::new(4, vec![2, 1], vec![1, 2])
            .with_window([2, 3, 3])
            .init(device)
    }

    #[test]
    fn stochastic_depth_rises_linearly_over_all_blocks() {
        let config = VideoSwinConfig::new(8, vec![1, 3], vec![1, 1]).with_drop_path(0.3);

        let drop_path = config.drop_path_of_each_block();

        for (found, expected) in drop_path.iter().zip([0.0, 0.1, 0.2, 0.3]) {
            assert!((found - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn the_output_has_the_announced_size() {
        let device = Default::default();
        let clips = Tensor::random([1, 3, 5, 21, 30], Distribution::Default, &device);
        let config = VideoSwinConfig::new(4, vec![2, 1], vec![1, 2]);

        let output = encoder(&device).forward(clips, &mut Noise::quiet());

        let size = [config.output_rows(21), config.output_rows(30)];
        assert_eq!(
            output.dims(),
            [1, config.output_frames(5), size[0], size[1], 8]
        );
    }

    #[test]
    fn an_empty_mask_changes_nothing_and_a_full_one_hides_the_clip() {
        let device = Default::default();
        let encoder = encoder(&device);
        let clips = Tensor::random([1, 3, 4, 28, 28], Distribution::Default, &device);
        let plain = encoder
            .forward(clips.clone(), &mut Noise::quiet())
            .into_data();

        let nothing = encoder.forward_masked(
            clips.clone(),
            Tensor::zeros([1, 7, 7], &device),
            &mut Noise::quiet(),
        );

        nothing
            .into_data()
            .assert_approx_eq::<f32>(&plain, Tolerance::default());
        let everything = Tensor::ones([1, 7, 7], &device);
        let hidden = encoder
            .forward_masked(clips.clone(), everything.clone(), &mut Noise::quiet())
            .into_data();
        let other = encoder
            .forward_masked(clips + 1.0, everything, &mut Noise::quiet())
            .into_data();
        hidden.assert_eq(&other, true);
    }
}
