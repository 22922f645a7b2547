//! Where each head's rows lie in the tensors of the three forms of attention.

use super::super::micro::Rows;
use super::super::tensor;
use burn::tensor::Shape;
use burn_flex::FlexTensor;
use rayon::prelude::*;

/// The sizes of an attention and the order of its axes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    pub(crate) batch: usize,
    pub(crate) heads: usize,
    pub(crate) tokens_q: usize,
    pub(crate) tokens_k: usize,
    pub(crate) head_dim: usize,
    pub(crate) layout: Layout,
}

/// The order of the axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Three tensors and an output of `[batch, heads, tokens, head_dim]`.
    Split,
    /// Three tensors and an output of `[batch, tokens, heads * head_dim]`.
    Interleaved,
    /// One tensor of `[batch, tokens, 3 * heads * head_dim]`, and the output of the above.
    Packed,
}

impl Layout {
    /// How many tensors hold q, k and v.
    pub(crate) fn projections(self) -> usize {
        match self {
            Self::Split | Self::Interleaved => 3,
            Self::Packed => 1,
        }
    }
}

impl Heads {
    pub(crate) fn usual_scale(self) -> f32 {
        (self.head_dim as f32).sqrt().recip()
    }

    /// Scores of one head of one batch entry.
    pub(crate) fn scores(self) -> usize {
        self.tokens_q * self.tokens_k
    }

    pub(crate) fn output_shape(self) -> Shape {
        let Self {
            batch,
            heads,
            tokens_q,
            head_dim,
            ..
        } = self;
        match self.layout {
            Layout::Split => Shape::new([batch, heads, tokens_q, head_dim]),
            Layout::Interleaved | Layout::Packed => Shape::new([batch, tokens_q, heads * head_dim]),
        }
    }

    /// One head's rows of q (part 0), k (1) or v (2).
    pub(crate) fn rows(self, values: &[f32], part: usize, head: usize, entry: usize) -> Rows<'_> {
        let dim = self.heads * self.head_dim;
        let tokens = if part == 0 {
            self.tokens_q
        } else {
            self.tokens_k
        };
        match self.layout {
            Layout::Split => self.split_rows(values, tokens, head, entry),
            Layout::Interleaved => self.joined_rows(values, tokens, dim, head, entry, 0),
            Layout::Packed => self.joined_rows(values, tokens, 3 * dim, head, entry, part * dim),
        }
    }

    /// One head's rows of a tensor shaped like the output.
    pub(crate) fn output_rows(self, values: &[f32], head: usize, entry: usize) -> Rows<'_> {
        let dim = self.heads * self.head_dim;
        match self.layout {
            Layout::Split => self.split_rows(values, self.tokens_q, head, entry),
            Layout::Interleaved | Layout::Packed => {
                self.joined_rows(values, self.tokens_q, dim, head, entry, 0)
            }
        }
    }

    fn split_rows(self, values: &[f32], tokens: usize, head: usize, entry: usize) -> Rows<'_> {
        let size = tokens * self.head_dim;
        let values = &values[(entry * self.heads + head) * size..][..size];
        Rows::new(values, self.head_dim, 0)
    }

    fn joined_rows(
        self,
        values: &[f32],
        tokens: usize,
        stride: usize,
        head: usize,
        entry: usize,
        start: usize,
    ) -> Rows<'_> {
        let size = tokens * stride;
        let values = &values[entry * size..][..size];
        Rows::new(values, stride, start + head * self.head_dim)
    }

    /// From `[heads, batch, tokens_q, head_dim]` to the output's order.
    pub(crate) fn join_output(self, values: &[f32]) -> Vec<f32> {
        match self.layout {
            Layout::Split => self.swap_heads(values, self.tokens_q),
            Layout::Interleaved | Layout::Packed => self.join(&[values], self.tokens_q),
        }
    }

    /// From `[heads, batch, tokens, head_dim]` each to the order of the inputs.
    pub(crate) fn join_gradients(self, parts: [Vec<f32>; 3]) -> Vec<FlexTensor> {
        let Self {
            batch,
            heads,
            tokens_q,
            tokens_k,
            head_dim,
            ..
        } = self;
        if self.layout == Layout::Packed {
            let parts = parts.each_ref().map(Vec::as_slice);
            let shape = Shape::new([batch, tokens_q, 3 * heads * head_dim]);
            return vec![tensor(self.join(&parts, tokens_q), shape)];
        }
        let part = |(part, values): (usize, Vec<f32>)| {
            let tokens = if part == 0 { tokens_q } else { tokens_k };
            match self.layout {
                Layout::Split => tensor(
                    self.swap_heads(&values, tokens),
                    Shape::new([batch, heads, tokens, head_dim]),
                ),
                Layout::Interleaved | Layout::Packed => tensor(
                    self.join(&[&values], tokens),
                    Shape::new([batch, tokens, heads * head_dim]),
                ),
            }
        };
        parts.into_iter().enumerate().map(part).collect()
    }

    fn swap_heads(self, values: &[f32], tokens: usize) -> Vec<f32> {
        let size = tokens * self.head_dim;
        let mut output = vec![0.0; values.len()];
        output
            .par_chunks_mut(size.max(1))
            .enumerate()
            .for_each(|(unit, output)| {
                let (entry, head) = (unit / self.heads, unit % self.heads);
                output.copy_from_slice(&values[(head * self.batch + entry) * size..][..size]);
            });
        output
    }

    /// To `[batch, tokens, parts * heads * head_dim]`.
    fn join(self, parts: &[&[f32]], tokens: usize) -> Vec<f32> {
        let Self {
            batch,
            heads,
            head_dim,
            ..
        } = self;
        let width = parts.len() * heads * head_dim;
        let mut output = vec![0.0; batch * tokens * width];
        output
            .par_chunks_mut(width.max(1))
            .with_min_len(16)
            .enumerate()
            .for_each(|(row, output)| {
                for (i, output) in output.chunks_exact_mut(head_dim).enumerate() {
                    let (part, head) = (parts[i / heads], i % heads);
                    let start = (head * batch * tokens + row) * head_dim;
                    output.copy_from_slice(&part[start..][..head_dim]);
                }
            });
        output
    }
}
