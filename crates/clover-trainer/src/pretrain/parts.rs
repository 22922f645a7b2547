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
//!
//! Several devices do the same with a part or more each: between the first and the second pass the
//! embeddings of all devices are gathered, and after the third the gradients are added. A device
//! with a single part keeps the graph of its first pass instead of encoding again.

use burn::module::AutodiffModule;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_data::dataset::PretrainingSample;
use clover_data::masking::IGNORED_LABEL;
use clover_losses::TriModalEmbeddings;
use clover_model::{Clover, Noise};

use super::batch_gradients::{BatchGradients, mean_similarities, model_input};
use super::objective::{PretrainingObjective, embeddings};
use super::shared_batch::{Gathered, SharedBatch};
use crate::devices::{DevicesError, sum_gradients};
use crate::precision::full_gradients;

/// The six embeddings, in the order of the fields of [`TriModalEmbeddings`].
pub(super) type Six<B> = [Tensor<B, 2>; 6];

/// A batch in parts, none of which is on the device for longer than it is needed.
pub(super) struct Parts<'s, B: AutodiffBackend> {
    samples: Vec<&'s [PretrainingSample]>,
    noise: Vec<Noise>,
    shared: &'s SharedBatch<'s, B::InnerBackend>,
    device: B::Device,
}

/// A part that was encoded with a graph.
struct Encoded<B: Backend> {
    six: Six<B>,
    /// The mean over the part's masked words.
    word: Option<Tensor<B, 1>>,
}

impl<'s, B: AutodiffBackend> Parts<'s, B> {
    /// Parts of `size` samples; the last may be smaller. The noise is that of the samples at hand.
    pub(super) fn new(
        samples: &'s [PretrainingSample],
        size: usize,
        noise: &Noise,
        shared: &'s SharedBatch<'s, B::InnerBackend>,
        device: &B::Device,
    ) -> Self {
        let starts = (0..samples.len()).step_by(size);
        Self {
            samples: samples.chunks(size).collect(),
            noise: starts
                .map(|start| noise.part(start..samples.len().min(start + size)))
                .collect(),
            shared,
            device: device.clone(),
        }
    }

    /// The terms and the gradient of the whole batch.
    pub(super) fn gradients(
        &self,
        objective: &PretrainingObjective,
        clover: &Clover<B>,
    ) -> Result<BatchGradients<B>, DevicesError> {
        let mut kept = match self.samples.len() {
            1 => Some(self.encode_part(0, objective, clover)),
            _ => None,
        };
        let encoded = match &kept {
            Some(part) => Some(part.six.clone().map(Tensor::inner)),
            None => self.encode(&clover.valid()),
        };
        let words = self.samples.iter().copied().flatten().map(masked_words);
        let words: Vec<usize> = words.collect();
        let dim = clover.video_projection.dim();
        let gathered = self.shared.gather(encoded, &words, dim, &self.device)?;
        let similarities = mean_similarities(gathered.six[0].clone(), gathered.six[1].clone());
        let (mut terms, wanted) = contrast::<B>(objective, gathered.six.clone());

        let mut accumulator = GradientsAccumulator::new();
        let mut word_loss = Tensor::zeros([1], &self.device);
        let mut start = gathered.first;
        for (part, samples) in self.samples.iter().enumerate() {
            let wanted = wanted
                .each_ref()
                .map(|all| all.clone().narrow(0, start, samples.len()));
            let encoded = match kept.take() {
                Some(part) => part,
                None => self.encode_part(part, objective, clover),
            };
            let share = self.word_share(part, &gathered);
            let (word, gradients) = self.backward(encoded, share, clover, wanted);
            word_loss = word_loss + word;
            accumulator.accumulate(clover, gradients);
            start += samples.len();
        }
        let peer = self.shared.peer;
        let (gradients, word_loss) = sum_gradients(peer, clover, accumulator.grads(), word_loss)?;
        terms[0] = terms[0].clone() + word_loss;
        let learns = objective.compares() || objective.learns_words() && gathered.words > 0;
        Ok(BatchGradients {
            terms,
            similarities,
            gradients: if learns {
                gradients
            } else {
                // Zeros would still be decayed.
                GradientsParams::new()
            },
            pairs: gathered.pairs,
        })
    }

    /// First pass: the embeddings of all samples at hand, if there are any.
    fn encode(&self, clover: &Clover<B::InnerBackend>) -> Option<Six<B::InnerBackend>> {
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
        (!parts.is_empty()).then(|| {
            std::array::from_fn(|which| {
                Tensor::cat(parts.iter().map(|six| six[which].clone()).collect(), 0)
            })
        })
    }

    /// A part with its graph.
    fn encode_part(
        &self,
        part: usize,
        objective: &PretrainingObjective,
        clover: &Clover<B>,
    ) -> Encoded<B> {
        let batch = PretrainingBatch::<B>::collate(self.samples[part], &self.device);
        let (input, labels) = model_input(batch);
        let mut output = clover.forward_pretraining(input, &mut self.noise[part].clone());
        Encoded {
            word: objective.word(output.word_logits.take(), labels),
            six: into_six(embeddings(output)),
        }
    }

    /// Third pass: the part's share of the word loss, and its gradient.
    fn backward(
        &self,
        encoded: Encoded<B>,
        share: f64,
        clover: &Clover<B>,
        wanted: Six<B::InnerBackend>,
    ) -> (Tensor<B::InnerBackend, 1>, GradientsParams) {
        let word = encoded.word.map(|word| word * share);
        let scale = self.shared.contrast_scale();
        let mut surrogate = encoded
            .six
            .into_iter()
            .zip(wanted)
            .map(|(embedding, gradient)| {
                let gradient = gradient.cast(embedding.dtype());
                (embedding * Tensor::from_inner(gradient * scale)).sum()
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
        let gradients = full_gradients(surrogate.backward(), clover);
        (value, gradients)
    }

    /// What the mean over the part's masked words is multiplied by.
    fn word_share(&self, part: usize, gathered: &Gathered<B::InnerBackend>) -> f64 {
        let words = |samples: &[PretrainingSample]| samples.iter().map(masked_words).sum::<usize>();
        let own = self.samples.iter().map(|samples| words(samples)).sum();
        self.shared
            .word_share(words(self.samples[part]), own, gathered.words)
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

fn masked_words(sample: &PretrainingSample) -> usize {
    let labels = sample.masked.labels.iter();
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
#[cfg(all(test, feature = "collective"))]
mod devices;
#[cfg(test)]
mod mixed_precision;
#[cfg(test)]
mod tests;
