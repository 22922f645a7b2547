//! CLIP's image encoder: a Vision Transformer.
//!
//! Dosovitskiy et al., "An Image is Worth 16x16 Words" (ICLR 2021), with the LayerNorm in front of the first
//! block that CLIP adds (Radford et al., 2021, section 2.4). The class token's last state is the feature.

use burn::module::Param;
use burn::nn::{LayerNorm, Linear};
use burn::prelude::*;

use super::block::{
    Activation, ResidualBlock, ResidualBlockConfig, block_outputs, clip_norm, clip_normalize,
    forward_blocks, forward_blocks_to_one,
};
use crate::fused::project;
use crate::init::{normal, projection};

/// Channels of an image.
const CHANNELS: usize = 3;

/// Configuration to create a [`ClipVision`] using the [init function](ClipVisionConfig::init).
#[derive(Config, Debug)]
pub struct ClipVisionConfig {
    /// Height and width of an image, in pixels.
    pub image_size: usize,
    /// Height and width of a patch, in pixels.
    pub patch: usize,
    /// Width of the tokens.
    pub width: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Attention heads. Published models: 64 channels a head.
    pub heads: usize,
    /// Numbers of an embedding.
    pub embedding: usize,
    /// The function in the perceptrons.
    pub activation: Activation,
}

/// The image encoder.
///
/// Should be created with [`ClipVisionConfig`].
#[derive(Module, Debug)]
pub struct ClipVision<B: Backend> {
    /// A convolution whose stride is its kernel, as a matrix: `[channels * patch * patch, width]`.
    patches: Linear<B>,
    class_token: Param<Tensor<B, 1>>,
    /// Of the class token, then of the patches row by row.
    positions: Param<Tensor<B, 2>>,
    first_norm: LayerNorm<B>,
    blocks: Vec<ResidualBlock<B>>,
    last_norm: LayerNorm<B>,
    projection: Linear<B>,
    patch: usize,
}

impl ClipVisionConfig {
    /// Patches along one side of an image.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.image_size / self.patch
    }

    /// Initializes a new [`ClipVision`] module.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `width`.
    pub fn init<B: Backend>(&self, device: &B::Device) -> ClipVision<B> {
        let deviation = (self.width as f64).powf(-0.5);
        let block = ResidualBlockConfig::new(self.width, self.heads, self.activation);
        let pixels = CHANNELS * self.patch * self.patch;
        ClipVision {
            patches: projection(pixels, self.width, (pixels as f64).powf(-0.5), device),
            class_token: normal([self.width], deviation, device),
            positions: normal([1 + self.rows().pow(2), self.width], deviation, device),
            first_norm: clip_norm(self.width, device),
            blocks: (0..self.layers).map(|_| block.init(device)).collect(),
            last_norm: clip_norm(self.width, device),
            projection: projection(self.width, self.embedding, deviation, device),
            patch: self.patch,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), String> {
        if self.heads == 0 || self.width == 0 || !self.width.is_multiple_of(self.heads) {
            return Err("vision: heads must divide width".to_owned());
        }
        if self.patch == 0 || self.image_size < self.patch {
            return Err("vision: an image must have at least one patch".to_owned());
        }
        if !self.image_size.is_multiple_of(self.patch) {
            return Err("vision: patch must divide image_size".to_owned());
        }
        match self.layers == 0 || self.embedding == 0 {
            true => Err("vision: layers and embedding must be positive".to_owned()),
            false => Ok(()),
        }
    }
}

impl<B: Backend> ClipVision<B> {
    /// Encodes images, token by token.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`
    /// - output: `[batch, 1 + patches, dim]`: the class token, then the patches row by row, as the last
    ///   block leaves them
    ///
    /// # Panics
    ///
    /// Panics if the images have another size than the configuration.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 3> {
        self.encode(self.patches(images))
    }

    /// Embeds images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`
    /// - output: `[batch, dim]`, not normalized to unit length
    ///
    /// # Panics
    ///
    /// Panics if the images have another size than the configuration.
    pub fn embed(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        self.project_class(self.encode_class(self.patches(images)))
    }

    /// The embedding that the class token becomes.
    ///
    /// # Shapes
    ///
    /// - tokens: `[batch, 1 + patches, dim]`, of [`forward`](Self::forward); the first is used
    /// - output: `[batch, dim]`, not normalized to unit length
    pub fn project_class(&self, tokens: Tensor<B, 3>) -> Tensor<B, 2> {
        let class = tokens.narrow(1, 0, 1).squeeze_dim(1);
        project(&self.projection, clip_normalize(&self.last_norm, class))
    }

    /// Each block's output, the input of the first one before them; for comparisons with recordings.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`
    /// - outputs: `[batch, 1 + patches, dim]`
    pub fn activations(&self, images: Tensor<B, 4>) -> Vec<Tensor<B, 3>> {
        let first = self.first_tokens(self.patches(images));
        let outputs = block_outputs(&self.blocks, first.clone(), None);
        [vec![first], outputs].concat()
    }

    /// Rows and columns of the patches of an image of this height and width.
    pub(crate) fn grid(&self, [height, width]: [usize; 2]) -> [usize; 2] {
        [height / self.patch, width / self.patch]
    }

    /// What the blocks make of patches.
    ///
    /// # Shapes
    ///
    /// - patches: `[batch, patches, dim]`
    /// - output: `[batch, 1 + patches, dim]`
    pub(crate) fn encode(&self, patches: Tensor<B, 3>) -> Tensor<B, 3> {
        forward_blocks(&self.blocks, self.first_tokens(patches), None)
    }

    /// What the blocks make of the class token: of [`encode`](Self::encode), the first token.
    ///
    /// # Shapes
    ///
    /// - patches: `[batch, patches, dim]`
    /// - output: `[batch, 1, dim]`
    pub(crate) fn encode_class(&self, patches: Tensor<B, 3>) -> Tensor<B, 3> {
        forward_blocks_to_one(&self.blocks, self.first_tokens(patches), None, |x| {
            let [batch, tokens, _] = x.dims();
            let every_key = Tensor::zeros([batch, tokens], &x.device());
            (x.narrow(1, 0, 1), every_key)
        })
    }

    /// Patches, without their positions.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`
    /// - output: `[batch, patches, dim]`
    pub(crate) fn patches(&self, images: Tensor<B, 4>) -> Tensor<B, 3> {
        let [batch, channels, height, width] = images.dims();
        let [rows, columns] = self.grid([height, width]);
        let [positions, _] = self.positions.dims();
        assert_eq!(
            (1 + rows * columns, channels),
            (positions, CHANNELS),
            "clip: images of another size"
        );
        let patches = images
            .cast(self.positions.val().dtype())
            .reshape([batch, channels, rows, self.patch, columns, self.patch])
            // The order of the convolution's kernel: channel, row, column.
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([batch, rows * columns, channels * self.patch * self.patch]);
        project(&self.patches, patches)
    }

    /// The class token and patches, each with its position.
    fn first_tokens(&self, patches: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, _, dim] = patches.dims();
        let [positions, _] = self.positions.dims();
        let class = self
            .class_token
            .val()
            .reshape([1, 1, dim])
            .repeat_dim(0, batch);
        let tokens = Tensor::cat(vec![class, patches], 1).reshape([batch, positions * dim])
            + self.positions.val().reshape([1, positions * dim]);
        clip_normalize(&self.first_norm, tokens.reshape([batch, positions, dim]))
    }
}
