//! One score for one candidate answer.
//!
//! Clover, section 4.2: the candidate with the highest score is the answer.

use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;

use crate::Noise;
use crate::fused::{LAYER_NORM_EPSILON, normalize, project};
use crate::init::xavier_linear;

/// Width between the two layers, whatever the width of the model (published).
const INNER: usize = 256;

/// Configuration to create a [`MultipleChoiceHead`] using the [init function](MultipleChoiceHeadConfig::init).
#[derive(Config, Debug)]
pub struct MultipleChoiceHeadConfig {
    /// Width of the fused feature.
    pub hidden: usize,
    /// Dropout of the input. Published: 0.5.
    #[config(default = 0.5)]
    pub dropout: f64,
}

/// `scorer(gelu(norm(fc(dropout(x)))))`.
///
/// Should be created with [`MultipleChoiceHeadConfig`].
#[derive(Module, Debug)]
pub struct MultipleChoiceHead<B: Backend> {
    fc: Linear<B>,
    norm: LayerNorm<B>,
    scorer: Linear<B>,
    dropout: f64,
}

impl MultipleChoiceHeadConfig {
    /// Initializes a new [`MultipleChoiceHead`] module.
    pub fn init<B: Backend>(&self, device: &B::Device) -> MultipleChoiceHead<B> {
        MultipleChoiceHead {
            fc: xavier_linear(self.hidden, INNER, device),
            norm: LayerNormConfig::new(INNER)
                .with_epsilon(LAYER_NORM_EPSILON)
                .init(device),
            scorer: xavier_linear(INNER, 1, device),
            dropout: self.dropout,
        }
    }
}

impl<B: Backend> MultipleChoiceHead<B> {
    /// Scores each candidate by itself.
    ///
    /// # Shapes
    ///
    /// - fused: `[batch * candidates, dim]`
    /// - output: `[batch * candidates, 1]`
    pub fn forward(&self, fused: Tensor<B, 2>, noise: &mut Noise) -> Tensor<B, 2> {
        let inner = project(&self.fc, noise.dropout(fused, self.dropout));
        let inner = normalize(&self.norm, LAYER_NORM_EPSILON, inner);
        project(&self.scorer, clover_kernels::gelu(inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::{Distribution, Tolerance};

    #[test]
    fn a_candidate_is_scored_without_regard_to_the_others() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 13);
        let head = MultipleChoiceHeadConfig::new(8).init::<TestBackend>(&device);
        let candidates = Tensor::random([5, 8], Distribution::Default, &device);

        let together = head
            .forward(candidates.clone(), &mut Noise::quiet())
            .narrow(0, 3, 1);

        let alone = head.forward(candidates.narrow(0, 3, 1), &mut Noise::quiet());
        together
            .into_data()
            .assert_approx_eq::<f32>(&alone.into_data(), Tolerance::default());
    }
}
