//! The time of a pre-training step on one device, and its clips a second, as one line of JSON.
//!
//! ```sh
//! cargo run --release -p clover-trainer --example step_time --features clover-test-backend/cuda -- \\
//!     PRESET PRECISION BATCH MICRO_BATCH AT_ONCE FRAMES SIZE STEPS
//! ```
//!
//! The features of `clover-test-backend` choose the backend. The clips are noise, collated and
//! uploaded in every step as in training; two steps before those that count draw the parameters and
//! compile the backend's kernels. `xtask/pytorch/pretraining_step.py` measures the same in PyTorch.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

#[path = "../benches/random_samples/mod.rs"]
mod random_samples;

use std::env;
use std::error::Error;
use std::time::Instant;

use burn::tensor::backend::Backend;
use clover_model::{Clover, Noise, Preset};
use clover_test_backend::TestAutodiffBackend as Trained;
use clover_trainer::devices::{GradientScaling, Peer};
use clover_trainer::micro_batching::MicroBatching;
use clover_trainer::optimizer::OptimizerConfig;
use clover_trainer::optimizer_step::OptimizerStep;
use clover_trainer::parameter_groups::ParameterRules;
use clover_trainer::precision::Precision;
use clover_trainer::pretrain::{PretrainingObjective, SharedBatch, micro_batched_gradients};
use random_samples::{VOCABULARY, samples};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WARM_UP: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = env::args().skip(1).collect();
    let [preset, precision, numbers @ ..] = given.as_slice() else {
        return Err(
            "PRESET PRECISION BATCH MICRO_BATCH AT_ONCE FRAMES SIZE STEPS are needed".into(),
        );
    };
    let numbers = numbers.iter().map(|text| text.parse::<usize>());
    let numbers: Vec<usize> = numbers.collect::<Result<_, _>>()?;
    let [batch, micro_batch, at_once, frames, size, steps] = numbers[..] else {
        return Err("six numbers are needed: BATCH MICRO_BATCH AT_ONCE FRAMES SIZE STEPS".into());
    };
    let preset: Preset = preset.parse()?;
    let in_precision = match precision.as_str() {
        "f32" => Precision::F32,
        "bf16" => Precision::Bf16,
        other => return Err(format!("unknown precision {other}: there are f32 and bf16").into()),
    };
    let device = Default::default();
    in_precision.check::<Trained>(&device)?;

    let samples = samples(batch, frames, size);
    let mut clover: Clover<Trained> = preset
        .config(VOCABULARY)
        .with_frames(frames)
        .with_image_size(size)
        .init(&device);
    let objective = PretrainingObjective::default();
    let mut update = OptimizerStep {
        optimizer: OptimizerConfig::new(0.005, ParameterRules::Pretraining).init(),
        clip_norm: 15.0,
        loss_limit: f64::INFINITY,
        precision: in_precision,
    };
    let places: Vec<usize> = (0..batch).collect();
    let shared = SharedBatch {
        peer: &Peer::alone(),
        places: &places,
        slots: batch,
        scaling: GradientScaling::FullBatch,
    };
    let cut = MicroBatching::new(micro_batch, at_once)?;
    let mut seconds = Vec::new();
    for number in 0..WARM_UP + steps {
        let noise = Noise::of_batch(0, number as u64, batch);
        let started = Instant::now();
        let working = update.precision.working_copy(&clover);
        let found = micro_batched_gradients(
            &objective, &working, &samples, &cut, &noise, &shared, &device,
        )?;
        clover = update.apply(clover, found, number as u64 + 1, 1e-5)?.0;
        Trained::sync(&device)?;
        if number >= WARM_UP {
            seconds.push(started.elapsed().as_secs_f64());
        }
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    println!(
        "{{\"preset\":\"{preset}\",\"precision\":\"{precision}\",\"batch\":{batch},\"micro_batch\":{micro_batch},\
         \"at_once\":{at_once},\"frames\":{frames},\"size\":{size},\"best_seconds\":{},\"median_seconds\":{median},\
         \"clips_per_second\":{}}}",
        seconds[0],
        batch as f64 / median
    );
    Ok(())
}
