//! Stochastic depth: in training, a residual branch is left out for some samples of a batch.
//!
//! Huang et al., "Deep Networks with Stochastic Depth" (ECCV 2016), per sample, with the kept
//! branches scaled by the inverse of the keep probability.

use burn::prelude::*;
use burn::tensor::Distribution;

/// Configuration to create a [`DropPath`] using the [init function](DropPathConfig::init).
#[derive(Config, Debug)]
pub struct DropPathConfig {
    /// Probability of leaving the branch out for a sample.
    pub prob: f64,
}

/// Leaves a branch out for random samples. Like Burn's dropout it acts on autodiff backends only.
///
/// Should be created with [`DropPathConfig`].
#[derive(Module, Clone, Debug)]
pub struct DropPath {
    prob: f64,
}

impl DropPathConfig {
    /// Initializes a new [`DropPath`] module.
    ///
    /// # Panics
    ///
    /// Panics if the probability is not in `[0, 1)`.
    #[must_use]
    pub fn init(&self) -> DropPath {
        assert!(
            (0.0..1.0).contains(&self.prob),
            "drop path: the probability must be in [0, 1)"
        );
        DropPath { prob: self.prob }
    }
}

impl DropPath {
    /// Drops or scales the branch of each sample.
    ///
    /// # Shapes
    ///
    /// - branch: `[batch, frames, height, width, channels]`
    /// - output: `[batch, frames, height, width, channels]`
    pub fn forward<B: Backend>(&self, branch: Tensor<B, 5>) -> Tensor<B, 5> {
        let device = branch.device();
        if self.prob == 0.0 || !B::ad_enabled(&device) {
            return branch;
        }
        let [batch, ..] = branch.dims();
        let keep = 1.0 - self.prob;
        let kept: Tensor<B, 5> =
            Tensor::random([batch, 1, 1, 1, 1], Distribution::Bernoulli(keep), &device);
        branch * (kept / keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TestAutodiffBackend, TestBackend};

    #[test]
    fn whole_samples_are_dropped_and_the_others_scaled() {
        let device = Default::default();
        <TestAutodiffBackend as Backend>::seed(&device, 11);
        let branch = Tensor::<TestAutodiffBackend, 5>::ones([200, 1, 2, 1, 1], &device);

        let dropped = DropPathConfig::new(0.5).init().forward(branch);

        let values = dropped.into_data().to_vec::<f32>().unwrap();
        let kept = values
            .chunks(2)
            .filter(|sample| {
                assert!(
                    **sample == [0.0, 0.0] || **sample == [2.0, 2.0],
                    "{sample:?}"
                );
                sample[0] > 0.0
            })
            .count();
        assert!(
            (70..130).contains(&kept),
            "{kept} of 200 kept at a probability of one half"
        );
    }

    #[test]
    fn nothing_is_dropped_at_inference() {
        let branch = Tensor::<TestBackend, 5>::ones([8, 1, 1, 1, 1], &Default::default());

        let same = DropPathConfig::new(0.9).init().forward(branch.clone());

        same.into_data().assert_eq(&branch.into_data(), true);
    }
}
