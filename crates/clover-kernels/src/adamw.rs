//! One AdamW update of one parameter.
//!
//! Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (ICLR 2019):
//!
//! ```text
//! m <- beta_1 * m + (1 - beta_1) * g
//! v <- beta_2 * v + (1 - beta_2) * g^2
//! p <- p * (1 - rate * decay) - rate * (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + epsilon)
//! ```
//!
//! Composed of tensor operations this walks every parameter some fifteen times; the kernel does it
//! once.

use burn::prelude::*;

/// The figures of one update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWUpdate {
    /// The learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Decay of the running mean of gradients.
    pub beta_1: f32,
    /// Decay of the running mean of squared gradients.
    pub beta_2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Updates of the parameter, this one included.
    pub steps: usize,
}

/// A parameter and its two running means.
#[derive(Clone, Debug)]
pub struct AdamWTensors<B: Backend> {
    /// The parameter.
    pub parameter: Tensor<B, 1>,
    /// The running mean of gradients; zeros at first.
    pub moment_1: Tensor<B, 1>,
    /// The running mean of squared gradients; zeros at first.
    pub moment_2: Tensor<B, 1>,
}

/// Updates a parameter and its moments.
///
/// # Shapes
///
/// - gradient and all tensors: `[elements]`, the same
///
/// # Panics
///
/// Panics if the lengths differ.
pub fn adamw<B: Backend>(
    tensors: AdamWTensors<B>,
    gradient: Tensor<B, 1>,
    update: &AdamWUpdate,
) -> AdamWTensors<B> {
    for tensor in [&tensors.parameter, &tensors.moment_1, &tensors.moment_2] {
        assert_eq!(tensor.dims(), gradient.dims(), "adamw: lengths differ");
    }
    #[cfg(feature = "flex")]
    let tensors = match crate::dispatch::adamw(tensors, &gradient, update) {
        Ok(updated) => return updated,
        Err(tensors) => tensors,
    };
    portable(tensors, gradient, update)
}

/// The composition every backend has.
pub fn portable<B: Backend>(
    tensors: AdamWTensors<B>,
    gradient: Tensor<B, 1>,
    update: &AdamWUpdate,
) -> AdamWTensors<B> {
    let AdamWUpdate { beta_1, beta_2, .. } = *update;
    let scaled = gradient.clone().mul_scalar(1.0 - beta_1);
    let moment_1 = tensors.moment_1.mul_scalar(beta_1).add(scaled);
    let squared = gradient.square().mul_scalar(1.0 - beta_2);
    let moment_2 = tensors.moment_2.mul_scalar(beta_2).add(squared);

    let [correction_1, correction_2] = update.corrections();
    let root = moment_2.clone().div_scalar(correction_2).sqrt();
    let direction = moment_1
        .clone()
        .div_scalar(correction_1)
        .div(root.add_scalar(update.epsilon));
    let kept = tensors.parameter.mul_scalar(update.kept());
    AdamWTensors {
        parameter: kept - direction.mul_scalar(update.learning_rate),
        moment_1,
        moment_2,
    }
}

impl AdamWUpdate {
    /// What the moments, which began at zero, are divided by.
    pub(crate) fn corrections(&self) -> [f32; 2] {
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        [self.beta_1, self.beta_2].map(|beta| 1.0 - beta.powi(steps))
    }

    /// What decay leaves of the parameter.
    pub(crate) fn kept(&self) -> f64 {
        1.0 - self.learning_rate * self.weight_decay
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::agreement::{assert_close, scattered};

    fn update(steps: usize) -> AdamWUpdate {
        AdamWUpdate {
            learning_rate: 0.1,
            weight_decay: 0.5,
            beta_1: 0.9,
            beta_2: 0.98,
            epsilon: 1e-8,
            steps,
        }
    }

    fn values(length: usize, seed: u32) -> Tensor<TestBackend, 1> {
        scattered([length], seed).inner()
    }

    fn begun(length: usize) -> AdamWTensors<TestBackend> {
        AdamWTensors {
            parameter: values(length, 1),
            moment_1: values(length, 2),
            moment_2: values(length, 3).square(),
        }
    }

    #[test]
    fn the_first_update_moves_by_the_learning_rate_against_the_gradient() {
        let device = Default::default();
        let tensors = AdamWTensors::<TestBackend> {
            parameter: Tensor::from_data([2.0, 2.0], &device),
            moment_1: Tensor::zeros([2], &device),
            moment_2: Tensor::zeros([2], &device),
        };

        let updated = adamw(tensors, Tensor::from_data([3.0, -0.5], &device), &update(1));

        // 2 * (1 - 0.1 * 0.5) is left, less 0.1 in the direction of the gradient's sign.
        let expected = Tensor::from_data([1.8, 2.0], &device);
        assert_close("parameter", updated.parameter, expected, 1e-6);
        let expected = Tensor::from_data([0.3, -0.05], &device);
        assert_close("mean", updated.moment_1, expected, 1e-6);
        let expected = Tensor::from_data([0.18, 0.005], &device);
        assert_close("mean of squares", updated.moment_2, expected, 1e-6);
    }

    #[test]
    fn kernel_agrees_with_the_composition_at_any_length() {
        for length in [1, 7, 8, 49, 40_003] {
            let gradient = values(length, 4);

            let found = adamw(begun(length), gradient.clone(), &update(5));
            let expected = portable(begun(length), gradient, &update(5));

            assert_close("parameter", found.parameter, expected.parameter, 1e-6);
            assert_close("moment 1", found.moment_1, expected.moment_1, 1e-6);
            assert_close("moment 2", found.moment_2, expected.moment_2, 1e-6);
        }
    }

    #[test]
    fn tensors_that_others_hold_are_left_alone() {
        let shared = begun(9);

        let _ = adamw(shared.clone(), values(9, 4), &update(5));

        assert_close("parameter", shared.parameter, begun(9).parameter, 0.0);
        assert_close("moment 1", shared.moment_1, begun(9).moment_1, 0.0);
    }
}
