use super::*;
use crate::TestAutodiffBackend as B;
use crate::TestBackend;
use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};

#[derive(Module, Debug)]
struct Toy<B: Backend> {
    first: Linear<B>,
    norm: LayerNorm<B>,
    answer_head: Linear<B>,
}

/// All weights and biases one; gradients as given, missing where `None`.
fn toy() -> Toy<B> {
    let device = Default::default();
    let ones = |module: Linear<B>| Linear {
        weight: module
            .weight
            .map(|weight| weight.ones_like().require_grad()),
        bias: module
            .bias
            .map(|bias| bias.map(|bias| bias.ones_like().require_grad())),
    };
    Toy {
        first: ones(LinearConfig::new(1, 1).init(&device)),
        norm: LayerNormConfig::new(1).init(&device),
        answer_head: ones(LinearConfig::new(1, 1).init(&device)),
    }
}

fn gradients(module: &Toy<B>, value: f32) -> GradientsParams {
    let device = Default::default();
    let matrix = || Tensor::<TestBackend, 2>::full([1, 1], value, &device);
    let vector = || Tensor::<TestBackend, 1>::full([1], value, &device);
    let bias = |linear: &Linear<B>| linear.bias.as_ref().expect("a bias").id;
    let mut gradients = GradientsParams::new();
    gradients.register(module.first.weight.id, matrix());
    gradients.register(bias(&module.first), vector());
    gradients.register(module.norm.gamma.id, vector());
    gradients.register(module.answer_head.weight.id, matrix());
    gradients.register(bias(&module.answer_head), vector());
    gradients
}

fn value<const D: usize>(param: &Param<Tensor<B, D>>) -> f64 {
    param.val().into_scalar().elem()
}

fn bias(linear: &Linear<B>) -> f64 {
    value(linear.bias.as_ref().expect("a bias"))
}

fn optimizer(rules: ParameterRules) -> Optimizer<B> {
    OptimizerConfig::new(0.5, rules).init()
}

fn assert_close(actual: f64, expected: f64) {
    assert!(
        (actual - expected).abs() < 1e-6,
        "{actual} instead of {expected}"
    );
}

// The first step of Adam moves by the learning rate whatever the gradient's size, so a parameter of
// one becomes 1 - decay * rate - rate.
#[test]
fn only_weights_decay() {
    let module = toy();
    let gradients = gradients(&module, 3.0);

    let module = optimizer(ParameterRules::Pretraining).step(0.1, module, gradients);

    assert_close(value(&module.first.weight), 1.0 - 0.05 - 0.1);
    assert_close(bias(&module.first), 1.0 - 0.1);
    assert_close(value(&module.norm.gamma), 1.0 - 0.1);
    assert_close(bias(&module.answer_head), 1.0 - 0.1);
}

#[test]
fn an_answer_head_moves_ten_times_as_far_and_decays() {
    let module = toy();
    let gradients = gradients(&module, 3.0);

    let module = optimizer(ParameterRules::QuestionAnswering).step(0.01, module, gradients);

    assert_close(value(&module.answer_head.weight), 1.0 - 0.05 - 0.1);
    assert_close(bias(&module.answer_head), 1.0 - 0.05 - 0.1);
    assert_close(value(&module.first.weight), 1.0 - 0.005 - 0.01);
}

#[test]
fn a_parameter_without_gradient_is_untouched() {
    let module = toy();
    let mut optimizer = optimizer(ParameterRules::Pretraining);

    let module = optimizer.step(0.1, module, GradientsParams::new());

    assert_close(value(&module.first.weight), 1.0);
    assert!(optimizer.state_tensors().is_empty());
}

#[test]
fn two_steps_follow_the_formula() {
    let mut optimizer = optimizer(ParameterRules::Pretraining);
    let mut module = toy();

    for gradient in [3.0, -1.0] {
        let gradients = gradients(&module, gradient);
        module = optimizer.step(0.1, module, gradients);
    }

    // After the second step the moments are 0.9 * 0.3 - 0.1 and 0.98 * 0.18 + 0.02.
    let mean = (0.9 * 0.3 - 0.1) / (1.0 - 0.81);
    let square: f64 = (0.98 * 0.18 + 0.02) / (1.0 - 0.98 * 0.98);
    assert_close(bias(&module.first), 0.9 - 0.1 * mean / square.sqrt());
}

#[test]
fn updated_parameters_keep_their_id_and_still_learn() {
    let module = toy();
    let id = module.first.weight.id;
    let gradients = gradients(&module, 1.0);

    let module = optimizer(ParameterRules::Pretraining).step(0.1, module, gradients);

    assert_eq!(module.first.weight.id, id);
    assert!(module.first.weight.is_require_grad());
}

#[test]
fn a_state_continues_in_a_model_under_new_ids() {
    let mut original = optimizer(ParameterRules::Pretraining);
    let module = toy();
    let first = gradients(&module, 3.0);
    let module = original.step(0.1, module, first);
    let mut resumed = optimizer(ParameterRules::Pretraining);
    let other = toy();
    let first = gradients(&other, 3.0);
    let other = optimizer(ParameterRules::Pretraining).step(0.1, other, first);
    assert_ne!(module.first.weight.id, other.first.weight.id);

    resumed
        .load_state(&other, original.state_tensors())
        .expect("a fitting state");
    let second = gradients(&module, -1.0);
    let module = original.step(0.1, module, second);
    let second = gradients(&other, -1.0);
    let other = resumed.step(0.1, other, second);

    assert_eq!(value(&module.first.weight), value(&other.first.weight));
    assert_eq!(original.state_tensors(), resumed.state_tensors());
}

fn stored() -> Vec<(String, TensorData)> {
    let mut optimizer = optimizer(ParameterRules::Pretraining);
    let module = toy();
    let gradients = gradients(&module, 3.0);
    let _ = optimizer.step(0.1, module, gradients);
    optimizer.state_tensors()
}

fn refusal(tensors: Vec<(String, TensorData)>) -> String {
    optimizer(ParameterRules::Pretraining)
        .load_state(&toy(), tensors)
        .expect_err("an unfitting state")
        .to_string()
}

#[test]
fn a_state_of_another_shape_is_refused_by_name() {
    let mut tensors = stored();
    for (name, data) in &mut tensors {
        if name == "first.weight.moment_2" {
            *data = TensorData::from([[1.0_f32, 2.0]]);
        }
    }

    assert_eq!(
        refusal(tensors),
        "the optimizer state's first.weight.moment_2 has the shape [1, 2] instead of [1, 1]"
    );
}

#[test]
fn a_state_with_a_missing_or_stray_tensor_is_refused_by_name() {
    let mut missing = stored();
    missing.retain(|(name, _)| name != "norm.gamma.steps");
    let mut stray = stored();
    stray.push(("last.bias.moment_1".to_owned(), TensorData::from([1.0_f32])));

    assert_eq!(
        refusal(missing),
        "the optimizer state has no norm.gamma.steps"
    );
    assert_eq!(
        refusal(stray),
        "the optimizer state has last.bias.moment_1, and the model no such parameter"
    );
}
