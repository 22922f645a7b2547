//! Retrieval: clips and sentences of a batch find each other (Clover, section 4.2).
//!
//! In micro-batches the gradient comes in three passes, as in pre-training: all are embedded without a
//! graph, the loss of all embeddings gives the gradient of each, and each is embedded again.

use std::path::Path;

use burn::module::{AutodiffModule, ParamId};
use burn::optim::GradientsAccumulator;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::{ClipBatch, StackedClips};
use clover_data::dataset::{Batch, BatchPlaces, Batched, CaptionedDataset, CaptionedSample, Stack};
use clover_inference::{Embedder, NeutralTexts};
use clover_losses::InfoNceLossConfig;
use clover_model::tasks::RetrievalModel;
use clover_model::{Clover, Noise};

use super::task_context::{TaskContext, micro_batches};
use super::{FinetuningMetrics, FinetuningValidation};
use crate::TrainerError;
use crate::evaluate::measure_embeddings;
use crate::optimizer_step::BatchGradients;
use crate::precision::{full_gradients, full_precision};
use crate::run::{Inner, On, StepDone, Task, WithCaptions};

/// Retrieval, and choice by similarity.
pub(super) struct Comparing<B: AutodiffBackend>(pub(super) TaskContext<B>);

impl<B: AutodiffBackend> Task<B> for Comparing<B> {
    type Model = RetrievalModel<B>;
    type Source = Batched<CaptionedDataset>;
    type Metrics = FinetuningMetrics;
    type Validation = FinetuningValidation;

    fn gradients(
        &self,
        model: &RetrievalModel<B>,
        batch: Batch<CaptionedSample>,
        _: &BatchPlaces,
        noise: &Noise,
        on: On<'_, B>,
    ) -> Result<BatchGradients<B>, TrainerError> {
        Ok(match batch {
            Batch::Stacked(pairs) => {
                let names = names(&pairs);
                let [video, text] = embed(model, *pairs, &mut noise.clone(), on.device);
                let loss = self.loss(video, text, logit_scale(model).map(|(_, value)| value));
                let gradients = full_gradients(loss.backward(), model);
                BatchGradients::of_loss(loss.inner(), gradients, names)
            }
            Batch::Apart(samples) => self.three_passes(model, &samples, noise, on.device),
        })
    }

    fn metrics(&self, done: StepDone) -> FinetuningMetrics {
        FinetuningMetrics::of_done(&done)
    }

    fn measure(
        &self,
        model: Inner<B, Self>,
        at: (u64, u64),
        device: &B::Device,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Option<WithCaptions<FinetuningValidation>>, TrainerError> {
        let context = &self.0;
        let Some(items) = &context.validation else {
            return Ok(None);
        };
        let (tokenizer, how) = (context.tokenizer.clone(), context.test_preprocessing());
        let embedder = Embedder::of_model(model, tokenizer, how, device.clone());
        let (reading, settings) = (context.reading(false), context.settings());
        let measured = measure_embeddings(&embedder, items, reading, &settings, progress)?;
        Ok(Some((context.measurement(measured, at), None)))
    }

    fn write(
        &self,
        model: Inner<B, Self>,
        _: Option<&NeutralTexts>,
        folder: &Path,
    ) -> Result<(), TrainerError> {
        let clover = Clover {
            video_encoder: model.video_encoder,
            text_encoder: model.text_encoder,
            video_projection: model.video_projection,
            text_projection: model.text_projection,
            logit_scale: model.logit_scale,
            ..self.0.clover.clone()
        };
        self.0.write(clover, None, folder)?;
        match &self.0.validation {
            Some(list) => Ok(NeutralTexts::of_captions(list).write(folder)?),
            None => Ok(()),
        }
    }

    fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }
}

impl<B: AutodiffBackend> Comparing<B> {
    /// InfoNCE at the recipe's temperature, or the model's.
    fn loss(
        &self,
        video: Tensor<B, 2>,
        text: Tensor<B, 2>,
        logit_scale: Option<Tensor<B, 1>>,
    ) -> Tensor<B, 1> {
        let temperature = self.0.recipe.temperature.of(logit_scale);
        let loss = InfoNceLossConfig::new().init();
        loss.forward_at(video, text, &temperature)
    }

    /// The loss and gradients of pairs that pass the model in micro-batches.
    fn three_passes(
        &self,
        model: &RetrievalModel<B>,
        samples: &[CaptionedSample],
        noise: &Noise,
        device: &B::Device,
    ) -> BatchGradients<B> {
        let micro_batch = self.0.recipe.micro_batch;
        let without_graph = model.valid();
        let (mut videos, mut texts, mut named) = (Vec::new(), Vec::new(), Vec::new());
        for (pairs, mut noise, _) in micro_batches(samples, micro_batch, noise) {
            let pairs = CaptionedSample::stack(pairs);
            named.extend(names(&pairs));
            let [video, text] = embed(&without_graph, pairs, &mut noise, device);
            videos.push(video);
            texts.push(text);
        }
        let leaf = |rows: Vec<Tensor<B::InnerBackend, 2>>| {
            Tensor::<B, 2>::from_inner(Tensor::cat(rows, 0)).require_grad()
        };
        let (video, text) = (leaf(videos), leaf(texts));
        // A learned temperature takes part in the second pass alone.
        let scale = logit_scale(model).map(|(id, value)| {
            let leaf: Tensor<B, 1> = Tensor::from_inner(value.inner());
            (id, leaf.require_grad())
        });
        let of_scale = scale.as_ref().map(|(_, leaf)| leaf.clone());
        let loss = self.loss(video.clone(), text.clone(), of_scale);
        let upstream = loss.backward();
        let of_scale = scale.and_then(|(id, leaf)| Some((id, leaf.grad(&upstream)?)));
        let upstream = [&video, &text].map(|leaf| leaf.grad(&upstream));
        let mut accumulator = GradientsAccumulator::new();
        let mut first = 0;
        for (pairs, mut noise, _) in micro_batches(samples, micro_batch, noise) {
            let (rows, pairs) = (pairs.len(), CaptionedSample::stack(pairs));
            let embedded = embed(model, pairs, &mut noise, device).into_iter();
            let pulls = embedded.zip(&upstream).filter_map(|(embedded, upstream)| {
                let upstream = upstream.clone()?.narrow(0, first, rows);
                Some((embedded * Tensor::from_inner(upstream)).sum())
            });
            if let Some(pull) = pulls.reduce(|sum, next| sum + next) {
                accumulator.accumulate(model, full_gradients(pull.backward(), model));
            }
            first += rows;
        }
        let mut gradients = accumulator.grads();
        if let Some((id, gradient)) = of_scale {
            gradients.register(id, gradient);
        }
        BatchGradients::of_loss(loss.inner(), gradients, named)
    }
}

/// The logarithm of what similarities are multiplied by, of a model that learns it, `[1]`.
pub(super) fn logit_scale<B: Backend>(
    model: &RetrievalModel<B>,
) -> Option<(ParamId, Tensor<B, 1>)> {
    let param = model.logit_scale.as_ref();
    param.map(|param| (param.id, param.val()))
}

/// Embeddings of clips and of the one sentence drawn of each, in `f32`, each `[batch, dim]`.
fn embed<B: Backend>(
    model: &RetrievalModel<B>,
    pairs: StackedClips,
    noise: &mut Noise,
    device: &B::Device,
) -> [Tensor<B, 2>; 2] {
    let pairs: ClipBatch<B> = pairs.to_device(device);
    let video = model.embed_video(pairs.clips, 1, noise);
    let text = model.embed_text(pairs.token_ids, pairs.attention_mask, noise);
    [video, text].map(full_precision)
}

fn names(pairs: &StackedClips) -> Vec<String> {
    pairs.items.iter().map(|item| item.name.clone()).collect()
}
