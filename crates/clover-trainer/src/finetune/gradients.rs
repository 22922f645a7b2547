//! The loss of a batch and its gradient, of the whole or in micro-batches.

use burn::module::AutodiffModule;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_model::Noise;

use super::task::TaskModel;
use crate::precision::full_gradients;

/// The loss of a batch and its gradient.
#[derive(Debug)]
pub struct LossGradients<B: AutodiffBackend> {
    /// `[1]`.
    pub loss: Tensor<B::InnerBackend, 1>,
    /// In `f32`, whatever the model computes in.
    pub gradients: GradientsParams,
}

/// Of a loss that is a mean over samples, each seen by itself.
pub(super) fn of_mean_loss<B, M>(
    model: &M,
    samples: &[M::Sample],
    micro_batch: usize,
    noise: &Noise,
    device: &B::Device,
) -> LossGradients<B>
where
    B: AutodiffBackend,
    M: TaskModel<B> + AutodiffModule<B>,
{
    if is_whole(micro_batch, samples.len()) {
        let loss = model.loss(samples, &mut noise.clone(), device);
        return LossGradients {
            loss: loss.clone().inner(),
            gradients: full_gradients(loss.backward(), model),
        };
    }
    let mut accumulator = GradientsAccumulator::new();
    let mut sum = Tensor::zeros([1], device);
    for (samples, mut noise, share) in micro_batches(samples, micro_batch, noise) {
        let loss = model.loss(samples, &mut noise, device) * share;
        sum = sum + loss.clone().inner();
        accumulator.accumulate(model, full_gradients(loss.backward(), model));
    }
    LossGradients {
        loss: sum,
        gradients: accumulator.grads(),
    }
}

pub(super) fn is_whole(micro_batch: usize, samples: usize) -> bool {
    micro_batch == 0 || micro_batch >= samples
}

/// Each micro-batch with its noise and its share of the batch.
pub(super) fn micro_batches<'s, S>(
    samples: &'s [S],
    micro_batch: usize,
    noise: &'s Noise,
) -> impl Iterator<Item = (&'s [S], Noise, f64)> {
    let all = samples.len();
    samples
        .chunks(micro_batch)
        .enumerate()
        .map(move |(at, chunk)| {
            let first = at * micro_batch;
            let noise = noise.part(first..first + chunk.len());
            (chunk, noise, chunk.len() as f64 / all as f64)
        })
}
