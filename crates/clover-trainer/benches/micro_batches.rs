//! What a large batch costs in micro-batches: the peak memory and the time of 256 pairs in 8 at a time,
//! against a plain step of 8 pairs; and what the plain step costs with gradient checkpointing. Each
//! case runs in a process of its own, the cases in turn, and the best of the rounds counts.
//!
//! `cargo bench -p clover-trainer --bench micro_batches [-- FRAMES PIXELS [ROUNDS]]`; README.md has
//! the figures.

#![expect(clippy::print_stdout, reason = "a bench is a program")]

mod random_samples;

use std::time::Instant;
use std::{env, fs, process};

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::BalancedCheckpointing;
use burn::tensor::backend::AutodiffBackend;
use burn_flex::Flex;
use clover_data::batch::PretrainingBatch;
use clover_model::{Clover, CloverConfig, Noise};
use clover_trainer::devices::{GradientScaling, Peer};
use clover_trainer::micro_batching::MicroBatching;
use clover_trainer::optimizer::OptimizerConfig;
use clover_trainer::optimizer_step::OptimizerStep;
use clover_trainer::parameter_groups::ParameterRules;
use clover_trainer::precision::Precision;
use clover_trainer::pretrain::{
    PretrainingObjective, SharedBatch, micro_batched_gradients, model_input, pretraining_gradients,
};
use random_samples::{VOCABULARY, samples};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type StoreActivations = Autodiff<Flex>;
type RecomputeActivations = Autodiff<Flex, BalancedCheckpointing>;

/// Pairs of a plain step, and of a micro-batch.
const MICRO_BATCH: usize = 8;
const BATCH: usize = 256;
/// The argument that makes this program one case.
const CASE: &str = "case";

/// What a case found.
struct Found {
    milliseconds_a_pair: f64,
    peak_mebibytes: f64,
}

fn main() {
    // Cargo adds `--bench`.
    let given: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |place: usize, usual: usize| {
        given
            .get(place)
            .and_then(|text| text.parse().ok())
            .unwrap_or(usual)
    };
    if given.first().is_some_and(|first| first == CASE) {
        let [frames, pixels, batch] = [number(1, 8), number(2, 112), number(3, MICRO_BATCH)];
        let found = match number(4, 0) {
            0 => run::<StoreActivations>(frames, pixels, batch),
            _ => run::<RecomputeActivations>(frames, pixels, batch),
        };
        println!("{} {}", found.milliseconds_a_pair, found.peak_mebibytes);
        return;
    }
    let (frames, pixels, rounds) = (number(0, 8), number(1, 112), number(2, 3));
    compare(frames, pixels, rounds);
}

/// What is compared with the first: pairs, and whether cheap operations are computed again.
const CASES: [(usize, bool); 3] = [(MICRO_BATCH, false), (BATCH, false), (MICRO_BATCH, true)];

fn compare(frames: usize, pixels: usize, rounds: usize) {
    println!("tiny preset, {frames} frames of {pixels} px, best of {rounds} rounds\n");
    println!("| pairs | at a time | checkpointing | ms a pair | peak MiB | time | memory |");
    println!("|---|---|---|---|---|---|---|");
    let mut best = CASES.map(|_| Found {
        milliseconds_a_pair: f64::INFINITY,
        peak_mebibytes: f64::INFINITY,
    });
    for _ in 0..rounds {
        for (best, (batch, recomputed)) in best.iter_mut().zip(CASES) {
            let Some(found) = in_a_process([frames, pixels, batch, recomputed.into()]) else {
                println!("a case of {batch} pairs failed");
                return;
            };
            *best = Found {
                milliseconds_a_pair: best.milliseconds_a_pair.min(found.milliseconds_a_pair),
                peak_mebibytes: best.peak_mebibytes.min(found.peak_mebibytes),
            };
        }
    }
    for (found, (batch, recomputed)) in best.iter().zip(CASES) {
        let (time, peak) = (found.milliseconds_a_pair, found.peak_mebibytes);
        let checkpointing = if recomputed { "on" } else { "off" };
        let time_ratio = time / best[0].milliseconds_a_pair;
        let memory_ratio = peak / best[0].peak_mebibytes;
        println!(
            "| {batch} | {MICRO_BATCH} | {checkpointing} | {time:.1} | {peak:.0} | {time_ratio:.2} | {memory_ratio:.2} |"
        );
    }
}

fn in_a_process(case: [usize; 4]) -> Option<Found> {
    let output = process::Command::new(env::current_exe().ok()?)
        .arg(CASE)
        .args(case.map(|number| number.to_string()))
        .stderr(process::Stdio::inherit())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut figures = text.split_whitespace().map(str::parse::<f64>);
    Some(Found {
        milliseconds_a_pair: figures.next()?.ok()?,
        peak_mebibytes: figures.next()?.ok()?,
    })
}

/// Steps of one case; the first draws the parameters and allocates the moments, and is not timed.
fn run<B: AutodiffBackend>(frames: usize, pixels: usize, batch: usize) -> Found {
    let device = Default::default();
    let samples = samples(batch, frames, pixels);
    let config = CloverConfig::tiny(VOCABULARY);
    let mut clover: Option<Clover<B>> = Some(
        config
            .with_frames(frames)
            .with_image_size(pixels)
            .init(&device),
    );
    let objective = PretrainingObjective::default();
    let mut update = OptimizerStep {
        optimizer: OptimizerConfig::new(0.005, ParameterRules::Pretraining).init(),
        clip_norm: 15.0,
        loss_limit: f64::INFINITY,
        precision: Precision::F32,
    };
    let cut = MicroBatching::new(MICRO_BATCH, 1).ok();
    let mut step = |clover: Clover<B>, number: u64| {
        let noise = Noise::of_batch(0, number, batch);
        let found = if batch > MICRO_BATCH {
            let places: Vec<usize> = (0..batch).collect();
            let shared = SharedBatch {
                peer: &Peer::alone(),
                places: &places,
                slots: batch,
                scaling: GradientScaling::FullBatch,
            };
            let (samples, shared) = (&samples, &shared);
            micro_batched_gradients(
                &objective,
                &clover,
                samples,
                cut.as_ref()?,
                &noise,
                shared,
                &device,
            )
            .ok()?
        } else {
            let batch = PretrainingBatch::collate(&samples, &device);
            let (input, labels, names) = model_input(batch, &objective);
            let output = clover.forward_pretraining(input, &mut noise.clone());
            pretraining_gradients(&objective, &clover, output, labels, names)
        };
        let done = update.apply(clover, found, number, 1e-4);
        done.ok().map(|(clover, _)| clover)
    };
    let steps = if batch > MICRO_BATCH { 2 } else { 12 };
    let mut best = f64::INFINITY;
    for number in 0..=steps {
        let started = Instant::now();
        clover = clover.and_then(|clover| step(clover, number));
        if number > 0 {
            best = best.min(started.elapsed().as_secs_f64());
        }
    }
    assert!(clover.is_some(), "a step diverged");
    Found {
        milliseconds_a_pair: best * 1e3 / batch as f64,
        peak_mebibytes: peak_mebibytes(),
    }
}

/// The most memory the process ever held (Linux).
fn peak_mebibytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok())
        .map_or(f64::NAN, |kibibytes| kibibytes / 1024.0)
}
