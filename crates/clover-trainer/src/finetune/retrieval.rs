//! Retrieval: clips and sentences of a batch find each other (Clover, section 4.2).
//!
//! In micro-batches the gradient comes in three passes, as in pre-training: all are embedded without a
//! graph, the loss of all embeddings gives the gradient of each, and each is embedded again.

use burn::module::AutodiffModule;
use burn::optim::GradientsAccumulator;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::{stack_clips, stack_texts};
use clover_data::dataset::CaptionedSample;
use clover_losses::InfoNceLossConfig;
use clover_model::Noise;
use clover_model::tasks::RetrievalModel;

use super::gradients::{LossGradients, is_whole, micro_batches, of_mean_loss};
use super::task::{LearnsInMicroBatches, TaskModel};
use crate::parameter_groups::ParameterRules;
use crate::precision::{full_gradients, full_precision};

impl<B: Backend> TaskModel<B> for RetrievalModel<B> {
    type Sample = CaptionedSample;

    const RULES: ParameterRules = ParameterRules::Pretraining;

    fn name(sample: &CaptionedSample) -> &str {
        &sample.name
    }

    fn loss(
        &self,
        samples: &[CaptionedSample],
        noise: &mut Noise,
        device: &B::Device,
    ) -> Tensor<B, 1> {
        let [video, text] = embed(self, samples, noise, device);
        InfoNceLossConfig::new().init().forward(video, text)
    }
}

impl<B: AutodiffBackend> LearnsInMicroBatches<B> for RetrievalModel<B> {
    fn gradients(
        &self,
        samples: &[CaptionedSample],
        micro_batch: usize,
        noise: &Noise,
        device: &B::Device,
    ) -> LossGradients<B> {
        if is_whole(micro_batch, samples.len()) {
            return of_mean_loss(self, samples, 0, noise, device);
        }
        let without_graph = self.valid();
        let (mut videos, mut texts) = (Vec::new(), Vec::new());
        for (samples, mut noise, _) in micro_batches(samples, micro_batch, noise) {
            let [video, text] = embed(&without_graph, samples, &mut noise, device);
            videos.push(video);
            texts.push(text);
        }
        let leaf = |rows: Vec<Tensor<B::InnerBackend, 2>>| {
            Tensor::<B, 2>::from_inner(Tensor::cat(rows, 0)).require_grad()
        };
        let (video, text) = (leaf(videos), leaf(texts));
        let loss = InfoNceLossConfig::new()
            .init()
            .forward(video.clone(), text.clone());
        let upstream = loss.backward();
        let upstream = [&video, &text].map(|leaf| leaf.grad(&upstream));
        let mut accumulator = GradientsAccumulator::new();
        let mut first = 0;
        for (samples, mut noise, _) in micro_batches(samples, micro_batch, noise) {
            let embedded = embed(self, samples, &mut noise, device);
            let pulls = embedded
                .into_iter()
                .zip(&upstream)
                .filter_map(|(rows, upstream)| {
                    let upstream = upstream.clone()?.narrow(0, first, samples.len());
                    Some((rows * Tensor::from_inner(upstream)).sum())
                });
            if let Some(pull) = pulls.reduce(|sum, next| sum + next) {
                accumulator.accumulate(self, full_gradients(pull.backward(), self));
            }
            first += samples.len();
        }
        LossGradients {
            loss: loss.inner(),
            gradients: accumulator.grads(),
        }
    }
}

/// Embeddings of clips and texts in `f32`, each `[batch, dim]`.
fn embed<B: Backend>(
    model: &RetrievalModel<B>,
    samples: &[CaptionedSample],
    noise: &mut Noise,
    device: &B::Device,
) -> [Tensor<B, 2>; 2] {
    let clips: Vec<_> = samples.iter().map(|sample| &sample.clip).collect();
    // One sentence of each clip was drawn.
    let ids = samples.iter().flat_map(|sample| sample.token_ids.first());
    let ids: Vec<_> = ids.map(Vec::as_slice).collect();
    let masks = samples
        .iter()
        .flat_map(|sample| sample.attention_masks.first());
    let masks: Vec<_> = masks.map(Vec::as_slice).collect();
    let video = model.embed_video(stack_clips(&clips, device), 1, noise);
    let [ids, masks] = stack_texts(&ids, &masks, device);
    let text = model.embed_text(ids, masks, noise);
    [video, text].map(full_precision)
}
