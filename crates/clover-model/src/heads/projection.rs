//! Projections into the common embedding space.
//!
//! Clover, section 3.2. The two fused vectors go through different heads, as released: the one of
//! masked video through a head shaped like the video projection, the one of masked text through one
//! shaped like the text projection (with dropout).

use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;

use crate::Noise;
use crate::fused::{LAYER_NORM_EPSILON, normalize, project};
use crate::init::xavier_linear;

/// Configuration to create a [`VideoProjection`] using the [init function](VideoProjectionConfig::init).
#[derive(Config, Debug)]
pub struct VideoProjectionConfig {
    /// Width of the features.
    pub input: usize,
    /// Width of the embedding; twice as much stands in between.
    pub output: usize,
}

/// `norm2(fc2(gelu(norm1(fc1(x)))))`.
///
/// Should be created with [`VideoProjectionConfig`].
#[derive(Module, Debug)]
pub struct VideoProjection<B: Backend> {
    fc1: Linear<B>,
    norm1: LayerNorm<B>,
    fc2: Linear<B>,
    norm2: LayerNorm<B>,
}

impl VideoProjectionConfig {
    /// Initializes a new [`VideoProjection`] module.
    pub fn init<B: Backend>(&self, device: &B::Device) -> VideoProjection<B> {
        let inner = 2 * self.output;
        let norm = |width| {
            LayerNormConfig::new(width)
                .with_epsilon(LAYER_NORM_EPSILON)
                .init(device)
        };
        VideoProjection {
            fc1: xavier_linear(self.input, inner, device),
            norm1: norm(inner),
            fc2: xavier_linear(inner, self.output, device),
            norm2: norm(self.output),
        }
    }
}

impl<B: Backend> VideoProjection<B> {
    /// Width of the embedding.
    pub fn dim(&self) -> usize {
        let [_, dim] = self.fc2.weight.dims();
        dim
    }

    /// Embeds features.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, dim]`
    /// - output: `[batch, dim]`, not normalized to unit length
    pub fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let inner = normalize(&self.norm1, LAYER_NORM_EPSILON, project(&self.fc1, x));
        let output = project(&self.fc2, clover_kernels::gelu(inner));
        normalize(&self.norm2, LAYER_NORM_EPSILON, output)
    }

    /// Averages a feature grid over time and space, then embeds it.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, frames, height, width, channels]`
    /// - output: `[batch, dim]`
    pub fn forward_pooled(&self, features: Tensor<B, 5>) -> Tensor<B, 2> {
        let [batch, frames, height, width, channels] = features.dims();
        let tokens = features.reshape([batch, frames * height * width, channels]);
        self.forward(tokens.mean_dim(1).reshape([batch, channels]))
    }
}

/// Configuration to create a [`TextProjection`] using the [init function](TextProjectionConfig::init).
#[derive(Config, Debug)]
pub struct TextProjectionConfig {
    /// Width of the features.
    pub input: usize,
    /// Width of the embedding.
    pub output: usize,
    /// Dropout between the layers. Text: 0. Fused with masked text: 0.1.
    #[config(default = 0.0)]
    pub dropout: f64,
}

/// `fc2(dropout(gelu(fc1(x))))`.
///
/// Should be created with [`TextProjectionConfig`].
#[derive(Module, Debug)]
pub struct TextProjection<B: Backend> {
    fc1: Linear<B>,
    fc2: Linear<B>,
    dropout: f64,
}

impl TextProjectionConfig {
    /// Initializes a new [`TextProjection`] module.
    pub fn init<B: Backend>(&self, device: &B::Device) -> TextProjection<B> {
        TextProjection {
            fc1: xavier_linear(self.input, self.input, device),
            fc2: xavier_linear(self.input, self.output, device),
            dropout: self.dropout,
        }
    }
}

impl<B: Backend> TextProjection<B> {
    /// Embeds a `[CLS]` feature.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, dim]`
    /// - output: `[batch, dim]`, not normalized to unit length
    pub fn forward(&self, x: Tensor<B, 2>, noise: &mut Noise) -> Tensor<B, 2> {
        let inner = clover_kernels::gelu(project(&self.fc1, x));
        project(&self.fc2, noise.dropout(inner, self.dropout))
    }
}

/// The feature at the first position of each text.
///
/// # Shapes
///
/// - tokens: `[batch, text_len, dim]`
/// - output: `[batch, dim]`
pub fn cls_feature<B: Backend>(tokens: Tensor<B, 3>) -> Tensor<B, 2> {
    tokens.narrow(1, 0, 1).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::{Distribution, Tolerance};

    #[test]
    fn a_video_embedding_does_not_depend_on_the_order_of_regions() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 9);
        let projection = VideoProjectionConfig::new(6, 4).init::<TestBackend>(&device);
        let features = Tensor::random([1, 2, 2, 3, 6], Distribution::Default, &device);

        let embedding = projection.forward_pooled(features.clone());
        let flipped = projection.forward_pooled(features.flip([1, 3]));

        embedding
            .into_data()
            .assert_approx_eq::<f32>(&flipped.into_data(), Tolerance::default());
    }

    #[test]
    fn a_video_embedding_has_mean_zero_and_unit_variance_at_first() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 9);
        let projection = VideoProjectionConfig::new(6, 8).init::<TestBackend>(&device);

        let embedding = projection.forward(Tensor::random([1, 6], Distribution::Default, &device));

        let values = embedding.into_data().to_vec::<f32>().unwrap();
        let mean = values.iter().sum::<f32>() / 8.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 8.0;
        assert!(
            mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-2,
            "{mean} {variance}"
        );
    }
}
