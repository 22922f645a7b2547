//! The published size on a small machine: builds the base preset, embeds one clip of 8 frames of
//! 224 px and one text, fuses them, and says how long that took and the most memory it held.
//!
//! `cargo run --release -p clover-model --example base_forward [-- REPETITIONS]`: so many more passes
//! of the video encoder, and the best of their times.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

mod memory;

use std::env;
use std::time::Instant;

use burn::module::Module;
use burn::prelude::*;
use burn::tensor::Distribution;
use burn_flex::Flex;
use clover_model::heads::cls_feature;
use clover_model::{CloverConfig, Noise, materialize_parameters};
use memory::peak_mib;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// BERT-base uncased.
const VOCABULARY: usize = 30_522;
/// Word pieces of a text, as published.
const TEXT_LEN: usize = 30;

fn main() {
    let device = Default::default();
    let config = CloverConfig::base(VOCABULARY);
    let clover = timed("build", || {
        let clover = config.init::<Flex>(&device);
        materialize_parameters(&clover);
        clover
    });
    println!("{} parameters", clover.num_params());

    let pixels = [1, 3, config.frames, config.image_size, config.image_size];
    let clip = Tensor::random(pixels, Distribution::Normal(0.0, 1.0), &device);
    let words = Tensor::<Flex, 1, Int>::arange(1000..1000 + TEXT_LEN as i64, &device)
        .reshape([1, TEXT_LEN]);
    let mask = Tensor::ones([1, TEXT_LEN], &device);

    let video = timed("embed_video", || clover.embed_video(clip.clone()));
    let text = timed("embed_text", || {
        clover.embed_text(words.clone(), mask.clone())
    });
    let forward = || {
        clover
            .video_encoder
            .forward(clip.clone(), &mut Noise::quiet())
            .grid
    };
    let features = forward();
    repeat(forward);
    let tokens = clover
        .text_encoder
        .forward(words, mask.clone(), &mut Noise::quiet());
    let fused = timed("fusion", || {
        let fused = clover
            .fusion_encoder
            .forward(features, tokens, mask, &mut Noise::quiet());
        cls_feature(fused.text)
    });
    for embedding in [video, text, fused] {
        assert_eq!(embedding.dims(), [1, config.embedding()]);
    }
}

/// As often as the first argument asks for.
fn repeat<T>(forward: impl Fn() -> T) {
    let asked = env::args().nth(1).and_then(|text| text.parse::<u32>().ok());
    let seconds = |_| {
        let started = Instant::now();
        forward();
        started.elapsed().as_secs_f64()
    };
    if let Some(best) = (0..asked.unwrap_or(0)).map(seconds).reduce(f64::min) {
        println!("video encoder, best of {}: {best:.4} s", asked.unwrap_or(0));
    }
}

fn timed<T>(name: &str, run: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = run();
    let seconds = started.elapsed().as_secs_f64();
    let gib = peak_mib().unwrap_or(0) as f64 / 1024.0;
    println!("{name}: {seconds:.2} s, peak memory so far {gib:.2} GiB");
    result
}
