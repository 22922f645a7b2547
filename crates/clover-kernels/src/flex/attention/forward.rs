//! The forward pass of one head of one batch entry.

use super::super::micro::{Rows, inner, tile_columns};
use super::super::simd::vectorized;
use super::super::values;
use super::Operands;
use super::layout::Heads;
use super::scores::{
    Additions, Normalizer, QUERIES, complete, copy_panels, copy_rows, exponentials, largest,
    multiply, store_scaled, times_panels,
};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// The output as `[heads, batch, tokens_q, head_dim]`, and each query's normalizer as `[heads, batch, tokens_q]`.
///
/// Heads come first because all batch entries share a head's bias, which then stays in the cache.
pub(super) fn run(heads: Heads, scale: f32, operands: &Operands) -> (Vec<f32>, Vec<Normalizer>) {
    let Heads {
        batch,
        tokens_q,
        head_dim,
        ..
    } = heads;
    let rows = heads.heads * batch * tokens_q;
    let (mut output, mut normalizers) = (
        vec![0.0; rows * head_dim],
        vec![Normalizer::default(); rows],
    );
    let [q, k, v] = operands.projections.each_ref().map(values);
    let units = output.par_chunks_mut((tokens_q * head_dim).max(1));
    units
        .zip(normalizers.par_chunks_mut(tokens_q.max(1)))
        .enumerate()
        .for_each_init(
            Scratch::default,
            |scratch, (unit, (output, normalizers))| {
                let (head, entry) = (unit / batch, unit % batch);
                vectorized(Unit {
                    heads,
                    scale,
                    q: heads.rows(q, 0, head, entry),
                    k: heads.rows(k, 1, head, entry),
                    v: heads.rows(v, 2, head, entry),
                    additions: operands.additions(heads, head, entry),
                    factors: operands.factors(heads, head, entry),
                    scratch,
                    output,
                    normalizers,
                });
            },
        );
    (output, normalizers)
}

/// Working memory, kept by a thread from one unit to the next.
#[derive(Default)]
struct Scratch {
    q: Vec<f32>,
    k_panels: Vec<f32>,
    v: Vec<f32>,
    scores: Vec<f32>,
}

struct Unit<'a> {
    heads: Heads,
    scale: f32,
    q: Rows<'a>,
    k: Rows<'a>,
    v: Rows<'a>,
    additions: Additions<'a>,
    factors: Option<&'a [f32]>,
    scratch: &'a mut Scratch,
    output: &'a mut [f32],
    normalizers: &'a mut [Normalizer],
}

impl WithSimd for Unit<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Heads {
            tokens_q,
            tokens_k,
            head_dim,
            ..
        } = self.heads;
        let width = const { tile_columns::<S>() };
        let stride = tokens_k.next_multiple_of(width);
        let padded_dim = head_dim.next_multiple_of(width);
        let Scratch {
            q,
            k_panels,
            v,
            scores,
        } = self.scratch;
        // Sizes are the same for every unit, so what has to be zero stays zero.
        q.resize(tokens_q.next_multiple_of(QUERIES) * head_dim, 0.0);
        k_panels.resize(stride * head_dim, 0.0);
        v.resize(tokens_k * padded_dim, 0.0);
        scores.resize(QUERIES * stride, 0.0);
        copy_rows(q, head_dim, self.q, head_dim, self.scale);
        copy_panels(k_panels, width, self.k, head_dim);
        copy_rows(v, padded_dim, self.v, head_dim, 1.0);

        let blocks = q.chunks_exact(QUERIES * head_dim);
        let outputs = self.output.chunks_mut(QUERIES * head_dim);
        let outputs = outputs.zip(self.normalizers.chunks_mut(QUERIES));
        for (block, (q, (output, normalizers))) in blocks.zip(outputs).enumerate() {
            times_panels(simd, q, head_dim, head_dim, k_panels, scores, stride);
            let first = block * QUERIES;
            let shares = weigh(simd, scores, stride, first, self.additions, normalizers);
            if let Some(factors) = self.factors {
                let factors = factors[first * tokens_k..].chunks_exact(tokens_k);
                for (row, factors) in scores.chunks_exact_mut(stride).zip(factors) {
                    multiply(simd, row, factors);
                }
            }
            let weights = std::array::from_fn(|r| &scores[r * stride..][..tokens_k]);
            for column in (0..head_dim).step_by(width) {
                let tile = inner::<S, QUERIES>(simd, weights, Rows::new(v, padded_dim, column));
                store_scaled(simd, tile, output, head_dim, column, shares);
            }
        }
    }
}

/// Turns a block's scores into exponentials; returns what each row has to be multiplied with.
#[inline(always)]
fn weigh<S: Simd>(
    simd: S,
    scores: &mut [f32],
    stride: usize,
    first_query: usize,
    additions: Additions<'_>,
    normalizers: &mut [Normalizer],
) -> [f32; QUERIES] {
    let mut shares = [0.0; QUERIES];
    let rows = scores
        .chunks_exact_mut(stride)
        .zip(normalizers)
        .zip(&mut shares);
    for (r, ((row, normalizer), share)) in rows.enumerate() {
        complete(simd, row, first_query + r, additions);
        let shift = largest(simd, row);
        let sum = exponentials(simd, row, shift);
        *share = sum.recip();
        *normalizer = Normalizer {
            shift,
            share: *share,
        };
    }
    shares
}
