//! Losses of pairs that are told apart almost perfectly: small numbers, and exact ones.
//!
//! Every cosine is a multiple of a quarter, so that the similarities are exact in 32-bit floats and
//! nothing but the loss itself can round.

use burn::prelude::*;

use crate::oracle::{self, Rows, knows_small_logarithms};
use crate::{
    CrossEntropyMlmLossConfig, ExclusiveNceLossConfig, FocalMlmLossConfig, InfoNceLossConfig,
    PairwiseRankingLossConfig, Reduction, TEMPERATURE, TestAutodiffBackend,
    TriModalAlignmentLossConfig, TriModalEmbeddings,
};

type Tracked<const D: usize> = Tensor<TestAutodiffBackend, D>;

const FOUR_OF_EIGHT: [[f32; 8]; 3] = [
    [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0],
];

/// One after another: equal to the first, one of the four moved, and negated elsewhere.
fn embeddings() -> [Rows; 4] {
    let moved = [
        [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0],
        [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
    ];
    let twice_as_long = FOUR_OF_EIGHT.map(|row| row.map(|x| 2.0 * x));
    let apart = [
        [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        [-1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0],
        [0.0, -1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0],
    ];
    [
        Rows::new(&FOUR_OF_EIGHT),
        Rows::new(&twice_as_long),
        Rows::new(&moved),
        Rows::new(&apart),
    ]
}

/// Compares a loss, and its gradient with respect to each input, with the same in 64-bit floats:
/// to 1e-6 of the loss and of the gradient's largest entry.
fn assert_exact<const N: usize>(
    name: &str,
    rows: [Rows; N],
    loss: impl Fn([Tracked<2>; N]) -> Tracked<1>,
    expected: impl Fn(&[Rows; N]) -> f64,
) {
    let inputs = rows.each_ref().map(|rows| rows.tensor().require_grad());
    let found = loss(inputs.clone());
    let gradients = found.backward();
    let found = f64::from(found.into_scalar());
    let value = expected(&rows);
    let size = if knows_small_logarithms() { value } else { 1.0 };
    assert!(
        (found - value).abs() <= 1e-6 * size,
        "{name}: {found:e}, not {value:e}"
    );

    // `log(x + 1)` of 0.0015 is off by 4e-5 of it, and a focal loss grows with its third power.
    let tolerance = if knows_small_logarithms() { 1e-6 } else { 1e-4 };
    for (input, tensor) in inputs.iter().enumerate() {
        let found: Vec<f32> = tensor
            .grad(&gradients)
            .unwrap()
            .into_data()
            .to_vec()
            .unwrap();
        let expected: Vec<f64> = (0..found.len())
            .map(|entry| derivative(&rows, input, entry, &expected))
            .collect();
        let size = expected.iter().fold(0.0_f64, |size, x| size.max(x.abs()));
        for (entry, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!(
                (f64::from(*found) - expected).abs() <= tolerance * size,
                "{name}: entry {entry} of the gradient of input {input}: {found:e}, not \
                 {expected:e}, at a size of {size:e}"
            );
        }
    }
}

/// The five-point difference: its error at this step is below 1e-8 of the derivative.
fn derivative<const N: usize>(
    rows: &[Rows; N],
    input: usize,
    entry: usize,
    value: impl Fn(&[Rows; N]) -> f64,
) -> f64 {
    let step = 1e-3;
    let at = |steps: f64| {
        let mut rows = rows.clone();
        rows[input].values[entry] += steps * step;
        value(&rows)
    };
    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step)
}

#[test]
fn info_nce_is_exact() {
    let [video, .., text] = embeddings();

    assert_exact(
        "info nce",
        [video, text],
        |[video, text]| InfoNceLossConfig::new().init().forward(video, text),
        |[video, text]| {
            oracle::nce(video, text, TEMPERATURE) + oracle::nce(text, video, TEMPERATURE)
        },
    );
}

#[test]
fn one_direction_of_info_nce_is_exact() {
    let [video, text, ..] = embeddings();

    assert_exact(
        "one way",
        [video, text],
        |[video, text]| InfoNceLossConfig::new().init().forward_one_way(video, text),
        |[video, text]| oracle::nce(video, text, TEMPERATURE),
    );
}

#[test]
fn exclusive_nce_is_exact_in_both_forms() {
    for (reduction, reverse_weight) in
        [(Reduction::Printed, 1.0), (Reduction::Published, 1.0 / 3.0)]
    {
        let config = ExclusiveNceLossConfig::new().with_reduction(reduction);
        let batch = if reduction == Reduction::Printed {
            1.0
        } else {
            3.0
        };

        assert_exact(
            "exclusive nce",
            embeddings(),
            |[a, b, c, d]| config.init().forward(a, b, c, d),
            |rows| {
                let (forward, reverse) = oracle::exclusive_nce(rows, TEMPERATURE);
                (forward + reverse * reverse_weight) / batch
            },
        );
    }
}

#[test]
fn tri_modal_alignment_is_exact() {
    let [a, b, c, d] = embeddings();
    let published = |anchor: &Rows, complete: &Rows, masked: &Rows, fused: &Rows| {
        let rows = [anchor, complete, masked, fused].map(Rows::clone);
        let (forward, reverse) = oracle::exclusive_nce(&rows, TEMPERATURE);
        forward / 3.0 + reverse / 9.0
    };

    assert_exact(
        "tri-modal alignment",
        [a.clone(), d.clone(), b, c, d, a],
        |rows| {
            let alignment = TriModalAlignmentLossConfig::new()
                .init()
                .forward(&TriModalEmbeddings::from_array(rows));
            alignment.video_anchored + alignment.text_anchored
        },
        |[v, t, vm, tm, first, second]| published(v, t, tm, first) + published(t, v, vm, second),
    );
}

#[test]
fn pairwise_ranking_is_exact() {
    let [anchor, _, moved, apart] = embeddings();

    assert_exact(
        "pair-wise ranking",
        [anchor, apart, moved],
        |[anchor, complete, masked]| {
            let loss = PairwiseRankingLossConfig::new().with_margin(6.0).init();
            loss.forward(anchor, complete, masked)
        },
        |rows| oracle::pairwise_ranking(rows, TEMPERATURE, 6.0),
    );
}

#[test]
fn losses_of_words_are_exact() {
    let logits = || {
        [Rows::new(&[
            [20.0, 1.0, 2.0, 8.0, 0.0, -3.0, 4.0, 1.0, 9.0, 5.0],
            [0.0, 1.0, 10.0, 2.0, 0.0, -3.0, 4.0, 1.0, 1.0, 2.0],
            [1.0, 1.0, 1.0, 2.0, 0.0, -3.0, 1.0, 1.0, 3.0, 12.0],
        ])]
    };
    let labels = || Tensor::from_data([0, 2, 9], &Default::default());

    assert_exact(
        "cross entropy",
        logits(),
        |[logits]| {
            CrossEntropyMlmLossConfig::new()
                .init()
                .forward(logits, labels())
        },
        |[logits]| oracle::focal(logits, &[0, 2, 9], 0.0),
    );
    assert_exact(
        "focal",
        logits(),
        |[logits]| FocalMlmLossConfig::new().init().forward(logits, labels()),
        |[logits]| oracle::focal(logits, &[0, 2, 9], 2.0),
    );
}
