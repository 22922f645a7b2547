//! The two-layer perceptron of a Video Swin block.
//!
//! Liu et al., "Video Swin Transformer" (CVPR 2022), section 3.1; GELU in its exact (erf) form.

use burn::nn::Linear;
use burn::prelude::*;

use crate::fused::project;
use crate::init::truncated_normal_linear;

/// Configuration to create an [`Mlp`] using the [init function](MlpConfig::init).
#[derive(Config, Debug)]
pub struct MlpConfig {
    /// Width of the tokens.
    pub channels: usize,
    /// Width between the two layers.
    pub inner: usize,
}

/// `fc2(gelu(fc1(x)))`.
///
/// Should be created with [`MlpConfig`].
#[derive(Module, Debug)]
pub struct Mlp<B: Backend> {
    fc1: Linear<B>,
    fc2: Linear<B>,
}

impl MlpConfig {
    /// Initializes a new [`Mlp`] module.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Mlp<B> {
        Mlp {
            fc1: truncated_normal_linear(self.channels, self.inner, device),
            fc2: truncated_normal_linear(self.inner, self.channels, device),
        }
    }
}

impl<B: Backend> Mlp<B> {
    /// Transforms each token by itself.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, frames, height, width, channels]`
    /// - output: `[batch, frames, height, width, channels]`
    pub fn forward(&self, x: Tensor<B, 5>) -> Tensor<B, 5> {
        project(&self.fc2, clover_kernels::gelu(project(&self.fc1, x)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::module::Param;
    use burn::tensor::{TensorData, Tolerance};

    #[test]
    fn applies_the_exact_gelu_between_the_layers() {
        let device = Default::default();
        let identity = |size| Linear {
            weight: Param::from_tensor(Tensor::<TestBackend, 2>::eye(size, &device)),
            bias: Some(Param::from_tensor(Tensor::zeros([size], &device))),
        };
        let mlp = Mlp {
            fc1: identity(3),
            fc2: identity(3),
        };
        let x = Tensor::<TestBackend, 1>::from_data([-1.0, 0.0, 2.0], &device);

        let output = mlp.forward(x.reshape([1, 1, 1, 1, 3])).reshape([3]);

        // x * Phi(x), from a table of the normal distribution.
        let expected = TensorData::from([-0.158_655_25_f32, 0.0, 1.954_499_7]);
        output
            .into_data()
            .assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
    }
}
