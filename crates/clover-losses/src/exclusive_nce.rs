//! Exclusive NCE: an anchor against three positives, none of which is a negative of another.
//!
//! Clover, section 3.2. For anchors `a` and three kinds of positives `x` in {complete `b`, masked
//! `b~`, fused `f`}:
//!
//! ```text
//! Z_i = sum_{j != i} sum_x exp s_x(i,j)
//! fwd = - sum_i sum_x log( exp s_x(i,i) / (exp s_x(i,i) + Z_i) )
//! rev = - sum_i sum_x log( exp s_x(i,i) / sum_j exp s_x(j,i) )
//! published: E = fwd / B + rev / (3 B)        printed: E = fwd + rev
//! ```
//!
//! The released code averages over the batch and weighs the reverse direction one third; the
//! printed formula sums both.

use burn::prelude::*;

use crate::similarity::{cross_entropy_of_own, paired_similarity, scaled_similarity, unit_rows};
use crate::{TEMPERATURE, Temperature};

/// The logit of a term that does not take part: its probability is exactly zero in 32-bit floats.
const EXCLUDED: f64 = -10_000.0;
/// Kinds of positives: complete, masked, fused.
const KINDS: f64 = 3.0;

/// The two forms of the alignment loss.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// The released code: a mean over the batch, the reverse direction also over its three kinds.
    Published,
    /// The printed formula: sums, both directions weighing the same.
    Printed,
}

/// Configuration to create an [`ExclusiveNceLoss`] using the [init function](ExclusiveNceLossConfig::init).
#[derive(Config, Debug)]
pub struct ExclusiveNceLossConfig {
    /// Divides cosines. Clover, section 4.1: 0.05.
    #[config(default = "TEMPERATURE")]
    pub temperature: f64,
    /// How the terms are added up.
    #[config(default = "Reduction::Published")]
    pub reduction: Reduction,
}

/// Exclusive NCE in both directions, `E(a; b, b~, f)`.
///
/// Should be created with [`ExclusiveNceLossConfig`].
#[derive(Clone, Debug)]
pub struct ExclusiveNceLoss {
    temperature: f64,
    reduction: Reduction,
}

impl ExclusiveNceLossConfig {
    /// Initializes a new [`ExclusiveNceLoss`].
    #[must_use]
    pub fn init(&self) -> ExclusiveNceLoss {
        ExclusiveNceLoss {
            temperature: self.temperature,
            reduction: self.reduction,
        }
    }
}

impl ExclusiveNceLoss {
    /// Compares anchors with their positives and with those of the other samples. With one pair
    /// there is nothing to tell it from, and the loss is zero.
    ///
    /// # Shapes
    ///
    /// - anchor, complete, masked, fused: `[batch, dim]`, of any length
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    pub fn forward<B: Backend>(
        &self,
        anchor: Tensor<B, 2>,
        complete: Tensor<B, 2>,
        masked: Tensor<B, 2>,
        fused: Tensor<B, 2>,
    ) -> Tensor<B, 1> {
        self.forward_at(anchor, complete, masked, fused, &self.temperature.into())
    }

    /// As [`forward`](Self::forward), at another temperature than the configured one.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    pub fn forward_at<B: Backend>(
        &self,
        anchor: Tensor<B, 2>,
        complete: Tensor<B, 2>,
        masked: Tensor<B, 2>,
        fused: Tensor<B, 2>,
        temperature: &Temperature<B>,
    ) -> Tensor<B, 1> {
        let [batch, _] = anchor.dims();
        for positive in [&complete, &masked, &fused] {
            assert_eq!(
                positive.dims(),
                anchor.dims(),
                "exclusive nce: shapes differ"
            );
        }
        let anchor = unit_rows(anchor);
        let positives = [complete, masked, fused].map(unit_rows);
        let own = positives
            .clone()
            .map(|x| paired_similarity(anchor.clone(), x, temperature.clone()));
        let all = positives.map(|x| scaled_similarity(anchor.clone(), x, temperature.clone()));

        let forward = forward_direction(own, &all);
        let reverse = reverse_direction(all);
        match self.reduction {
            Reduction::Published => forward / batch as f64 + reverse / (KINDS * batch as f64),
            Reduction::Printed => forward + reverse,
        }
    }
}

/// `fwd`: the own positive of one kind against the other samples' positives of all kinds,
/// `log(1 + Z_i / exp s_x(i,i))`.
fn forward_direction<B: Backend>(own: [Tensor<B, 2>; 3], all: &[Tensor<B, 2>; 3]) -> Tensor<B, 1> {
    let [batch, _] = all[0].dims();
    let same_sample = Tensor::<B, 2, Int>::eye(batch, &all[0].device()).bool();
    let others = all
        .clone()
        .map(|s| s.mask_fill(same_sample.clone(), EXCLUDED));
    let others = Tensor::cat(others.to_vec(), 1);
    // `Z_i` is `z` times the exponential of the largest, which is taken out so that nothing
    // overflows. No value depends on what is taken out, so no gradient flows through it.
    let largest = others.clone().max_dim(1).detach();
    let z = (others - largest.clone()).exp().sum_dim(1);
    let [complete, masked, fused] = own.map(|own| {
        let gap = largest.clone() - own;
        let over = gap.clone().clamp_min(0.0).detach();
        let others = z.clone() * (gap - over.clone()).exp();
        let own = over.clone().neg().exp() - 1.0;
        (over + (others + own).log1p()).sum()
    });
    complete + masked + fused
}

/// `rev`: each positive against the anchors of the batch, one kind at a time.
fn reverse_direction<B: Backend>(all: [Tensor<B, 2>; 3]) -> Tensor<B, 1> {
    let [complete, masked, fused] = all.map(|s| cross_entropy_of_own(s.transpose()).sum());
    complete + masked + fused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{Rows, exclusive_nce, knows_small_logarithms, random_rows};
    use crate::{TestAutodiffBackend, TestBackend};
    use burn::tensor::{TensorData, Tolerance};

    fn loss_of(rows: &[Rows; 4], reduction: Reduction) -> f64 {
        let [a, b, c, d] = rows.each_ref().map(|rows| rows.tensor::<TestBackend>());
        let config = ExclusiveNceLossConfig::new().with_reduction(reduction);
        f64::from(config.init().forward(a, b, c, d).into_scalar())
    }

    #[test]
    fn equals_the_plain_loops_in_both_forms() {
        let rows = [1, 2, 3, 4].map(|seed| random_rows(5, 7, seed));

        let (forward, reverse) = exclusive_nce(&rows, 0.05);

        let published = forward / 5.0 + reverse / 15.0;
        assert!((loss_of(&rows, Reduction::Published) - published).abs() < 1e-4 * published);
        let printed = forward + reverse;
        assert!((loss_of(&rows, Reduction::Printed) - printed).abs() < 1e-4 * printed);
    }

    #[test]
    fn positives_of_the_same_sample_do_not_compete() {
        // Two orthogonal samples, all positives equal to their anchors: similarities 20 and 0, so
        // Z = 3 exp(0) and each forward term is log(1 + 3 exp(-20)).
        let identity = Tensor::<TestBackend, 2>::eye(2, &Default::default());
        let config = ExclusiveNceLossConfig::new().with_reduction(Reduction::Printed);

        let loss = config.init().forward(
            identity.clone(),
            identity.clone(),
            identity.clone(),
            identity,
        );

        let small = (-20.0_f64).exp();
        let expected = 6.0 * (3.0 * small).ln_1p() + 6.0 * small.ln_1p();
        let found = f64::from(loss.into_scalar());
        let size = if knows_small_logarithms() {
            expected
        } else {
            1.0
        };
        assert!(
            (found - expected).abs() < 1e-6 * size,
            "{found}, not {expected}"
        );
    }

    #[test]
    fn a_single_pair_has_no_loss_and_no_gradient() {
        let device = Default::default();
        let anchor = Tensor::<TestAutodiffBackend, 2>::from_data([[1.0, 2.0]], &device);
        let anchor = anchor.require_grad();
        let other = Tensor::from_data([[-2.0, 1.0]], &device);

        let loss = ExclusiveNceLossConfig::new().init().forward(
            anchor.clone(),
            other.clone(),
            other.clone(),
            other,
        );

        let gradient = anchor.grad(&loss.backward()).unwrap().into_data();
        loss.into_data()
            .assert_eq(&TensorData::from([0.0_f32]), false);
        gradient.assert_approx_eq::<f32>(
            &TensorData::from([[0.0_f32, 0.0]]),
            Tolerance::absolute(1e-6),
        );
    }

    #[test]
    fn the_gradient_equals_finite_differences() {
        let rows = [5, 6, 7, 8].map(|seed| random_rows(3, 4, seed));
        let anchor = rows[0].tensor::<TestAutodiffBackend>().require_grad();
        let [b, c, d] = [1, 2, 3].map(|kind: usize| rows[kind].tensor());
        let loss = ExclusiveNceLossConfig::new()
            .init()
            .forward(anchor.clone(), b, c, d);
        let gradient = anchor.grad(&loss.backward()).unwrap();
        let gradient: Vec<f32> = gradient.into_data().to_vec().unwrap();

        for (place, found) in gradient.iter().enumerate() {
            let moved = |step: f64| {
                let mut rows = rows.clone();
                rows[0].values[place] += step;
                let (forward, reverse) = exclusive_nce(&rows, 0.05);
                forward / 3.0 + reverse / 9.0
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((f64::from(*found) - expected).abs() < 1e-3 * expected.abs().max(1.0));
        }
    }
}
