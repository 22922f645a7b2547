//! The gradient of a large batch at the memory of a small one.
//!
//! Alignment and ranking compare every sample with every other one, so a batch cannot simply be cut
//! into pieces. But the encoders see each sample by itself, so the gradient comes in three passes
//! (Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", 2021):
//!
//! 1. every part is encoded without a graph, and only its embeddings are kept;
//! 2. the losses of all embeddings together give the gradient of each embedding;
//! 3. every part is encoded again, with a graph and with the same noise, and `sum(embedding *
//!    gradient)` and the part's share of the word loss are back-propagated.

use burn::module::AutodiffModule;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_data::dataset::PretrainingSample;
use clover_data::masking::IGNORED_LABEL;
use clover_losses::TriModalEmbeddings;
use clover_model::{Clover, Noise};

use super::objective::{PretrainingObjective, embeddings};
use super::step::{BatchGradients, mean_similarities, model_input};
use crate::precision::full_gradients;

/// The six embeddings, in the order of the fields of [`TriModalEmbeddings`].
type Six<B> = [Tensor<B, 2>; 6];

/// A batch in parts, none of which is on the device for longer than it is needed.
pub(super) struct Parts<'s, B: AutodiffBackend> {
    samples: Vec<&'s [PretrainingSample]>,
    noise: Vec<Noise>,
    device: B::Device,
}

impl<'s, B: AutodiffBackend> Parts<'s, B> {
    /// Parts of `size` samples; the last may be smaller.
    pub(super) fn new(
        samples: &'s [PretrainingSample],
        size: usize,
        noise: &Noise,
        device: &B::Device,
    ) -> Self {
        let starts = (0..samples.len()).step_by(size);
        Self {
            samples: samples.chunks(size).collect(),
            noise: starts
                .map(|start| noise.part(start..samples.len().min(start + size)))
                .collect(),
            device: device.clone(),
        }
    }

    /// The terms and the gradient of the whole batch.
    pub(super) fn gradients(
        &self,
        objective: &PretrainingObjective,
        clover: &Clover<B>,
    ) -> BatchGradients<B> {
        let encoded = self.encode(&clover.valid());
        let similarities = mean_similarities(encoded[0].clone(), encoded[1].clone());
        let (mut terms, wanted) = contrast::<B>(objective, encoded);

        let mut accumulator = GradientsAccumulator::new();
        let mut start = 0;
        for part in 0..self.samples.len() {
            let rows = self.samples[part].len();
            let wanted = wanted
                .each_ref()
                .map(|all| all.clone().narrow(0, start, rows));
            let (word, gradients) = self.backward(part, objective, clover, wanted);
            terms[0] = terms[0].clone() + word;
            accumulator.accumulate(clover, gradients);
            start += rows;
        }
        let learns = objective.compares() || objective.learns_words() && self.masked_words() > 0;
        BatchGradients {
            terms,
            similarities,
            gradients: if learns {
                accumulator.grads()
            } else {
                // Zeros would still be decayed.
                GradientsParams::new()
            },
        }
    }

    /// First pass: the embeddings of all samples.
    fn encode(&self, clover: &Clover<B::InnerBackend>) -> Six<B::InnerBackend> {
        let parts: Vec<_> = self
            .samples
            .iter()
            .zip(&self.noise)
            .map(|(samples, noise)| {
                let batch = PretrainingBatch::collate(samples, &self.device);
                let (mut input, _) = model_input(batch);
                // Words are scored in the third pass.
                input.masked_positions = None;
                let output = clover.forward_pretraining(input, &mut noise.clone());
                into_six(embeddings(output))
            })
            .collect();
        std::array::from_fn(|which| {
            Tensor::cat(parts.iter().map(|six| six[which].clone()).collect(), 0)
        })
    }

    /// Third pass: the part's share of the word loss, and its gradient.
    fn backward(
        &self,
        part: usize,
        objective: &PretrainingObjective,
        clover: &Clover<B>,
        wanted: Six<B::InnerBackend>,
    ) -> (Tensor<B::InnerBackend, 1>, GradientsParams) {
        let batch = PretrainingBatch::<B>::collate(self.samples[part], &self.device);
        let (input, labels) = model_input(batch);
        let mut output = clover.forward_pretraining(input, &mut self.noise[part].clone());
        // The word loss is a mean over the masked words of the whole batch.
        let share = masked_words(self.samples[part]) as f64 / self.masked_words() as f64;
        let word = objective
            .word(output.word_logits.take(), labels)
            .map(|word| word * share);
        let mut surrogate = into_six(embeddings(output))
            .into_iter()
            .zip(wanted)
            .map(|(embedding, gradient)| (embedding * Tensor::from_inner(gradient)).sum())
            .fold(None, |sum: Option<Tensor<B, 1>>, term| match sum {
                Some(sum) => Some(sum + term),
                None => Some(term),
            })
            .unwrap_or_else(|| Tensor::zeros([1], &self.device));
        let value = match word {
            Some(word) => {
                surrogate = surrogate + word.clone();
                word.inner()
            }
            None => Tensor::zeros([1], &self.device),
        };
        let gradients = full_gradients(surrogate.backward(), clover);
        (value, gradients)
    }

    fn masked_words(&self) -> usize {
        self.samples
            .iter()
            .map(|samples| masked_words(samples))
            .sum()
    }
}

/// Second pass: the terms, of which the word loss is still zero, and the gradient of each embedding.
fn contrast<B: AutodiffBackend>(
    objective: &PretrainingObjective,
    encoded: Six<B::InnerBackend>,
) -> ([Tensor<B::InnerBackend, 1>; 5], Six<B::InnerBackend>) {
    let leaves = encoded.map(|all| Tensor::<B, 2>::from_inner(all).require_grad());
    let losses = objective.contrast(from_six(leaves.clone()));
    let gradients = objective.compares().then(|| losses.total().backward());
    let wanted = leaves.map(|leaf| {
        gradients
            .as_ref()
            .and_then(|gradients| leaf.grad(gradients))
            .unwrap_or_else(|| leaf.inner().zeros_like())
    });
    (losses.terms().map(Tensor::inner), wanted)
}

fn masked_words(samples: &[PretrainingSample]) -> usize {
    let labels = samples.iter().flat_map(|sample| &sample.masked.labels);
    labels.filter(|&&label| label != IGNORED_LABEL).count()
}

fn into_six<B: Backend>(embeddings: TriModalEmbeddings<B>) -> Six<B> {
    [
        embeddings.video,
        embeddings.text,
        embeddings.masked_video,
        embeddings.masked_text,
        embeddings.fused_masked_video,
        embeddings.fused_masked_text,
    ]
}

fn from_six<B: Backend>(six: Six<B>) -> TriModalEmbeddings<B> {
    let [
        video,
        text,
        masked_video,
        masked_text,
        fused_masked_video,
        fused_masked_text,
    ] = six;
    TriModalEmbeddings {
        video,
        text,
        masked_video,
        masked_text,
        fused_masked_video,
        fused_masked_text,
    }
}

#[cfg(test)]
mod checkpointing;
#[cfg(all(test, feature = "test-flex"))]
mod mixed_precision;
#[cfg(test)]
mod tests;
