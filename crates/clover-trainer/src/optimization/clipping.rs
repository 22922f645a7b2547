//! Gradient clipping by the length of all gradients taken as one vector.
//!
//! ```text
//! norm = sqrt(sum over parameters of |gradient|^2)
//! gradient <- gradient * max_norm / (norm + 1e-6)     where that shrinks it
//! ```
//!
//! Burn clips each tensor by itself; Clover's runs clip all of them together.

use std::collections::HashSet;
use std::marker::PhantomData;

use burn::module::{AutodiffModule, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_kernels::sum_of_squares;

/// PyTorch's guard against a division by zero.
const EPSILON: f64 = 1e-6;

/// Scales all gradients of a module so that their common length is at most `max_norm`; also
/// returns the length before.
///
/// The device is read once; [`squared_norm`] and [`clip_to_norm`] are for a caller who reads other
/// figures too. A length that is not finite leaves the gradients as they are: the caller sees it and
/// skips the step.
pub fn clip_by_global_norm<B: AutodiffBackend, M: AutodiffModule<B>>(
    module: &M,
    gradients: GradientsParams,
    max_norm: f64,
) -> (GradientsParams, f64) {
    let squares = squared_norm::<B, M>(module, &gradients);
    let norm = squares.map_or(0.0, |sum| sum.into_scalar().elem::<f64>().sqrt());
    let clipped = clip_to_norm::<B, M>(module, gradients, norm, max_norm);
    (clipped, norm)
}

/// The squared length of all gradients of a module taken as one vector, `[1]`; none where there are
/// no gradients.
pub fn squared_norm<B: AutodiffBackend, M: AutodiffModule<B>>(
    module: &M,
    gradients: &GradientsParams,
) -> Option<Tensor<B::InnerBackend, 1>> {
    let mut visitor = SumOfSquares::<B> {
        gradients,
        seen: HashSet::new(),
        sum: None,
    };
    module.visit(&mut visitor);
    visitor.sum
}

/// Scales all gradients, whose common length is `norm`, so that it is at most `max_norm`.
pub fn clip_to_norm<B: AutodiffBackend, M: AutodiffModule<B>>(
    module: &M,
    gradients: GradientsParams,
    norm: f64,
    max_norm: f64,
) -> GradientsParams {
    let scale = max_norm / (norm + EPSILON);
    // False for a norm that is not a number; an infinite one would turn gradients into zeros.
    if !(norm.is_finite() && scale < 1.0) {
        return gradients;
    }
    scale_gradients::<B, M>(module, gradients, scale)
}

/// Multiplies every gradient of a module by `factor`: also what averages accumulated gradients and
/// undoes a loss scale.
pub fn scale_gradients<B: AutodiffBackend, M: AutodiffModule<B>>(
    module: &M,
    gradients: GradientsParams,
    factor: f64,
) -> GradientsParams {
    let mut visitor = Scale::<B> {
        gradients,
        seen: HashSet::new(),
        factor,
        backend: PhantomData,
    };
    module.visit(&mut visitor);
    visitor.gradients
}

/// A parameter that a module holds twice has one gradient, counted once.
struct SumOfSquares<'a, B: AutodiffBackend> {
    gradients: &'a GradientsParams,
    seen: HashSet<ParamId>,
    sum: Option<Tensor<B::InnerBackend, 1>>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for SumOfSquares<'_, B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if !self.seen.insert(param.id) {
            return;
        }
        if let Some(gradient) = self.gradients.get::<B::InnerBackend, D>(param.id) {
            let squares = sum_of_squares(gradient);
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + squares,
                None => squares,
            });
        }
    }
}

struct Scale<B> {
    gradients: GradientsParams,
    seen: HashSet<ParamId>,
    factor: f64,
    backend: PhantomData<B>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Scale<B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if !self.seen.insert(param.id) {
            return;
        }
        if let Some(gradient) = self.gradients.remove::<B::InnerBackend, D>(param.id) {
            let scaled = gradient.mul_scalar(self.factor);
            self.gradients.register(param.id, scaled);
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values compared are exact")]
mod tests {
    use super::*;
    use crate::{TestAutodiffBackend, TestBackend};
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Tolerance;

    /// A weight gradient of one 3, and a bias gradient of one 4: five together.
    fn three_and_four() -> (Linear<TestAutodiffBackend>, GradientsParams) {
        let device = Default::default();
        let module = LinearConfig::new(1, 1).init::<TestAutodiffBackend>(&device);
        let mut gradients = GradientsParams::new();
        gradients.register(
            module.weight.id,
            Tensor::<TestBackend, 2>::from_data([[3.0]], &device),
        );
        gradients.register(
            bias(&module),
            Tensor::<TestBackend, 1>::from_data([4.0], &device),
        );
        (module, gradients)
    }

    fn bias(module: &Linear<TestAutodiffBackend>) -> ParamId {
        module.bias.as_ref().expect("a bias").id
    }

    fn assert_gradients(
        module: &Linear<TestAutodiffBackend>,
        gradients: &GradientsParams,
        weight_and_bias: [f32; 2],
    ) {
        let weight = gradients
            .get::<TestBackend, 2>(module.weight.id)
            .expect("weight");
        let bias = gradients.get::<TestBackend, 1>(bias(module)).expect("bias");
        Tensor::cat(vec![weight.reshape([1]), bias], 0)
            .into_data()
            .assert_approx_eq::<f32>(&weight_and_bias.into(), Tolerance::default());
    }

    #[test]
    fn all_gradients_shrink_by_the_same_factor() {
        let (module, gradients) = three_and_four();

        let (clipped, norm) =
            clip_by_global_norm::<TestAutodiffBackend, _>(&module, gradients, 1.0);

        assert!((norm - 5.0).abs() < 1e-6);
        assert_gradients(&module, &clipped, [0.6, 0.8]);
    }

    #[test]
    fn short_gradients_stay_as_they_are() {
        let (module, gradients) = three_and_four();

        let (clipped, norm) =
            clip_by_global_norm::<TestAutodiffBackend, _>(&module, gradients, 6.0);

        assert!((norm - 5.0).abs() < 1e-6);
        assert_gradients(&module, &clipped, [3.0, 4.0]);
    }

    #[test]
    fn an_infinite_gradient_is_reported_and_not_scaled() {
        let (module, mut gradients) = three_and_four();
        let infinite = Tensor::<TestBackend, 1>::from_data([f32::INFINITY], &Default::default());
        gradients.register(bias(&module), infinite);

        let (clipped, norm) =
            clip_by_global_norm::<TestAutodiffBackend, _>(&module, gradients, 1.0);

        assert!(norm.is_infinite());
        let weight = clipped
            .get::<TestBackend, 2>(module.weight.id)
            .expect("weight");
        assert_eq!(weight.into_scalar(), 3.0);
    }

    #[test]
    fn a_module_without_gradients_has_length_zero() {
        let (module, _) = three_and_four();

        let (_, norm) =
            clip_by_global_norm::<TestAutodiffBackend, _>(&module, GradientsParams::new(), 1.0);

        assert_eq!(norm, 0.0);
    }
}
