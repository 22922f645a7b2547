//! Answer prediction over a list of answers.
//!
//! Clover, section 4.2: open-ended question answering is classification.

use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;

use crate::Noise;
use crate::fused::{LAYER_NORM_EPSILON, normalize, project};
use crate::init::xavier_linear;

/// Configuration to create an [`OpenEndedHead`] using the [init function](OpenEndedHeadConfig::init).
#[derive(Config, Debug)]
pub struct OpenEndedHeadConfig {
    /// Width of the fused feature; half of it stands in between.
    pub hidden: usize,
    /// Answers in the list.
    pub answers: usize,
    /// Dropout of the input. Published: 0.1 or 0.5, by dataset.
    #[config(default = 0.1)]
    pub dropout: f64,
}

/// `classifier(gelu(norm(fc(dropout(x)))))`.
///
/// Should be created with [`OpenEndedHeadConfig`].
#[derive(Module, Debug)]
pub struct OpenEndedHead<B: Backend> {
    fc: Linear<B>,
    norm: LayerNorm<B>,
    classifier: Linear<B>,
    dropout: f64,
}

impl OpenEndedHeadConfig {
    /// Initializes a new [`OpenEndedHead`] module.
    pub fn init<B: Backend>(&self, device: &B::Device) -> OpenEndedHead<B> {
        let inner = self.hidden / 2;
        OpenEndedHead {
            fc: xavier_linear(self.hidden, inner, device),
            norm: LayerNormConfig::new(inner)
                .with_epsilon(LAYER_NORM_EPSILON)
                .init(device),
            classifier: xavier_linear(inner, self.answers, device),
            dropout: self.dropout,
        }
    }
}

impl<B: Backend> OpenEndedHead<B> {
    /// Scores every answer.
    ///
    /// # Shapes
    ///
    /// - fused: `[batch, dim]`
    /// - output: `[batch, answers]`
    pub fn forward(&self, fused: Tensor<B, 2>, noise: &mut Noise) -> Tensor<B, 2> {
        let inner = project(&self.fc, noise.dropout(fused, self.dropout));
        let inner = normalize(&self.norm, LAYER_NORM_EPSILON, inner);
        project(&self.classifier, clover_kernels::gelu(inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::Distribution;

    #[test]
    fn dropout_acts_in_training_only() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 12);
        let head = OpenEndedHeadConfig::new(8, 3)
            .with_dropout(0.5)
            .init::<TestBackend>(&device);
        let fused = Tensor::random([4, 8], Distribution::Default, &device);
        let scores = |noise: &mut Noise| head.forward(fused.clone(), noise).into_data();

        let mut noise = Noise::of_samples(0..4);
        let [first, second] = [0, 1].map(|_| scores(&mut noise));
        let [quiet, again] = [0, 1].map(|_| scores(&mut Noise::quiet()));

        assert_ne!(first, second);
        assert_eq!(quiet, again);
    }
}
