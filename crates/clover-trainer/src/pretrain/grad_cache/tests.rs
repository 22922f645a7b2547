use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Distribution;
use clover_data::masking::{MaskedTokens, RegionMask};
use clover_data::video::transform::NormalizedClip;
use clover_model::CloverConfig;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::devices::{GradientScaling, Peer};
use crate::optimizer::OptimizerConfig;
use crate::optimizer_step::{OptimizerStep, StepValues};
use crate::parameter_groups::ParameterRules;
use crate::precision::Precision;
use crate::pretrain::pretraining_gradients;
use crate::{TestAutodiffBackend, TestBackend};

pub(super) type Trained = TestAutodiffBackend;

const VOCABULARY: usize = 200;
const SIZE: usize = 28;
/// Two time steps: attention to a single token, as of the last stage, teaches its queries nothing.
const FRAMES: usize = 4;
const TEXT_LEN: usize = 6;
pub(super) const BATCH: usize = 5;

/// As an f32 sum in another order differs, and no more.
const TOLERANCE: f64 = 1e-5;

/// A part of the whole gradient below which a parameter's is rounding alone: keys' biases shift all
/// scores of a query alike, which softmax does not see.
const ROUNDING: f64 = 1e-6;

/// Every parameter random, with dropout and stochastic depth.
pub(super) fn clover() -> Clover<Trained> {
    struct Spread;
    impl<B: Backend> ModuleMapper<B> for Spread {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            param.map(|value| {
                let noise = value.random_like(Distribution::Normal(0.0, 0.05));
                (value + noise).detach().require_grad()
            })
        }
    }
    let device = Default::default();
    <Trained as Backend>::seed(&device, 5);
    let config = CloverConfig::nano(VOCABULARY)
        .with_frames(FRAMES)
        .with_image_size(SIZE);
    config.init(&device).map(&mut Spread)
}

/// Pairs of noise; `masked(row)` words of each are masked.
pub(super) fn samples(count: usize, masked: impl Fn(usize) -> usize) -> Vec<PretrainingSample> {
    let mut rng = StdRng::seed_from_u64(1);
    (0..count)
        .map(|row| {
            let dims = [3, FRAMES, SIZE, SIZE];
            let pixels = dims.iter().product();
            let clip = (0..pixels).map(|_| rng.random_range(-2.0..2.0)).collect();
            let token_ids: Vec<u32> = (0..TEXT_LEN).map(|_| rng.random_range(110..200)).collect();
            let mut ids = token_ids.clone();
            let mut labels = vec![IGNORED_LABEL; TEXT_LEN];
            for place in 1..=masked(row) {
                labels[place] = i64::from(ids[place]);
                ids[place] = 103;
            }
            PretrainingSample {
                clip: NormalizedClip::new(clip, dims),
                token_ids,
                masked: MaskedTokens { ids, labels },
                attention_mask: vec![1; TEXT_LEN],
                region_mask: RegionMask::sample(RegionMask::PUBLISHED_TARGET, &mut rng),
                name: format!("pair {row}"),
            }
        })
        .collect()
}

pub(super) fn noise(step: u64) -> Noise {
    Noise::of_batch(3, step, BATCH)
}

/// Every parameter's values, or its gradient's.
#[derive(Default)]
struct Read<'g> {
    gradients: Option<&'g GradientsParams>,
    path: Vec<String>,
    found: BTreeMap<String, Vec<f64>>,
}

impl ModuleVisitor<Trained> for Read<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Trained, D>>) {
        let value = match self.gradients {
            Some(gradients) => gradients.get::<TestBackend, D>(param.id),
            None => Some(param.val().inner()),
        };
        if let Some(value) = value {
            let values = value.into_data().iter::<f64>().collect();
            self.found.insert(self.path.join("."), values);
        }
    }
}

pub(super) fn read(
    clover: &Clover<Trained>,
    gradients: Option<&GradientsParams>,
) -> BTreeMap<String, Vec<f64>> {
    let mut reader = Read {
        gradients,
        ..Read::default()
    };
    clover.visit(&mut reader);
    reader.found
}

pub(super) fn norm(values: impl IntoIterator<Item = f64>) -> f64 {
    values
        .into_iter()
        .map(|value| value * value)
        .sum::<f64>()
        .sqrt()
}

pub(super) fn distance(left: &[f64], right: &[f64]) -> f64 {
    norm(left.iter().zip(right).map(|(left, right)| left - right))
}

/// Terms and gradient of Clover's objective without micro-batches.
pub(super) fn whole(
    clover: &Clover<Trained>,
    samples: &[PretrainingSample],
    noise: &Noise,
) -> BatchGradients<Trained> {
    whole_by(&PretrainingObjective::default(), clover, samples, noise)
}

/// As [`whole`], by another objective; masked samples are encoded whether or not it reads them.
pub(super) fn whole_by(
    objective: &PretrainingObjective,
    clover: &Clover<Trained>,
    samples: &[PretrainingSample],
    noise: &Noise,
) -> BatchGradients<Trained> {
    let batch = PretrainingBatch::collate(samples, &Default::default());
    let region_mask = Some(batch.region_mask.clone());
    let (mut input, labels, names) = model_input(batch, objective);
    input.region_mask = region_mask;
    let output = clover.forward_pretraining(input, &mut noise.clone());
    pretraining_gradients(objective, clover, output, labels, names)
}

/// Micro-batches, one after the other.
#[cfg(feature = "collective")]
pub(super) fn cut(size: usize) -> MicroBatching {
    MicroBatching::new(size, 1).unwrap()
}

pub(super) fn in_micro_batches<B: AutodiffBackend>(
    clover: &Clover<B>,
    samples: &[PretrainingSample],
    cut: (usize, usize),
    noise: &Noise,
) -> BatchGradients<B> {
    in_micro_batches_by(
        &PretrainingObjective::default(),
        clover,
        samples,
        cut,
        noise,
    )
}

/// As [`in_micro_batches`], by another objective.
pub(super) fn in_micro_batches_by<B: AutodiffBackend>(
    objective: &PretrainingObjective,
    clover: &Clover<B>,
    samples: &[PretrainingSample],
    (size, at_once): (usize, usize),
    noise: &Noise,
) -> BatchGradients<B> {
    let places: Vec<usize> = (0..samples.len()).collect();
    let shared = SharedBatch {
        peer: &Peer::alone(),
        places: &places,
        slots: samples.len(),
        scaling: GradientScaling::FullBatch,
    };
    let (cut, device) = (
        MicroBatching::new(size, at_once).unwrap(),
        Default::default(),
    );
    micro_batched_gradients(objective, clover, samples, &cut, noise, &shared, &device).unwrap()
}

fn assert_same_gradients(samples: &[PretrainingSample], sizes: &[usize]) {
    let clover = clover();
    let expected = whole(&clover, samples, &noise(1));
    for (&size, at_once) in sizes
        .iter()
        .flat_map(|size| [(size, 1), (size, 2), (size, 8)])
    {
        let found = in_micro_batches(&clover, samples, (size, at_once), &noise(1));
        let of = format!("micro-batches of {size}, {at_once} at once");
        assert_same(&clover, &found, &expected, &of);
    }
}

/// Terms and gradients, but for rounding.
pub(super) fn assert_same(
    clover: &Clover<Trained>,
    found: &BatchGradients<Trained>,
    expected: &BatchGradients<Trained>,
    of: &str,
) {
    for (found, expected) in found.terms.iter().zip(&expected.terms) {
        let [found, expected] = [found, expected].map(|term| term.clone().into_scalar());
        let error = f64::from((found - expected).abs());
        assert!(
            error <= TOLERANCE * f64::from(expected.abs()),
            "{of}: {found} {expected}"
        );
    }
    let [found, expected] = [found, expected].map(|all| read(clover, Some(&all.gradients)));
    assert!(
        found.keys().eq(expected.keys()),
        "{of}: other parameters learn"
    );
    let total = norm(expected.values().flatten().copied());
    for (path, expected) in &expected {
        let error = distance(&found[path], expected);
        let scale = norm(expected.iter().copied()).max(ROUNDING * total);
        assert!(
            error <= TOLERANCE * scale || error <= 1e-7 * total && scale <= ROUNDING * total,
            "{of}: {path} differs by {error:e} of {scale:e}, total {total:e}"
        );
    }
}

#[test]
fn the_gradient_of_micro_batches_is_that_of_the_batch() {
    // 2 and 4 leave an uneven last one.
    assert_same_gradients(&samples(BATCH, |row| 1 + row % 3), &[1, 2, 4]);
}

#[test]
fn micro_batches_without_masked_words_have_no_share_of_the_word_loss() {
    assert_same_gradients(&samples(BATCH, |row| if row == 3 { 2 } else { 0 }), &[1, 2]);
}

#[test]
fn a_batch_without_masked_words_has_no_word_loss() {
    assert_same_gradients(&samples(BATCH, |_| 0), &[2]);
}

#[test]
fn one_pair_is_a_batch() {
    let one = samples(1, |_| 1);

    let found = in_micro_batches(&clover(), &one, (4, 1), &Noise::of_samples([9]));

    for term in found.terms {
        assert!(term.into_scalar().is_finite());
    }
}

/// Where some steps of AdamW lead, and what they measured.
pub(super) type Trajectory = (Clover<Trained>, Vec<StepValues>);

/// One way to the gradient of a batch.
pub(super) type Gradients<'t> =
    dyn Fn(&Clover<Trained>, &[PretrainingSample], &Noise) -> BatchGradients<Trained> + 't;

pub(super) fn trajectory(mut clover: Clover<Trained>, gradients: &Gradients<'_>) -> Trajectory {
    let mut update = OptimizerStep::<Trained> {
        optimizer: OptimizerConfig::new(0.005, ParameterRules::Pretraining).init(),
        clip_norm: 15.0,
        loss_limit: 1e3,
        precision: Precision::F32,
    };
    let samples = samples(BATCH, |row| 1 + row % 3);
    let mut all = Vec::new();
    for step in 1..=3 {
        let working = update.precision.working_copy(&clover);
        let found = gradients(&working, &samples, &noise(step));
        let values;
        (clover, values) = update.apply(clover, found, step, 5e-5).unwrap();
        all.push(values);
    }
    (clover, all)
}

/// The plain step.
pub(super) fn plain_trajectory(clover: Clover<Trained>) -> Trajectory {
    trajectory(clover, &whole)
}

#[test]
fn steps_in_micro_batches_lead_where_whole_steps_lead() {
    let clover = clover();
    let begun = read(&clover, None);
    let expected = plain_trajectory(clover.clone());
    let ended = read(&expected.0, None);
    let moved = ended
        .iter()
        .filter(|(path, values)| &begun[*path] != *values);
    assert!(moved.count() > 100, "hardly a parameter moved");

    for size in [1, 2, 4] {
        let found = trajectory(clover.clone(), &|clover, samples, noise| {
            in_micro_batches(clover, samples, (size, 1), noise)
        });

        assert_same_end(&found, &expected, &format!("micro-batches of {size}"));
    }
}

pub(super) fn assert_same_end(found: &Trajectory, expected: &Trajectory, of: &str) {
    for (found, expected) in found.1.iter().zip(&expected.1) {
        for (found, expected) in [
            (found.loss(), expected.loss()),
            (found.gradient_norm, expected.gradient_norm),
        ] {
            let error = (found - expected).abs();
            assert!(error <= TOLERANCE * expected, "{of}: {found} {expected}");
        }
    }
    let expected = read(&expected.0, None);
    for (path, values) in read(&found.0, None) {
        let [values, expected] = [&values, &expected[&path]].map(|all| learnt(&path, all));
        let error = distance(&values, &expected);
        let scale = norm(expected);
        assert!(
            error <= TOLERANCE * scale,
            "{of}: {path}: {error:e} of {scale:e}"
        );
    }
}

/// Without the biases of keys: AdamW makes whole steps of their rounding.
fn learnt(path: &str, values: &[f64]) -> Vec<f64> {
    let third = values.len() / 3;
    match path {
        _ if path.ends_with("key.bias") => Vec::new(),
        _ if path.ends_with("qkv.bias") => [&values[..third], &values[2 * third..]].concat(),
        _ => values.to_vec(),
    }
}
