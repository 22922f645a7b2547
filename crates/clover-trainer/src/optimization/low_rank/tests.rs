use super::*;
use crate::TestAutodiffBackend as B;
use crate::TestBackend;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Tolerance;

/// A tower of one layer with a head on top.
#[derive(Module, Debug)]
struct Toy<B: Backend> {
    video_encoder: Linear<B>,
    head: Linear<B>,
}

fn toy() -> Toy<B> {
    let device = Default::default();
    <B as Backend>::seed(&device, 3);
    let toy = Toy {
        video_encoder: LinearConfig::new(4, 5).init(&device),
        head: LinearConfig::new(5, 2).init(&device),
    };
    // Draws its parameters: a copy of one that is not drawn would draw its own.
    let _ = forward(&toy);
    toy
}

fn forward(toy: &Toy<B>) -> Tensor<B, 2> {
    let rows = [[1.0, -2.0, 0.5, 3.0], [0.0, 1.0, 2.0, -1.0]];
    let rows = Tensor::from_floats(rows, &Default::default());
    toy.head.forward(toy.video_encoder.forward(rows).tanh())
}

fn pairs(toy: &Toy<B>) -> LowRank<B> {
    LowRank::of(toy, 2, &Default::default())
}

/// Pairs whose second matrix is no longer zero.
fn learnt_pairs(toy: &Toy<B>) -> LowRank<B> {
    let mut pairs = pairs(toy);
    for pair in &mut pairs.pairs {
        let device = pair.b.device();
        let b = Tensor::random(pair.b.dims(), Distribution::Uniform(-0.1, 0.1), &device);
        pair.b = Param::from_tensor(b);
    }
    pairs
}

fn assert_close(found: Tensor<TestBackend, 2>, expected: Tensor<TestBackend, 2>) {
    found
        .into_data()
        .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-5));
}

#[test]
fn only_matrices_of_towers_are_changed() {
    let pairs = pairs(&toy());

    let paths: Vec<_> = pairs.pairs.iter().map(|pair| pair.path.as_str()).collect();
    assert_eq!(paths, ["video_encoder.weight"]);
}

#[test]
fn before_the_first_step_the_model_is_as_it_was() {
    let toy = toy();

    let applied = pairs(&toy).applied(toy.clone());

    let [found, expected] = [&applied, &toy].map(|toy| forward(toy).into_data());
    found.assert_eq(&expected, true);
}

#[test]
fn the_gradient_of_a_pair_is_that_of_autodiff_through_the_sum() {
    let toy = toy();
    let pairs = learnt_pairs(&toy);

    let applied = pairs.applied(toy.clone());
    let loss = forward(&applied).powi_scalar(2).sum();
    let gradients = GradientsParams::from_grads(loss.backward(), &applied);
    let gradients = pairs.gradients(&applied, gradients);

    // The same sum inside the graph.
    let pair = &pairs.pairs[0];
    let mut inside = toy;
    inside.video_encoder.weight = inside
        .video_encoder
        .weight
        .map(|weight| weight.detach() + pair.change());
    let through = forward(&inside).powi_scalar(2).sum().backward();
    for param in [&pair.a, &pair.b] {
        let found = gradients.get::<TestBackend, 2>(param.id).unwrap();
        assert_close(found, param.val().grad(&through).unwrap());
    }
    let matrix = applied.video_encoder.weight.id;
    assert!(gradients.get::<TestBackend, 2>(matrix).is_none());
}

#[test]
fn a_merged_model_computes_what_the_pairs_did() {
    let toy = toy();
    let pairs = learnt_pairs(&toy);
    let rows = Tensor::<B, 2>::from_floats([[1.0, -2.0, 0.5, 3.0]], &Default::default());
    let pair = &pairs.pairs[0];
    let apart = toy.video_encoder.forward(rows.clone())
        + rows.clone().matmul(pair.a.val()).matmul(pair.b.val()) * 8.0;

    let merged = pairs.applied(toy).video_encoder.forward(rows);

    assert_close(merged.inner(), apart.inner());
}

#[test]
fn stored_pairs_come_back_to_the_bit_and_leave_the_other_tensors() {
    let toy = toy();
    let stored = learnt_pairs(&toy);
    let mut tensors = stored.tensors();
    tensors.push(("head.weight.steps".to_owned(), TensorData::from([1_i64])));
    let mut loaded = pairs(&toy);

    loaded.load(&mut tensors).unwrap();

    assert_eq!(tensors.len(), 1);
    for (found, expected) in loaded.tensors().into_iter().zip(stored.tensors()) {
        assert_eq!(found, expected);
    }
    let missing = loaded.load(&mut tensors).unwrap_err().to_string();
    assert!(
        missing.contains("low_rank.video_encoder.weight.a"),
        "{missing}"
    );
}
