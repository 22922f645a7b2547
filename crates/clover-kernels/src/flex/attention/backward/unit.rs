//! One head of one batch entry, a block of queries at a time.

use super::super::super::micro::{Rows, inner, outer, tile_columns};
use super::super::layout::Heads;
use super::super::scores::{
    Additions, Normalizer, QUERIES, complete, copy_panels, copy_rows, exponentials, multiply,
    store_scaled, times_panels,
};
use pulp::{Simd, WithSimd};

/// Queries whose weights are kept at once; together with their gradients they stay in L2.
const BLOCK: usize = 8 * QUERIES;
/// Keys of one tile of the gradients of k and v.
const KEYS: usize = 6;

/// Working memory, kept from one unit of a task to the next.
#[derive(Default)]
pub(super) struct Scratch {
    q: Vec<f32>,
    gradient: Vec<f32>,
    k: Vec<f32>,
    k_panels: Vec<f32>,
    v_panels: Vec<f32>,
    weights: Vec<f32>,
    d_scores: Vec<f32>,
    dk: Vec<f32>,
    dv: Vec<f32>,
    /// For each query, the sum of `d_output * output`.
    products: Vec<f32>,
}

pub(super) struct Unit<'a> {
    pub(super) heads: Heads,
    pub(super) scale: f32,
    pub(super) q: Rows<'a>,
    pub(super) k: Rows<'a>,
    pub(super) v: Rows<'a>,
    pub(super) output: Rows<'a>,
    pub(super) gradient: Rows<'a>,
    pub(super) normalizers: &'a [Normalizer],
    pub(super) additions: Additions<'a>,
    pub(super) factors: Option<&'a [f32]>,
    pub(super) scratch: &'a mut Scratch,
    pub(super) dq: &'a mut [f32],
    pub(super) dk: &'a mut [f32],
    pub(super) dv: &'a mut [f32],
    pub(super) d_bias: &'a mut [f32],
}

/// Sizes filled up to whole tiles.
#[derive(Clone, Copy)]
struct Padded {
    /// Columns of a row of scores.
    scores: usize,
    dim: usize,
    queries: usize,
    keys: usize,
}

impl WithSimd for Unit<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Heads {
            tokens_q,
            tokens_k,
            head_dim,
            ..
        } = self.heads;
        let width = const { tile_columns::<S>() };
        let keys = tokens_k.next_multiple_of(KEYS);
        let padded = Padded {
            scores: keys.max(tokens_k.next_multiple_of(width)),
            dim: head_dim.next_multiple_of(width),
            queries: tokens_q.next_multiple_of(QUERIES),
            keys,
        };
        self.prepare(padded, width);
        for first in (0..tokens_q).step_by(BLOCK) {
            let queries = BLOCK.min(padded.queries - first);
            self.block_scores(simd, padded, first, queries);
            self.query_gradients(simd, padded, first, queries);
            self.key_gradients(simd, padded, first, queries);
        }
        let Scratch { dk, dv, .. } = self.scratch;
        // The copy of q is scaled, and so is its product with the scores' gradient.
        let dk = Rows::new(dk, padded.dim, 0);
        copy_rows(self.dk, head_dim, dk, head_dim, 1.0);
        let dv = Rows::new(dv, padded.dim, 0);
        copy_rows(self.dv, head_dim, dv, head_dim, 1.0);
    }
}

impl Unit<'_> {
    /// Copies the operands in the orders that the products read.
    #[inline(always)]
    fn prepare(&mut self, padded: Padded, width: usize) {
        let Heads {
            tokens_k, head_dim, ..
        } = self.heads;
        let scratch = &mut *self.scratch;
        let panels = tokens_k.next_multiple_of(width) * head_dim;
        // Sizes are the same for every unit, so what has to be zero stays zero.
        scratch.q.resize(padded.queries * padded.dim, 0.0);
        scratch.gradient.resize(padded.queries * padded.dim, 0.0);
        scratch.k.resize(tokens_k * padded.dim, 0.0);
        scratch.k_panels.resize(panels, 0.0);
        scratch.v_panels.resize(panels, 0.0);
        scratch.weights.resize(BLOCK * padded.scores, 0.0);
        scratch.d_scores.resize(BLOCK * padded.scores, 0.0);
        copy_rows(&mut scratch.q, padded.dim, self.q, head_dim, self.scale);
        let gradient = &mut scratch.gradient;
        copy_rows(gradient, padded.dim, self.gradient, head_dim, 1.0);
        copy_rows(&mut scratch.k, padded.dim, self.k, head_dim, 1.0);
        copy_panels(&mut scratch.k_panels, width, self.k, head_dim);
        copy_panels(&mut scratch.v_panels, width, self.v, head_dim);
        for sums in [&mut scratch.dk, &mut scratch.dv] {
            sums.clear();
            sums.resize(padded.keys * padded.dim, 0.0);
        }
        let rows = self.output.iter().zip(self.gradient.iter());
        scratch.products.clear();
        scratch
            .products
            .extend(rows.map(|(output, gradient)| dot(output, gradient, head_dim)));
    }

    /// The weights of a block of queries, and the gradients of their scores.
    #[inline(always)]
    fn block_scores<S: Simd>(&mut self, simd: S, padded: Padded, first: usize, queries: usize) {
        let Heads {
            tokens_q,
            tokens_k,
            head_dim,
            ..
        } = self.heads;
        let columns = tokens_k.next_multiple_of(const { tile_columns::<S>() });
        let Scratch {
            q,
            gradient,
            k_panels,
            v_panels,
            weights,
            d_scores,
            products,
            ..
        } = &mut *self.scratch;
        for start in (0..queries).step_by(QUERIES) {
            let (from, to) = ((first + start) * padded.dim, start * padded.scores);
            let weights = &mut weights[to..][..QUERIES * padded.scores];
            let d_scores = &mut d_scores[to..][..QUERIES * padded.scores];
            let (dim, stride) = (padded.dim, padded.scores);
            times_panels(simd, &q[from..], dim, head_dim, k_panels, weights, stride);
            let gradient = &gradient[from..];
            times_panels(simd, gradient, dim, head_dim, v_panels, d_scores, stride);
            for r in 0..QUERIES {
                let weights = &mut weights[r * stride..][..stride];
                let d_scores = &mut d_scores[r * stride..][..stride];
                let query = first + start + r;
                if query >= tokens_q {
                    weights.fill(0.0);
                    d_scores.fill(0.0);
                    continue;
                }
                let (weights, d_scores) = (&mut weights[..columns], &mut d_scores[..columns]);
                complete(simd, weights, query, self.additions);
                let Normalizer { shift, share } = self.normalizers[query];
                exponentials(simd, weights, shift);
                let factors = self.factors.map(|all| &all[query * tokens_k..][..tokens_k]);
                if let Some(factors) = factors {
                    multiply(simd, d_scores, factors);
                }
                scores_gradient(simd, weights, d_scores, share, products[query]);
                if let Some(factors) = factors {
                    multiply(simd, weights, factors);
                }
                if !self.d_bias.is_empty() {
                    add(
                        simd,
                        &mut self.d_bias[query * tokens_k..][..tokens_k],
                        d_scores,
                    );
                }
            }
        }
    }

    /// The gradient of a block of queries.
    #[inline(always)]
    fn query_gradients<S: Simd>(&mut self, simd: S, padded: Padded, first: usize, queries: usize) {
        let Heads {
            tokens_k, head_dim, ..
        } = self.heads;
        let width = const { tile_columns::<S>() };
        let Scratch { k, d_scores, .. } = &*self.scratch;
        let outputs = self.dq[first * head_dim..].chunks_mut(QUERIES * head_dim);
        let blocks = d_scores[..queries * padded.scores].chunks_exact(QUERIES * padded.scores);
        for (d_scores, dq) in blocks.zip(outputs) {
            let left = std::array::from_fn(|r| &d_scores[r * padded.scores..][..tokens_k]);
            for column in (0..head_dim).step_by(width) {
                let tile = inner::<S, QUERIES>(simd, left, Rows::new(k, padded.dim, column));
                store_scaled(simd, tile, dq, head_dim, column, [self.scale; QUERIES]);
            }
        }
    }

    /// Adds a block of queries to the gradients of all keys and values.
    #[inline(always)]
    fn key_gradients<S: Simd>(&mut self, simd: S, padded: Padded, first: usize, queries: usize) {
        let width = const { tile_columns::<S>() };
        let Scratch {
            q,
            gradient,
            weights,
            d_scores,
            dk,
            dv,
            ..
        } = &mut *self.scratch;
        let rows = first * padded.dim..(first + queries) * padded.dim;
        let scores = ..queries * padded.scores;
        let pairs = [
            (&d_scores[scores], &q[rows.clone()], dk),
            (&weights[scores], &gradient[rows], dv),
        ];
        for (left, right, sums) in pairs {
            for (j, sums) in sums.chunks_exact_mut(KEYS * padded.dim).enumerate() {
                let left = Rows::new(left, padded.scores, j * KEYS);
                for column in (0..padded.dim).step_by(width) {
                    let right = Rows::new(right, padded.dim, column);
                    let tile = outer::<S, KEYS>(simd, left, right);
                    for (tile, sums) in tile.iter().zip(sums.chunks_exact_mut(padded.dim)) {
                        let (sums, _) = S::as_mut_simd_f32s(&mut sums[column..][..width]);
                        for (sum, value) in sums.iter_mut().zip(tile) {
                            *sum = simd.add_f32s(*sum, *value);
                        }
                    }
                }
            }
        }
    }
}

/// Completes a query's weights, and turns their gradient into that of its scores.
#[inline(always)]
fn scores_gradient<S: Simd>(
    simd: S,
    weights: &mut [f32],
    d_scores: &mut [f32],
    share: f32,
    product: f32,
) {
    let (share, product) = (simd.splat_f32s(share), simd.splat_f32s(product));
    let (weights, _) = S::as_mut_simd_f32s(weights);
    let (d_scores, _) = S::as_mut_simd_f32s(d_scores);
    for (d_score, weight) in d_scores.iter_mut().zip(weights) {
        *weight = simd.mul_f32s(*weight, share);
        *d_score = simd.mul_f32s(*weight, simd.sub_f32s(*d_score, product));
    }
}

/// Adds as many values as there are sums.
#[inline(always)]
fn add<S: Simd>(simd: S, sums: &mut [f32], values: &[f32]) {
    let (vectors, tail) = S::as_simd_f32s(&values[..sums.len()]);
    let (sums, sums_tail) = S::as_mut_simd_f32s(sums);
    for (sum, value) in sums.iter_mut().zip(vectors) {
        *sum = simd.add_f32s(*sum, *value);
    }
    for (sum, value) in sums_tail.iter_mut().zip(tail) {
        *sum += value;
    }
}

fn dot(left: &[f32], right: &[f32], length: usize) -> f32 {
    let pairs = left[..length].iter().zip(&right[..length]);
    pairs.map(|(left, right)| left * right).sum()
}
