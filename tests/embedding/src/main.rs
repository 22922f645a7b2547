//! Trains a Clover for retrieval for two steps with Burn's own optimizer, then embeds clips and texts
//! and ranks them: what another Burn program needs of this project, and no more.

use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use burn::optim::{AdamWConfig, GradientsParams, Optimizer};
use burn::tensor::{Distribution, Int, Tensor};
use burn_ndarray::NdArray;
use clover_losses::InfoNceLossConfig;
use clover_model::tasks::RetrievalModel;
use clover_model::{CloverConfig, Noise};

type Inner = NdArray<f32>;
type Trained = Autodiff<Inner>;

const PAIRS: usize = 3;
const FRAMES: usize = 4;
const SIZE: usize = 28;
const TEXT_LEN: usize = 6;
const VOCABULARY: usize = 50;

fn main() {
    // Before the first step: backward passes that gather instead of scatter.
    clover_model::register_autodiff::<Trained>();

    let device = Default::default();
    let config = CloverConfig::nano(VOCABULARY)
        .with_frames(FRAMES)
        .with_image_size(SIZE);
    let mut model = RetrievalModel::<Trained>::from(config.init(&device));
    let mut optimizer = AdamWConfig::new().init();

    let clips = Tensor::random(
        [PAIRS, 3, FRAMES, SIZE, SIZE],
        Distribution::Normal(0.0, 1.0),
        &device,
    );
    let words = Tensor::<Trained, 1, Int>::arange(0..(PAIRS * TEXT_LEN) as i64, &device)
        .reshape([PAIRS, TEXT_LEN]);
    let seen = Tensor::ones([PAIRS, TEXT_LEN], &device);

    let mut losses = Vec::new();
    for step in 0..2 {
        let mut noise = Noise::of_batch(0, step, PAIRS);
        let video = model.embed_video(clips.clone(), 1, &mut noise);
        let text = model.embed_text(words.clone(), seen.clone(), &mut noise);
        let loss = InfoNceLossConfig::new().init().forward(video, text);
        losses.push(loss.clone().into_scalar());
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(1e-3, model, gradients);
    }
    println!("losses {losses:?}");
    assert!(losses.iter().all(|loss| loss.is_finite()));

    let model: RetrievalModel<Inner> = model.valid();
    let video = model.embed_video(clips.inner(), 1, &mut Noise::quiet());
    let text = model.embed_text(words.inner(), seen.inner(), &mut Noise::quiet());
    let best = video.matmul(text.transpose()).argmax(1);
    let best: Vec<i64> = best.into_data().iter::<i64>().collect();
    println!("the text nearest to each clip: {best:?}");
    assert_eq!(best.len(), PAIRS);
}
