//! Mixed precision against `f32`, on a backend that has both.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::DType;

use super::tests::{
    BATCH, Trained, clover, distance, in_micro_batches, noise, norm, read, samples, whole,
};
use super::*;
use crate::optimizer::OptimizerConfig;
use crate::optimizer_step::OptimizerStep;
use crate::parameter_groups::ParameterRules;
use crate::precision::Precision;

/// Part of a loss term that rounding may change: bfloat16 has 8 bits, and the errors of many layers
/// add up.
const ROUNDING: f64 = 0.02;
/// A gradient below this share of all is the rounding of `f32` already.
const SILENT: f64 = 1e-6;

/// Whether the backend of this build computes in bf16; says so where it does not.
fn has_bf16() -> bool {
    let has = Precision::Bf16
        .check::<Trained>(&Default::default())
        .is_ok();
    if !has {
        println!("SKIPPED: this backend does not compute in bf16");
    }
    has
}

fn pairs() -> Vec<PretrainingSample> {
    samples(BATCH, |row| 1 + row % 3)
}

fn gradients(
    model: &Clover<Trained>,
    precision: Precision,
    size: usize,
) -> BatchGradients<Trained> {
    let working = precision.working_copy(model);
    if size == BATCH {
        return whole(&working, &pairs(), &noise(1));
    }
    in_micro_batches(&working, &pairs(), (size, 1), &noise(1))
}

fn cosine(left: &[f64], right: &[f64]) -> f64 {
    let product: f64 = left.iter().zip(right).map(|(l, r)| l * r).sum();
    product / norm(left.iter().copied()) / norm(right.iter().copied())
}

#[test]
fn losses_and_gradients_are_those_of_f32_but_for_rounding() {
    if !has_bf16() {
        return;
    }
    let model = clover();
    for size in [3, BATCH] {
        let [expected, found] =
            [Precision::F32, Precision::Bf16].map(|precision| gradients(&model, precision, size));

        for (found, expected) in found.terms.iter().zip(&expected.terms) {
            assert_eq!(found.dtype(), DType::F32);
            let [found, expected] =
                [found, expected].map(|term| f64::from(term.clone().into_scalar()));
            let error = (found - expected).abs();
            assert!(error <= ROUNDING * expected, "{found} {expected}");
        }
        let [expected, found] = [expected, found].map(|all| read(&model, Some(&all.gradients)));
        assert!(found.keys().eq(expected.keys()), "other parameters learn");
        let [all_expected, all_found] =
            [&expected, &found].map(|all| all.values().flatten().copied().collect::<Vec<_>>());
        let angle = cosine(&all_expected, &all_found);
        assert!(angle > 0.99, "micro-batches of {size}: {angle}");
        for (path, expected) in &expected {
            let learns = norm(expected.iter().copied()) > SILENT * norm(all_expected.clone());
            let angle = cosine(&found[path], expected);
            assert!(
                !learns || angle > 0.9,
                "micro-batches of {size}: {path}: {angle}"
            );
        }
    }
}

#[test]
fn sums_over_micro_batches_stay_in_f32() {
    if !has_bf16() {
        return;
    }
    struct Wide<'g>(&'g GradientsParams);
    impl ModuleVisitor<Trained> for Wide<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Trained, D>>) {
            let gradient = self
                .0
                .get::<<Trained as AutodiffBackend>::InnerBackend, D>(param.id);
            assert_eq!(gradient.unwrap().dtype(), DType::F32);
        }
    }

    let model = clover();

    let found = gradients(&model, Precision::Bf16, 4);

    model.visit(&mut Wide(&found.gradients));
}

#[test]
fn the_loss_falls_and_the_master_weights_keep_what_bf16_would_round_away() {
    if !has_bf16() {
        return;
    }
    let mut update = OptimizerStep::<Trained> {
        optimizer: OptimizerConfig::new(0.005, ParameterRules::Pretraining).init(),
        clip_norm: 15.0,
        loss_limit: 1e3,
        precision: Precision::Bf16,
    };
    let (pairs, quiet) = (pairs(), Noise::quiet());
    let mut model = clover();
    let mut totals = Vec::new();
    for step in 1..=4 {
        let working = update.precision.working_copy(&model);
        let found = whole(&working, &pairs, &quiet);
        let (trained, values) = update.apply(model, found, step, 5e-4).unwrap();
        model = trained;
        totals.push(values.loss());
    }

    assert!(totals[3] < 0.9 * totals[0], "{totals:?}");
    let master = read(&model, None);
    let rounded = read(&Precision::Bf16.working_copy(&model), None);
    let weight = "video_projection.fc1.weight";
    assert!(distance(&master[weight], &rounded[weight]) > 0.0);
}
