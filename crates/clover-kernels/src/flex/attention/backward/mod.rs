//! The backward pass of one head, one batch entry after the other.
//!
//! ```text
//! weights = exp(scores - shift) * share      dv       = (weights * factors)^T d_output
//! d_weights = factors * (d_output v^T)       d_scores = weights * (d_weights - sum(d_output * output))
//! dq = scale * d_scores k                    dk       = scale * d_scores^T q
//! d_bias = sum over the batch of d_scores
//! ```

mod unit;

use super::super::simd::vectorized;
use super::super::values;
use super::Operands;
use super::layout::Heads;
use super::scores::Normalizer;
use rayon::prelude::*;
use unit::{Scratch, Unit};

/// What the backward pass reads.
pub(super) struct Pass<'a> {
    pub(super) heads: Heads,
    pub(super) scale: f32,
    pub(super) operands: &'a Operands,
    pub(super) output: &'a [f32],
    pub(super) normalizers: &'a [Normalizer],
    pub(super) gradient: &'a [f32],
}

impl Pass<'_> {
    /// The gradients of q, k and v, each `[heads, batch, tokens, head_dim]`, and of the bias (empty
    /// unless wanted).
    pub(super) fn run(&self, bias_wanted: bool) -> ([Vec<f32>; 3], Vec<f32>) {
        let Heads {
            batch,
            tokens_q,
            tokens_k,
            head_dim,
            ..
        } = self.heads;
        let units = self.heads.heads * batch;
        let (q_size, k_size) = (tokens_q * head_dim, tokens_k * head_dim);
        let mut dq = vec![0.0; units * q_size];
        let mut dk = vec![0.0; units * k_size];
        let mut dv = vec![0.0; units * k_size];
        let entries = self.entries_per_task(bias_wanted);
        // Without a bias a task still needs its own piece of something to write to.
        let bias_size = if bias_wanted { self.heads.scores() } else { 1 };
        let mut d_bias = vec![0.0; units / entries * bias_size];
        dq.par_chunks_mut(entries * q_size)
            .zip(dk.par_chunks_mut(entries * k_size))
            .zip(dv.par_chunks_mut(entries * k_size))
            .zip(d_bias.par_chunks_mut(bias_size))
            .enumerate()
            .for_each(|(task, (((dq, dk), dv), d_bias))| {
                let d_bias = if bias_wanted { d_bias } else { &mut [] };
                self.task(task * entries, [dq, dk, dv], d_bias);
            });
        if !bias_wanted {
            d_bias.clear();
        }
        (
            [dq, dk, dv],
            add_tasks(d_bias, self.heads.scores(), batch / entries),
        )
    }

    /// One task sums up a head's bias alone; heads are only split where there are too few for the
    /// threads, as the sums of a split head have to be added up afterwards.
    fn entries_per_task(&self, bias_wanted: bool) -> usize {
        let Heads { batch, heads, .. } = self.heads;
        if !bias_wanted {
            return 1;
        }
        let splits = (2 * rayon::current_num_threads()).div_ceil(heads);
        let divides = |splits: &usize| batch.is_multiple_of(*splits);
        batch / (splits..=batch).find(divides).unwrap_or(1)
    }

    fn task(&self, first: usize, gradients: [&mut [f32]; 3], d_bias: &mut [f32]) {
        let heads = self.heads;
        let [q, k, v] = self.operands.projections.each_ref().map(values);
        let (q_size, k_size) = (
            heads.tokens_q * heads.head_dim,
            heads.tokens_k * heads.head_dim,
        );
        let [dq, dk, dv] = gradients;
        let units = dq.chunks_exact_mut(q_size).zip(dk.chunks_exact_mut(k_size));
        let mut scratch = Scratch::default();
        for (i, ((dq, dk), dv)) in units.zip(dv.chunks_exact_mut(k_size)).enumerate() {
            let (head, entry) = ((first + i) / heads.batch, (first + i) % heads.batch);
            vectorized(Unit {
                heads,
                scale: self.scale,
                q: heads.rows(q, 0, head, entry),
                k: heads.rows(k, 1, head, entry),
                v: heads.rows(v, 2, head, entry),
                output: heads.output_rows(self.output, head, entry),
                gradient: heads.output_rows(self.gradient, head, entry),
                normalizers: &self.normalizers[(first + i) * heads.tokens_q..][..heads.tokens_q],
                additions: self.operands.additions(heads, head, entry),
                factors: self.operands.factors(heads, head, entry),
                scratch: &mut scratch,
                dq,
                dk,
                dv,
                d_bias,
            });
        }
    }
}

/// Adds up the tasks of each head.
fn add_tasks(d_bias: Vec<f32>, size: usize, tasks: usize) -> Vec<f32> {
    if tasks == 1 || d_bias.is_empty() {
        return d_bias;
    }
    let mut total = vec![0.0; d_bias.len() / tasks];
    total
        .par_chunks_mut(size)
        .zip(d_bias.par_chunks(tasks * size))
        .for_each(|(total, parts)| {
            for part in parts.chunks_exact(size) {
                total
                    .iter_mut()
                    .zip(part)
                    .for_each(|(total, value)| *total += value);
            }
        });
    total
}
