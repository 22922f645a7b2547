//! `losses.safetensors`: the losses by themselves on random vectors, with gradients.

use burn::prelude::*;
use clover_losses::{
    ExclusiveNceLossConfig, FocalMlmLossConfig, InfoNceLossConfig, PairwiseRankingLossConfig,
    Reduction,
};

use super::deviation::Deviations;
use super::fixture::{Fixture, Recorded, fixtures};
use crate::TestAutodiffBackend;

const FILE: &str = "losses.safetensors";
const BOUND: f64 = 1e-4;
const GRADIENT_BOUND: f64 = 1e-3;

type Rows = Tensor<TestAutodiffBackend, 2>;

fn embeddings<const N: usize>(recorded: &Recorded, names: [&str; N]) -> [Rows; N] {
    names.map(|name| {
        recorded
            .float(&format!("emb.{name}"), &Default::default())
            .require_grad()
    })
}

fn compare_number(
    deviations: &mut Deviations,
    recorded: &Recorded,
    name: &str,
    found: &Tensor<TestAutodiffBackend, 1>,
) {
    let found = f64::from(found.clone().into_scalar());
    deviations.number(name, found, f64::from(recorded.values(name)[0]), BOUND);
}

fn compare_gradients(
    deviations: &mut Deviations,
    recorded: &Recorded,
    loss: &Tensor<TestAutodiffBackend, 1>,
    case: &str,
    inputs: &[(&str, &Rows)],
) {
    let gradients = loss.backward();
    for (input, tensor) in inputs {
        let name = format!("{case}.grad.{input}");
        let found = tensor.grad(&gradients).unwrap();
        deviations.tensor(&name, found, recorded.data(&name), GRADIENT_BOUND);
    }
}

/// `E + R` of one anchor; the gradients recorded are of the sum.
fn compare_anchor(
    fixture: &Fixture,
    recorded: &Recorded,
    deviations: &mut Deviations,
    case: &str,
    names: [&str; 4],
) {
    let rows = embeddings(recorded, names);
    let [anchor, complete, masked, fused] = rows.clone();
    let ranking = PairwiseRankingLossConfig::new().init();
    let ranking = ranking.forward(anchor.clone(), complete.clone(), masked.clone());
    let nce = |reduction| {
        let loss = ExclusiveNceLossConfig::new()
            .with_reduction(reduction)
            .init();
        loss.forward(
            anchor.clone(),
            complete.clone(),
            masked.clone(),
            fused.clone(),
        )
    };
    let published = nce(Reduction::Published);

    compare_number(
        deviations,
        recorded,
        &format!("{case}.nce_loss"),
        &published,
    );
    compare_number(deviations, recorded, &format!("{case}.rank_loss"), &ranking);
    let about = &fixture.about(FILE)["info"][case];
    let sum_form = ["sum_form_forward", "sum_form_reverse"].map(|key| about[key].as_f64().unwrap());
    let printed = f64::from(nce(Reduction::Printed).into_scalar());
    deviations.number(
        &format!("{case} printed"),
        printed,
        sum_form.iter().sum(),
        BOUND,
    );
    let inputs: Vec<_> = names.into_iter().zip(&rows).collect();
    compare_gradients(deviations, recorded, &(published + ranking), case, &inputs);
}

fn compare_info_nce(recorded: &Recorded, deviations: &mut Deviations) {
    let [video, text] = embeddings(recorded, ["v", "t"]);
    let loss = InfoNceLossConfig::new()
        .init()
        .forward(video.clone(), text.clone());
    compare_number(deviations, recorded, "norm_softmax.loss", &loss);
    let inputs = [("v", &video), ("t", &text)];
    compare_gradients(deviations, recorded, &loss, "norm_softmax", &inputs);
}

/// The recorded loss picks the labelled positions itself; ours is given only those.
fn compare_focal(fixture: &Fixture, recorded: &Recorded, deviations: &mut Deviations) {
    let device = Default::default();
    let logits: Tensor<TestAutodiffBackend, 3> =
        recorded.float("focal.logits", &device).require_grad();
    let [batch, length, vocabulary] = logits.dims();
    let (positions, labels): (Vec<i64>, Vec<i64>) = (0_i64..)
        .zip(recorded.integers("focal.labels"))
        .filter(|(_, label)| *label >= 0)
        .unzip();
    let positions = Tensor::from_ints(positions.as_slice(), &device);
    let labels = Tensor::from_ints(labels.as_slice(), &device);
    let rows = logits.clone().reshape([batch * length, vocabulary]);
    let picked = clover_kernels::gather_rows(rows, positions);

    let loss = FocalMlmLossConfig::new()
        .init()
        .forward(picked.clone(), labels.clone());
    let plain = FocalMlmLossConfig::new()
        .with_gamma(0.0)
        .init()
        .forward(picked, labels);

    compare_number(deviations, recorded, "focal.loss", &loss);
    let recorded_plain = fixture.about(FILE)["info"]["focal"]["plain_cross_entropy"].as_f64();
    let plain = f64::from(plain.into_scalar());
    deviations.number("plain cross-entropy", plain, recorded_plain.unwrap(), BOUND);
    let gradient = logits.grad(&loss.backward()).unwrap();
    let name = "focal.grad.logits";
    deviations.tensor(name, gradient, recorded.data(name), GRADIENT_BOUND);
}

#[test]
fn every_loss_and_its_gradient_equal_the_published_ones() {
    for fixture in fixtures() {
        let recorded = fixture.read(FILE);
        let mut deviations = Deviations::of(&fixture.name(), FILE);

        compare_anchor(
            &fixture,
            &recorded,
            &mut deviations,
            "excl_v",
            ["v", "t", "tm", "m"],
        );
        compare_anchor(
            &fixture,
            &recorded,
            &mut deviations,
            "excl_t",
            ["t", "v", "vm", "m2"],
        );
        compare_info_nce(&recorded, &mut deviations);
        compare_focal(&fixture, &recorded, &mut deviations);

        deviations.finish();
    }
}
