//! One pre-training step of the tiny preset on flex, and its parts: what
//! `xtask/pytorch/pretraining_step.py` times in PyTorch.
//!
//! `cargo bench -p clover-trainer --bench pretraining_step [-- name]`; README.md has the figures.

use std::fmt;

use burn::backend::Autodiff;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::{Distribution, TensorData};
use burn_flex::Flex;
use clover_data::batch::{MaskedWords, PretrainingBatch};
use clover_model::tasks::PretrainingInput;
use clover_model::{Clover, CloverConfig, Noise};
use clover_trainer::clipping::clip_by_global_norm;
use clover_trainer::optimizer::{Optimizer, OptimizerConfig};
use clover_trainer::optimizer_step::OptimizerStep;
use clover_trainer::parameter_groups::ParameterRules;
use clover_trainer::precision::Precision;
use clover_trainer::pretrain::{PretrainingObjective, model_input, pretraining_gradients};
use divan::Bencher;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Trained = Autodiff<Flex>;

const VOCABULARY: usize = 30_522;
const TEXT_LEN: usize = 20;
const MASKED_A_TEXT: usize = 3;
/// BERT's `[MASK]`.
const MASK_ID: i32 = 103;
const REGIONS: usize = 7;
const LEARNING_RATE: f64 = 1e-4;
const CLIP_NORM: f64 = 15.0;

/// The shape of a batch of clips.
#[derive(Clone, Copy, Debug)]
struct Clips {
    batch: usize,
    frames: usize,
    size: usize,
}

const DEMO: Clips = Clips {
    batch: 16,
    frames: 4,
    size: 28,
};
const MEDIUM: Clips = Clips {
    batch: 8,
    frames: 4,
    size: 56,
};
const LARGE: Clips = Clips {
    batch: 4,
    frames: 8,
    size: 112,
};
const SIZES: [Clips; 3] = [DEMO, MEDIUM, LARGE];

impl fmt::Display for Clips {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            batch,
            frames,
            size,
        } = self;
        write!(formatter, "{batch} x {frames} x {size}")
    }
}

impl Clips {
    fn clover<B: Backend>(self) -> Clover<B> {
        CloverConfig::tiny(VOCABULARY)
            .with_frames(self.frames)
            .with_image_size(self.size)
            .init(&Default::default())
    }

    fn batch<B: Backend>(self) -> PretrainingBatch<B> {
        let Self {
            batch,
            frames,
            size,
        } = self;
        let device = Default::default();
        let words = |row: usize| (row * 7919 % VOCABULARY) as i32;
        let ids: Vec<i32> = (0..batch * TEXT_LEN).map(words).collect();
        let is_masked = |place: usize| (1..=MASKED_A_TEXT).contains(&(place % TEXT_LEN));
        let positions: Vec<usize> = (0..ids.len()).filter(|place| is_masked(*place)).collect();
        let labels: Vec<i32> = positions.iter().map(|place| ids[*place]).collect();
        let mut masked_ids = ids.clone();
        for place in &positions {
            masked_ids[*place] = MASK_ID;
        }
        let seen = (0..ids.len()).map(|place| i32::from(place % TEXT_LEN < 3 * TEXT_LEN / 4));
        let texts = |values: Vec<i32>| {
            Tensor::from_data(TensorData::new(values, [batch, TEXT_LEN]), &device)
        };
        let positions = positions.into_iter().map(|place| place as i32).collect();
        let words = |values: Vec<i32>| {
            let length = values.len();
            Tensor::from_data(TensorData::new(values, [length]), &device)
        };
        PretrainingBatch {
            clips: random([batch, 3, frames, size, size]),
            attention_mask: texts(seen.collect()),
            token_ids: texts(ids),
            masked_token_ids: texts(masked_ids),
            masked_words: Some(MaskedWords {
                positions: words(positions),
                labels: words(labels),
            }),
            region_mask: Tensor::zeros([batch, REGIONS, REGIONS], &device)
                .slice_fill([0..batch, 1..3, 1..6], 1.0),
            names: (0..batch).map(|row| row.to_string()).collect(),
        }
    }
}

#[expect(clippy::print_stdout, reason = "a bench is a program")]
fn main() {
    let parameters = DEMO.clover::<Flex>().num_params();
    println!("{DEMO}: {parameters} parameters");
    divan::main();
}

fn random<B: Backend, const D: usize>(shape: [usize; D]) -> Tensor<B, D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Default::default())
}

fn optimizer() -> Optimizer<Trained> {
    OptimizerConfig::new(0.005, ParameterRules::Pretraining).init()
}

fn total_loss<B: Backend>(clover: &Clover<B>, batch: PretrainingBatch<B>) -> Tensor<B, 1> {
    let (positions, labels) = batch
        .masked_words
        .map(|words| (words.positions, words.labels))
        .unzip();
    let output = clover.forward_pretraining(
        PretrainingInput {
            clips: batch.clips,
            token_ids: batch.token_ids,
            masked_token_ids: batch.masked_token_ids,
            attention_mask: batch.attention_mask,
            masked_positions: positions,
            region_mask: Some(batch.region_mask),
        },
        &mut Noise::quiet(),
    );
    let objective = PretrainingObjective::default();
    objective.forward(output, labels).total()
}

/// A step of a run, dropout and stochastic depth included.
#[divan::bench(args = SIZES, sample_count = 15, sample_size = 1)]
fn training_step(bencher: Bencher<'_, '_>, clips: Clips) {
    let objective = PretrainingObjective::default();
    let mut update = OptimizerStep {
        optimizer: optimizer(),
        clip_norm: CLIP_NORM,
        loss_limit: f64::INFINITY,
        precision: Precision::F32,
    };
    let batch = clips.batch::<Trained>();
    let mut step = |clover: Option<Clover<Trained>>| {
        let clover = clover?;
        let (input, labels, names) = model_input(batch.clone(), &objective);
        let output = clover.forward_pretraining(input, &mut Noise::of_batch(0, 1, clips.batch));
        let found = pretraining_gradients(&objective, &clover, output, labels, names);
        let trained = update.apply(clover, found, 1, LEARNING_RATE);
        trained.ok().map(|(clover, _)| clover)
    };
    // The first step draws the parameters and allocates the moments.
    let mut clover = step(Some(clips.clover()));
    bencher.bench_local(|| clover = step(clover.take()));
    assert!(clover.is_some(), "a step of {clips} diverged");
}

/// All encoders, heads and losses as at evaluation: no graph, no dropout.
#[divan::bench(args = SIZES, sample_count = 15, sample_size = 1)]
fn forward(bencher: Bencher<'_, '_>, clips: Clips) {
    let (clover, batch) = (clips.clover::<Flex>(), clips.batch());
    total_loss(&clover, batch.clone());
    bencher.bench_local(|| total_loss(&clover, batch.clone()));
}

/// The parts of a step. Each encoder runs once, forward and backward; a step runs each twice.
mod part {
    use super::*;

    #[divan::bench(args = SIZES, sample_count = 15, sample_size = 1)]
    fn clipping_and_adamw(bencher: Bencher<'_, '_>, clips: Clips) {
        let (batch, mut optimizer) = (clips.batch::<Trained>(), optimizer());
        let gradients = |clover: &Clover<Trained>| {
            GradientsParams::from_grads(total_loss(clover, batch.clone()).backward(), clover)
        };
        let mut update = |clover: Clover<Trained>, gradients| {
            let (gradients, norm) =
                clip_by_global_norm::<Trained, _>(&clover, gradients, CLIP_NORM);
            divan::black_box(norm);
            optimizer.step(LEARNING_RATE, clover, gradients)
        };
        let clover = clips.clover();
        let start = gradients(&clover);
        let clover = update(clover, start);
        bencher
            .with_inputs(|| (clover.clone(), gradients(&clover)))
            .bench_local_values(|(clover, gradients)| update(clover, gradients));
    }

    #[divan::bench(args = SIZES, sample_count = 15, sample_size = 1)]
    fn video_encoder(bencher: Bencher<'_, '_>, clips: Clips) {
        let (clover, batch) = (clips.clover::<Trained>(), clips.batch());
        let Some(encoder) = clover.video_encoder.video_swin() else {
            return;
        };
        let run = || {
            encoder.forward_masked(
                batch.clips.clone(),
                batch.region_mask.clone(),
                &mut Noise::quiet(),
            )
        };
        run();
        bencher.bench_local(|| run().sum().backward());
    }

    #[divan::bench(args = SIZES, sample_count = 15, sample_size = 1)]
    fn text_encoder(bencher: Bencher<'_, '_>, clips: Clips) {
        let (clover, batch) = (clips.clover::<Trained>(), clips.batch());
        let encoder = &clover.text_encoder;
        let run = || {
            encoder.forward(
                batch.token_ids.clone(),
                batch.attention_mask.clone(),
                &mut Noise::quiet(),
            )
        };
        run();
        bencher.bench_local(|| run().sum().backward());
    }

    #[divan::bench(args = SIZES, sample_count = 15, sample_size = 1)]
    fn fusion_encoder(bencher: Bencher<'_, '_>, clips: Clips) {
        let (clover, batch) = (clips.clover::<Trained>(), clips.batch());
        let mask = batch.attention_mask.clone();
        let video = clover
            .video_encoder
            .forward(batch.clips, &mut Noise::quiet())
            .grid
            .detach();
        let text = clover
            .text_encoder
            .forward(batch.token_ids, mask.clone(), &mut Noise::quiet());
        let (video, text) = (video.require_grad(), text.detach().require_grad());
        let encoder = &clover.fusion_encoder;
        let run = || {
            encoder.forward(
                video.clone(),
                text.clone(),
                mask.clone(),
                &mut Noise::quiet(),
            )
        };
        run();
        bencher.bench_local(|| run().text.sum().backward());
    }
}
