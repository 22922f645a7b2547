//! Both encoders of an imported CLIP, beside another program: embeds what a file holds, writes the embeddings
//! down, and then times an encoder whenever it is asked to. `xtask/pytorch/clip_towers.py` asks in turn with
//! open_clip, so that both meet the same load.
//!
//! `cargo run --release -p clover-model --example clip_towers -- WEIGHTS ACTIVATION INPUT OUT`
//!
//! `ACTIVATION` is `gelu` or `quick_gelu`. `INPUT` is a safetensors file: tensors of four axes are images
//! (`[batch, channels, height, width]`), those of two are token ids as floats (`[batch, text_len]`), cut here
//! behind the end of the longest text, as batches are. `OUT` gets the embeddings by the same names. Then each line
//! read is the name of a tensor, and each line written the milliseconds that its embeddings took.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

mod features;
mod memory;

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Instant;

use burn::prelude::*;
use burn::tensor::TensorData;
use burn_flex::Flex;
use clover_model::clip::{Activation, Clip};
use clover_model::weights::{ClipHints, ClipSource, Import, ImportOptions, Naming, WeightFile};
use memory::peak_mib;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn Error>;

enum Input {
    Images(Tensor<Flex, 4>),
    Texts(Tensor<Flex, 2, Int>),
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [weights, activation, input, out] = &arguments[..] else {
        return Err("WEIGHTS ACTIVATION INPUT OUT".into());
    };
    let activation = match activation.as_str() {
        "gelu" => Activation::Gelu,
        "quick_gelu" => Activation::QuickGelu,
        _ => return Err("the activations are gelu and quick_gelu".into()),
    };
    let started = Instant::now();
    let clip = imported(weights.as_ref(), activation)?;
    println!("read_seconds {:.2}", started.elapsed().as_secs_f64());
    println!("read_mib {}", peak_mib().unwrap_or(0));

    let inputs = inputs(input.as_ref())?;
    let embedded: Vec<(&str, TensorData)> = inputs
        .iter()
        .map(|(name, input)| (name.as_str(), embed(&clip, input)))
        .collect();
    features::write(out.as_ref(), &embedded)?;
    println!("embedded_mib {}", peak_mib().unwrap_or(0));
    for line in io::stdin().lines() {
        let line = line?;
        let input = inputs.get(line.trim()).ok_or("no tensor of that name")?;
        let started = Instant::now();
        embed(&clip, input);
        println!("{:.3}", started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}

fn imported(path: &Path, activation: Activation) -> Result<Clip<Flex>, Failure> {
    let file = WeightFile::open(path)?;
    let source = ClipSource::new(&file)?;
    let config = source.sizes(activation, ClipHints::default())?;
    let mut import = Import::new(ImportOptions::default());
    import.add(&source, Naming::Native);
    let clip = import.fill(config.init(&Default::default()))?;
    let report = import.finish()?;
    match report.is_complete() && report.unused.is_empty() {
        true => Ok(clip),
        false => Err(report.to_string().into()),
    }
}

fn inputs(path: &Path) -> Result<BTreeMap<String, Input>, Failure> {
    let device = Default::default();
    let file = WeightFile::open(path)?;
    let mut inputs = BTreeMap::new();
    for entry in file.entries() {
        let data = file.data(&entry.name)?;
        let input = match entry.shape.len() {
            4 => Input::Images(Tensor::from_data(data, &device)),
            2 => {
                let ids = Tensor::<Flex, 2, Int>::from_data(data.convert::<i64>(), &device);
                let ends = ids.clone().argmax(1).max().into_data().iter::<i64>().next();
                let longest = usize::try_from(ends.unwrap_or(0))? + 1;
                Input::Texts(ids.narrow(1, 0, longest))
            }
            _ => return Err(format!("{}: {:?}", entry.name, entry.shape).into()),
        };
        inputs.insert(entry.name.clone(), input);
    }
    Ok(inputs)
}

fn embed(clip: &Clip<Flex>, input: &Input) -> TensorData {
    match input {
        Input::Images(images) => clip.vision.embed(images.clone()),
        Input::Texts(token_ids) => clip.text.embed(token_ids.clone()),
    }
    .into_data()
}
