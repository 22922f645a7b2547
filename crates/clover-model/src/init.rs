//! Starting values that Burn's [`Initializer`] does not offer as they are used here, and when they are drawn.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::nn::{Initializer, Linear};
use burn::prelude::*;
use burn::tensor::Distribution;

/// Where the published implementation cuts its truncated normal draws. The bounds are absolute,
/// not multiples of the deviation, so at a deviation of 0.02 they practically never bite.
const TRUNCATION: f64 = 2.0;

/// Draws every parameter of a module that is not drawn yet, in the module's order.
///
/// Burn draws a parameter at its first use. Without this, starting values would depend on what is used first and
/// on what else was drawn until then, and a copy of an undrawn parameter would draw its own.
pub fn materialize_parameters<B: Backend, M: Module<B>>(module: &M) {
    module.visit(&mut Materialize);
}

struct Materialize;

impl<B: Backend> ModuleVisitor<B> for Materialize {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let _ = param.val();
    }
}

/// A parameter drawn from a normal distribution of mean 0, cut at plus and minus 2.
pub(crate) fn truncated_normal<B: Backend, const D: usize>(
    shape: [usize; D],
    deviation: f64,
    device: &B::Device,
) -> Param<Tensor<B, D>> {
    Param::uninitialized(
        ParamId::new(),
        move |device, require_grad| {
            let values = Tensor::random(shape, Distribution::Normal(0.0, deviation), device)
                .clamp(-TRUNCATION, TRUNCATION);
            if require_grad {
                values.require_grad()
            } else {
                values
            }
        },
        device.clone(),
        true,
        shape.into(),
    )
}

/// A parameter of independent normal draws.
pub(crate) fn normal<B: Backend, const D: usize>(
    shape: [usize; D],
    deviation: f64,
    device: &B::Device,
) -> Param<Tensor<B, D>> {
    Initializer::Normal {
        mean: 0.0,
        std: deviation,
    }
    .init(shape, device)
}

/// A linear layer with Xavier-uniform weights and zero bias: every head of the paper.
pub(crate) fn xavier_linear<B: Backend>(
    input: usize,
    output: usize,
    device: &B::Device,
) -> Linear<B> {
    Linear {
        weight: Initializer::XavierUniform { gain: 1.0 }.init_with(
            [input, output],
            Some(input),
            Some(output),
            device,
        ),
        bias: Some(Initializer::Zeros.init([output], device)),
    }
}

/// A linear layer with truncated normal weights and zero bias: Video Swin.
pub(crate) fn truncated_normal_linear<B: Backend>(
    input: usize,
    output: usize,
    device: &B::Device,
) -> Linear<B> {
    Linear {
        weight: truncated_normal([input, output], 0.02, device),
        bias: Some(Initializer::Zeros.init([output], device)),
    }
}

/// A linear layer with normal weights of deviation 0.02 and zero bias: BERT.
pub(crate) fn bert_linear<B: Backend>(
    input: usize,
    output: usize,
    device: &B::Device,
) -> Linear<B> {
    Linear {
        weight: normal([input, output], 0.02, device),
        bias: Some(Initializer::Zeros.init([output], device)),
    }
}

/// A linear layer that gives zeros at first, so that what it is added to stays.
pub(crate) fn zero_linear<B: Backend>(
    input: usize,
    output: usize,
    device: &B::Device,
) -> Linear<B> {
    Linear {
        weight: Initializer::Zeros.init([input, output], device),
        bias: Some(Initializer::Zeros.init([output], device)),
    }
}

/// A linear layer without bias, with normal weights: CLIP's projections.
pub(crate) fn projection<B: Backend>(
    input: usize,
    output: usize,
    deviation: f64,
    device: &B::Device,
) -> Linear<B> {
    Linear {
        weight: normal([input, output], deviation, device),
        bias: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;

    #[test]
    fn truncated_normal_draws_stay_within_two() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 3);

        let wide = truncated_normal::<TestBackend, 1>([512], 3.0, &device).val();

        let values = wide.into_data().to_vec::<f32>().unwrap();
        assert!(values.iter().all(|value| value.abs() <= 2.0));
        assert!(
            values.iter().any(|value| (value.abs() - 2.0).abs() < 1e-6),
            "nothing was cut"
        );
        assert!(
            values.iter().any(|value| value.abs() < 1.0),
            "everything was cut"
        );
    }

    #[test]
    fn heads_start_with_xavier_weights_and_zero_bias() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 3);

        let linear = xavier_linear::<TestBackend>(30, 24, &device);

        let bound = (6.0_f32 / 54.0).sqrt();
        let weights = linear.weight.val().into_data().to_vec::<f32>().unwrap();
        assert!(weights.iter().all(|weight| weight.abs() <= bound));
        assert!(weights.iter().any(|weight| weight.abs() > 0.9 * bound));
        let bias = linear
            .bias
            .unwrap()
            .val()
            .into_data()
            .to_vec::<f32>()
            .unwrap();
        assert!(bias.iter().all(|value| *value == 0.0));
    }
}
