//! The losses once more, in plain loops over 64-bit floats, as the paper writes them.

use burn::prelude::*;
use burn::tensor::TensorData;

use crate::TestBackend;

/// A matrix of embeddings.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) values: Vec<f64>,
    dim: usize,
}

impl Rows {
    pub(crate) fn new<const DIM: usize>(rows: &[[f32; DIM]]) -> Self {
        let values = rows.as_flattened().iter().copied().map(f64::from);
        Self {
            values: values.collect(),
            dim: DIM,
        }
    }

    fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.dim..(index + 1) * self.dim]
    }

    fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    pub(crate) fn tensor<B: Backend>(&self) -> Tensor<B, 2> {
        let values: Vec<f32> = self.values.iter().map(|value| *value as f32).collect();
        Tensor::from_data(
            TensorData::new(values, [self.len(), self.dim]),
            &Default::default(),
        )
    }
}

/// Numbers between -1 and 1 from a linear congruence: the same on every backend.
pub(crate) fn random_rows(rows: usize, dim: usize, seed: u64) -> Rows {
    let mut state = seed;
    let values = (0..rows * dim).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    });
    Rows {
        values: values.collect(),
        dim,
    }
}

fn similarity(a: &[f64], b: &[f64], temperature: f64) -> f64 {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt() * temperature)
}

/// `mean_i -log( exp s(a_i, b_i) / sum_j exp s(a_i, b_j) )`.
pub(crate) fn nce(anchors: &Rows, positives: &Rows, temperature: f64) -> f64 {
    let batch = anchors.len();
    let s = |i: usize, j: usize| similarity(anchors.row(i), positives.row(j), temperature);
    let term = |i: usize| {
        let all: f64 = (0..batch).map(|j| s(i, j).exp()).sum();
        -(s(i, i).exp() / all).ln()
    };
    (0..batch).map(term).sum::<f64>() / batch as f64
}

/// `fwd` and `rev` of the anchors `rows[0]` against three kinds of positives.
pub(crate) fn exclusive_nce(rows: &[Rows; 4], temperature: f64) -> (f64, f64) {
    let [anchors, kinds @ ..] = rows;
    let batch = anchors.len();
    let s = |x: &Rows, i: usize, j: usize| similarity(anchors.row(i), x.row(j), temperature);
    let (mut forward, mut reverse) = (0.0, 0.0);
    for i in 0..batch {
        let mut z = 0.0;
        for j in (0..batch).filter(|j| *j != i) {
            for x in kinds {
                z += s(x, i, j).exp();
            }
        }
        for x in kinds {
            let own = s(x, i, i).exp();
            forward -= (own / (own + z)).ln();
            let anchors: f64 = (0..batch).map(|j| s(x, j, i).exp()).sum();
            reverse -= (own / anchors).ln();
        }
    }
    (forward, reverse)
}

/// `mean_i max(0, margin - (s(a_i, b_i) - s(a_i, b~_i)))`.
pub(crate) fn pairwise_ranking(rows: &[Rows; 3], temperature: f64, margin: f64) -> f64 {
    let [anchors, complete, masked] = rows;
    let batch = anchors.len();
    let hinge = |i: usize| {
        let gap = similarity(anchors.row(i), complete.row(i), temperature)
            - similarity(anchors.row(i), masked.row(i), temperature);
        (margin - gap).max(0.0)
    };
    (0..batch).map(hinge).sum::<f64>() / batch as f64
}

/// The mean of `(1 - p)^gamma c` over rows, with `c` the cross-entropy and `p = exp(-c)`.
pub(crate) fn focal(logits: &Rows, labels: &[usize], gamma: f64) -> f64 {
    let total: f64 = labels
        .iter()
        .enumerate()
        .map(|(i, label)| {
            let row = logits.row(i);
            let sum: f64 = row.iter().map(|logit| logit.exp()).sum();
            let p = row[*label].exp() / sum;
            -(1.0 - p).powf(gamma) * p.ln()
        })
        .sum();
    total / labels.len() as f64
}

/// WGSL writes `log1p(x)` as `log(x + 1)`, and its exponentials may be off by `3 + 2 |x|` units in the
/// last place: where the backend is such a one, a small loss is right to the rounding of one, and not to
/// its own, and gradients to 1e-4.
pub(crate) fn knows_small_logarithms() -> bool {
    let small = Tensor::<TestBackend, 1>::from_floats([1e-6], &Default::default());
    (f64::from(small.log1p().into_scalar()) / 1e-6 - 1.0).abs() < 1e-5
}
