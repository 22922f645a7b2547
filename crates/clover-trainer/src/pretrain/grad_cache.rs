//! The gradient cache: the gradient of a large batch at the memory of a micro-batch.
//!
//! Alignment and ranking compare every sample with every other one, so a batch cannot simply be cut
//! into pieces. But the encoders see each sample by itself, so the gradient comes in three passes
//! (Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", 2021):
//!
//! 1. every micro-batch is encoded without a graph, and only its embeddings are kept;
//! 2. the losses of all embeddings together give the gradient of each embedding;
//! 3. every micro-batch is encoded again, with a graph and with the same noise, and `sum(embedding *
//!    gradient)` and its share of the word loss are back-propagated.
//!
//! A learned temperature takes part in the second pass alone, which gives its gradient as well.
//!
//! Several devices do the same with a micro-batch or more each: between the first and the second pass
//! the embeddings of all devices are gathered, and after the third the gradients are added. A device
//! with no more micro-batches than pass the model at the same time keeps the graphs of its first pass
//! instead of encoding again.

use burn::module::{AutodiffModule, Module, ParamId};
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_data::dataset::PretrainingSample;
use clover_data::masking::IGNORED_LABEL;
use clover_losses::TriModalEmbeddings;
use clover_model::{Clover, Noise};

use super::gradients::{logit_scale, mean_similarities, model_input};
use super::shared_batch::SharedBatch;
use crate::devices::{DevicesError, sum_gradients};
use crate::micro_batching::MicroBatching;
use crate::objective::{PretrainingObjective, embeddings};
use crate::optimizer_step::BatchGradients;
use crate::precision::full_gradients;

/// As [`pretraining_gradients`](super::pretraining_gradients), at the memory of the micro-batches that pass the
/// model at the same time: the gradient is the same but for rounding. Of a batch that lies on several devices each calls this with its
/// own samples, and all get the gradient of the whole. The noise is that of the whole batch.
///
/// # Errors
///
/// A device is lost, or none has a sample.
///
/// # Panics
///
/// Panics if there is not a place for each sample.
pub fn micro_batched_gradients<B: AutodiffBackend>(
    objective: &PretrainingObjective,
    clover: &Clover<B>,
    samples: &[PretrainingSample],
    cut: &MicroBatching,
    noise: &Noise,
    shared: &SharedBatch<'_, B::InnerBackend>,
    device: &B::Device,
) -> Result<BatchGradients<B>, DevicesError> {
    let noise = noise.at(shared.places);
    MicroBatches::new(samples, cut, &noise, device).gradients(objective, clover, shared)
}

/// A batch in micro-batches, none of which is on the device for longer than it is needed.
struct MicroBatches<'s, B: AutodiffBackend> {
    samples: Vec<&'s [PretrainingSample]>,
    noise: Vec<Noise>,
    cut: &'s MicroBatching,
    device: B::Device,
}

/// A micro-batch that was encoded with a graph.
struct Encoded<B: Backend> {
    /// The model that has the graph.
    clover: Clover<B>,
    embeddings: TriModalEmbeddings<B>,
    /// The mean over its masked words.
    word: Option<Tensor<B, 1>>,
}

impl<'s, B: AutodiffBackend> MicroBatches<'s, B> {
    /// The last may be smaller. The noise is that of the samples at hand.
    fn new(
        samples: &'s [PretrainingSample],
        cut: &'s MicroBatching,
        noise: &Noise,
        device: &B::Device,
    ) -> Self {
        let size = cut.size();
        let starts = (0..samples.len()).step_by(size);
        Self {
            samples: samples.chunks(size).collect(),
            noise: starts
                .map(|start| noise.part(start..samples.len().min(start + size)))
                .collect(),
            cut,
            device: device.clone(),
        }
    }

    /// The terms and the gradient of the whole batch.
    fn gradients(
        &self,
        objective: &PretrainingObjective,
        clover: &Clover<B>,
        shared: &SharedBatch<'_, B::InnerBackend>,
    ) -> Result<BatchGradients<B>, DevicesError> {
        let count = self.samples.len();
        let encode = |at| self.encode_with_graph(at, objective, clover);
        let (with_graph, encoded) = if (1..=self.cut.at_once()).contains(&count) {
            let encoded = self.cut.map((0..count).collect(), encode);
            let embeddings = encoded.iter().map(|encoded| encoded.embeddings.clone());
            let embeddings = together(embeddings.map(|all| all.map(Tensor::inner)));
            (encoded.into_iter().map(Some).collect(), embeddings)
        } else {
            let none: Vec<_> = (0..count).map(|_| None).collect();
            (none, self.encode(objective, &clover.valid()))
        };
        let words = self.samples.iter().copied().flatten().map(masked_words);
        let words: Vec<usize> = words.collect();
        let dim = clover.fused_masked_video_head.dim();
        let gathered = shared.gather(encoded, &words, dim, &self.device)?;
        let all = gathered.embeddings.clone();
        let similarities = mean_similarities(all.video.clone(), all.text.clone());
        let Contrast {
            mut terms,
            upstream,
            temperature,
        } = contrast::<B>(objective, all, logit_scale(clover));

        let mut accumulator = GradientsAccumulator::new();
        let mut word_loss = Tensor::zeros([1], &self.device);
        let scale = shared.contrast_scale();
        let own = words.iter().sum();
        let share = |rows: &[usize]| shared.word_share(rows.iter().sum(), own, gathered.words);
        let shares = words.chunks(self.cut.size()).map(share);
        let backward = |(at, encoded, share): (usize, Option<Encoded<B>>, f64)| {
            let first = gathered.first + at * self.cut.size();
            let rows = self.samples[at].len();
            let upstream = upstream
                .clone()
                .map(|all| all.narrow(0, first, rows) * scale);
            let encoded = encoded.unwrap_or_else(|| encode(at));
            self.backward(encoded, share, upstream)
        };
        let with_graph = with_graph.into_iter().zip(shares).enumerate();
        let with_graph = with_graph.map(|(at, (encoded, share))| (at, encoded, share));
        let with_graph: Vec<_> = with_graph.collect();
        for (word, gradients) in self.cut.map(with_graph, backward) {
            word_loss = word_loss + word;
            accumulator.accumulate(clover, gradients);
        }
        let peer = shared.peer;
        let mut gradients = accumulator.grads();
        // Every device has that of the whole batch.
        if let Some((id, gradient)) = temperature.filter(|_| peer.is_first()) {
            gradients.register(id, gradient * scale);
        }
        let (gradients, word_loss) = sum_gradients(peer, clover, gradients, word_loss)?;
        terms[0] = terms[0].clone() + word_loss;
        let learns = objective.compares() || objective.learns_words() && gathered.words > 0;
        let samples = self.samples.iter().copied().flatten();
        Ok(BatchGradients {
            terms: terms.into(),
            watched: similarities.into(),
            items: gathered.pairs,
            names: samples.map(|sample| sample.name.clone()).collect(),
            gradients: if learns {
                gradients
            } else {
                // Zeros would still be decayed.
                GradientsParams::new()
            },
        })
    }

    /// First pass: the embeddings of all samples at hand, if there are any.
    fn encode(
        &self,
        objective: &PretrainingObjective,
        clover: &Clover<B::InnerBackend>,
    ) -> Option<TriModalEmbeddings<B::InnerBackend>> {
        let pieces = self.samples.iter().zip(&self.noise).collect();
        let encoded = self.cut.map(pieces, |(samples, noise)| {
            let batch = PretrainingBatch::collate(samples, &self.device);
            let (mut input, _, _) = model_input(batch, objective);
            // Words are scored in the third pass.
            input.masked_positions = None;
            embeddings(clover.forward_pretraining(input, &mut noise.clone()))
        });
        together(encoded.into_iter())
    }

    /// A micro-batch with its graph.
    fn encode_with_graph(
        &self,
        at: usize,
        objective: &PretrainingObjective,
        clover: &Clover<B>,
    ) -> Encoded<B> {
        let clover = match self.cut.at_once() {
            1 => clover.clone(),
            // The operations on one graph wait for each other, and Burn keeps all that comes from a parameter
            // in one.
            _ => clover.clone().fork(&self.device),
        };
        let batch = PretrainingBatch::<B>::collate(self.samples[at], &self.device);
        let (input, labels, _) = model_input(batch, objective);
        let mut output = clover.forward_pretraining(input, &mut self.noise[at].clone());
        Encoded {
            word: objective.word(output.word_logits.take(), labels),
            embeddings: embeddings(output),
            clover,
        }
    }

    /// Third pass: its share of the word loss, and its gradient.
    fn backward(
        &self,
        encoded: Encoded<B>,
        share: f64,
        upstream: TriModalEmbeddings<B::InnerBackend>,
    ) -> (Tensor<B::InnerBackend, 1>, GradientsParams) {
        let word = encoded.word.map(|word| word * share);
        let mut surrogate = encoded
            .embeddings
            .into_array()
            .into_iter()
            .zip(upstream.into_array())
            .map(|(embedding, gradient)| {
                let gradient = gradient.cast(embedding.dtype());
                (embedding * Tensor::from_inner(gradient)).sum()
            })
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
        let gradients = full_gradients(surrogate.backward(), &encoded.clover);
        (value, gradients)
    }
}

/// The embeddings of all micro-batches, if there are any.
fn together<B: Backend>(
    encoded: impl Iterator<Item = TriModalEmbeddings<B>>,
) -> Option<TriModalEmbeddings<B>> {
    let encoded: Vec<_> = encoded.map(TriModalEmbeddings::into_array).collect();
    (!encoded.is_empty()).then(|| {
        TriModalEmbeddings::from_array(std::array::from_fn(|which| {
            Tensor::cat(encoded.iter().map(|all| all[which].clone()).collect(), 0)
        }))
    })
}

/// What the second pass gives.
struct Contrast<B: Backend> {
    /// Of which the word loss is still zero.
    terms: [Tensor<B, 1>; 5],
    /// The gradient of each embedding.
    upstream: TriModalEmbeddings<B>,
    /// The gradient of a learned temperature's parameter.
    temperature: Option<(ParamId, Tensor<B, 1>)>,
}

/// Second pass.
fn contrast<B: AutodiffBackend>(
    objective: &PretrainingObjective,
    encoded: TriModalEmbeddings<B::InnerBackend>,
    logit_scale: Option<(ParamId, Tensor<B, 1>)>,
) -> Contrast<B::InnerBackend> {
    let leaves = encoded.map(|all| Tensor::<B, 2>::from_inner(all).require_grad());
    let leaf_of = |value: Tensor<B, 1>| Tensor::from_inner(value.inner()).require_grad();
    let logit_scale = logit_scale.map(|(id, value)| (id, leaf_of(value)));
    let value = logit_scale.as_ref().map(|(_, value)| value.clone());
    let losses = objective.contrast(leaves.clone(), &objective.temperature.of(value));
    let gradients = objective.compares().then(|| losses.total().backward());
    let upstream = leaves.map(|leaf| {
        gradients
            .as_ref()
            .and_then(|gradients| leaf.grad(gradients))
            .unwrap_or_else(|| leaf.inner().zeros_like())
    });
    let temperature = logit_scale.and_then(|(id, leaf)| {
        let gradient = leaf.grad(gradients.as_ref()?)?;
        Some((id, gradient))
    });
    Contrast {
        terms: losses.terms().map(Tensor::inner),
        upstream,
        temperature,
    }
}

fn masked_words(sample: &PretrainingSample) -> usize {
    let labels = sample.masked.labels.iter();
    labels.filter(|&&label| label != IGNORED_LABEL).count()
}

#[cfg(all(test, feature = "collective"))]
mod devices;
#[cfg(test)]
mod gradient_checkpointing;
#[cfg(test)]
mod learned_temperature;
#[cfg(test)]
mod mixed_precision;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod without_masked_samples;
