//! Features of imported weights: reads a Video Swin and a BERT in any form and naming, embeds a clip
//! and a text, and writes the features down. `xtask/pytorch/base_weights.py` compares them with
//! PyTorch's.
//!
//! `cargo run --release -p clover-model --example imported_features -- BACKEND VIDEO TEXT INPUT OUT`
//!
//! `INPUT` is a safetensors file with `clip` (`[batch, channels, frames, height, width]`) and
//! `token_ids` (`[batch, text_len]`), both as floats. What is printed: seconds to read the weights,
//! seconds for both features, and the most memory held, in MiB, after either. With a sixth argument,
//! the weights are also written there under our own paths, as in a bundle, and read back.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

mod features;
mod memory;

use std::env;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use burn::module::Module;
use burn::prelude::*;
use burn_flex::Flex;
use burn_ndarray::NdArray;
use clover_model::weights::{Import, ImportOptions, Naming, SizeHints, WeightFile, write_file};
use clover_model::{Clover, CloverConfig, Noise};
use memory::peak_mib;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [backend, files @ ..] = &arguments[..] else {
        return Err("BACKEND VIDEO TEXT INPUT OUT".into());
    };
    match backend.as_str() {
        "flex" => run::<Flex>(files),
        "ndarray" => run::<NdArray>(files),
        _ => Err("the backends are flex and ndarray".into()),
    }
}

fn run<B: Backend>(files: &[String]) -> Result<(), Failure> {
    let [video, text, input, out, bundle @ ..] = files else {
        return Err("BACKEND VIDEO TEXT INPUT OUT".into());
    };
    let device = Default::default();
    let started = Instant::now();
    let (config, clover) = imported::<B>(video.as_ref(), text.as_ref(), &device)?;
    println!("read_seconds {:.2}", started.elapsed().as_secs_f64());
    println!("read_mib {}", peak_mib().unwrap_or(0));
    if let [path] = bundle {
        return there_and_back(&config, clover, path.as_ref());
    }

    let input = WeightFile::open(input.as_ref())?;
    let clip = Tensor::<B, 5>::from_data(input.data("clip")?, &device);
    let ids = input.data("token_ids")?.convert::<i64>();
    let ids = Tensor::<B, 2, Int>::from_data(ids, &device);
    let mask = Tensor::ones(ids.dims(), &device);
    let started = Instant::now();
    let quiet = &mut Noise::quiet();
    let video = clover.video_encoder.forward(clip, quiet).grid.into_data();
    let text = clover.text_encoder.forward(ids, mask, quiet).into_data();
    println!("forward_seconds {:.2}", started.elapsed().as_secs_f64());
    println!("forward_mib {}", peak_mib().unwrap_or(0));
    features::write(out.as_ref(), &[("video", video), ("text", text)])
}

fn imported<B: Backend>(
    video: &Path,
    text: &Path,
    device: &B::Device,
) -> Result<(CloverConfig, Clover<B>), Failure> {
    let files = [WeightFile::open(video)?, WeightFile::open(text)?];
    let mut import = Import::new(ImportOptions {
        refuse_not_finite: true,
        fusion_layers_from_text: 3,
        ..ImportOptions::default()
    });
    for file in &files {
        let names = file.entries().iter().map(|entry| entry.name.as_str());
        import.add(file, Naming::detect(names)?);
    }
    let config = import.sizes(SizeHints::default())?;
    let clover = import.fill(config.init(device))?;
    let report = import.finish()?;
    println!("applied {}", report.applied.len());
    for name in &report.unused {
        println!("unused {name}");
    }
    Ok((config, clover))
}

fn there_and_back<B: Backend>(
    config: &CloverConfig,
    clover: Clover<B>,
    path: &Path,
) -> Result<(), Failure> {
    let started = Instant::now();
    write_file(&clover, path, Naming::Native)?;
    println!("write_seconds {:.2}", started.elapsed().as_secs_f64());
    println!("write_mib {}", peak_mib().unwrap_or(0));
    drop(clover);

    let started = Instant::now();
    let file = WeightFile::open(path)?;
    let mut import = Import::new(ImportOptions::default());
    import.add(&file, Naming::Native);
    let read = import.fill(config.init::<B>(&Default::default()))?;
    println!("reread_seconds {:.2}", started.elapsed().as_secs_f64());
    println!("{} parameters", read.num_params());
    println!("{}", import.finish()?);
    Ok(())
}
