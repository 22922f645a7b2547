//! What cosines are divided by: a number, or one that is learned.
//!
//! ```text
//! s(a, b) = <a, b> / (|a| |b| temperature)          a number; Clover, section 4.1: 0.05
//! s(a, b) = <a, b> / (|a| |b|) * exp(logit_scale)   learned
//! ```
//!
//! The learned one is that of CLIP (Radford et al., 2021, section 2.3): its logarithm is the parameter, so
//! that a step changes it by a share of itself, and similarities never grow beyond 100 cosines.

use burn::prelude::*;

/// No more than this are similarities of a learned temperature, of unit vectors.
pub const LARGEST_SCALE: f64 = 100.0;

/// What cosines are divided by.
#[derive(Clone, Debug)]
pub enum Temperature<B: Backend> {
    /// A number.
    Constant(f64),
    /// The reciprocal of what is multiplied with, `[1]`, in the graph; see [`learned`](Self::learned).
    Learned {
        /// `exp(logit_scale)`.
        scale: Tensor<B, 1>,
    },
}

impl<B: Backend> Temperature<B> {
    /// The temperature whose negative logarithm is `logit_scale`, no less than a hundredth.
    ///
    /// The gradient is as if there was no bound: a parameter that lies on it, as the published ones do, must
    /// be able to leave it.
    ///
    /// # Shapes
    ///
    /// - logit_scale: `[1]`
    #[must_use]
    pub fn learned(logit_scale: Tensor<B, 1>) -> Self {
        let beyond = (logit_scale.clone() - LARGEST_SCALE.ln()).clamp_min(0.0);
        Self::Learned {
            scale: (logit_scale - beyond.detach()).exp(),
        }
    }

    /// Cosines, divided.
    pub(crate) fn divide(&self, cosines: Tensor<B, 2>) -> Tensor<B, 2> {
        match self {
            Self::Constant(temperature) => cosines / *temperature,
            Self::Learned { scale } => cosines * scale.clone().reshape([1, 1]),
        }
    }
}

impl<B: Backend> From<f64> for Temperature<B> {
    fn from(temperature: f64) -> Self {
        Self::Constant(temperature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::random_rows;
    use crate::{
        ExclusiveNceLossConfig, InfoNceLossConfig, PairwiseRankingLossConfig, TestAutodiffBackend,
    };

    type Tracked<const D: usize> = Tensor<TestAutodiffBackend, D>;

    fn rows(seed: u64) -> Tracked<2> {
        random_rows(5, 7, seed).tensor()
    }

    /// InfoNCE, exclusive NCE and ranking of random rows, added.
    fn losses(temperature: &Temperature<TestAutodiffBackend>) -> Tracked<1> {
        let [a, b, c, d] = [1, 2, 3, 4].map(rows);
        let nce = InfoNceLossConfig::new().init();
        let exclusive = ExclusiveNceLossConfig::new().init();
        let ranking = PairwiseRankingLossConfig::new().init();
        nce.forward_at(a.clone(), b.clone(), temperature)
            + exclusive.forward_at(a.clone(), b.clone(), c.clone(), d, temperature)
            + ranking.forward_at(a, b, c, temperature)
    }

    fn learned(logit_scale: f64) -> (f64, f64) {
        let parameter = Tracked::<1>::from_floats([logit_scale as f32], &Default::default());
        let parameter = parameter.require_grad();
        let loss = losses(&Temperature::learned(parameter.clone()));
        let gradient = parameter.grad(&loss.backward()).unwrap();
        (
            f64::from(loss.into_scalar()),
            f64::from(gradient.into_scalar()),
        )
    }

    #[test]
    fn a_learned_temperature_of_the_same_value_gives_the_same_losses() {
        let constant = f64::from(losses(&Temperature::Constant(0.05)).into_scalar());

        let (found, _) = learned(20_f64.ln());

        assert!((found - constant).abs() < 1e-5 * constant);
    }

    #[test]
    fn its_gradient_is_that_of_finite_differences() {
        for at in [0.5, 1.5, 3.0] {
            let step = 0.01;
            let slope = (learned(at + step).0 - learned(at - step).0) / (2.0 * step);

            let (_, gradient) = learned(at);

            // The losses are 32-bit floats; the curve bends over two steps.
            assert!(
                (gradient - slope).abs() < 2e-3 * slope.abs() + 2e-3,
                "at {at}: {gradient}, not {slope}"
            );
        }
    }

    #[test]
    fn similarities_are_bounded_and_what_lies_on_the_bound_can_leave_it() {
        let (bound, _) = learned(100_f64.ln());
        let (beyond, gradient) = learned(7.0);

        assert!((bound - beyond).abs() < 1e-4 * bound);
        assert!(gradient.abs() > 1e-3, "{gradient}");
    }
}
