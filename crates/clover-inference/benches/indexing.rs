//! Indexing a folder of clips beside what the encoder alone does with their frames in memory, in turn.
//!
//! `cargo bench -p clover-inference --bench indexing -- [CLIPS | FOLDER]`; README.md has the figures.

#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn_flex::Flex;
use clover_data::dataset::{ClipTable, Randomness};
use clover_data::text::Tokenizer;
use clover_data::video::NormalizedClip;
use clover_inference::{
    Bundle, Embedder, IndexSettings, IndexWriter, LibrarySource, UpdateOptions,
};
use clover_model::CloverConfig;
use clover_synthetic::{BenchmarkConfig, write_benchmark};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CLIPS: usize = 1_000;
const FRAMES: usize = 4;
const SIZE: usize = 56;
const BATCH: usize = 16;
const ROUNDS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let root = tempfile::tempdir()?;
    // Cargo adds arguments of its own.
    let given = std::env::args().skip(1).find(|one| !one.starts_with("--"));
    let videos = match given
        .as_deref()
        .map(|given| (given, given.parse::<usize>()))
    {
        Some((_, Ok(clips))) => render(root.path(), clips)?,
        Some((folder, Err(_))) => PathBuf::from(folder),
        None => render(root.path(), CLIPS)?,
    };
    let embedder = embedder(&root.path().join("bundle"))?;
    let table = ClipTable::open(&videos, None, &|_, _| ())?;
    let reading = embedder.preprocessing().clip_reading();
    let frames: Vec<NormalizedClip> = (0..table.len())
        .filter_map(|row| {
            let clip = table.read(row).ok()?;
            let mut rng = Randomness::new(0).for_item(0, 0);
            reading.read(clip.clip, clip.span, &mut rng).ok()
        })
        .collect();
    let settings = IndexSettings::of_bundle(&root.path().join("bundle"))?;
    let threads = std::thread::available_parallelism()?.get();
    for round in 1..=ROUNDS {
        let started = Instant::now();
        for batch in frames.chunks(BATCH) {
            embedder.embed_clips(&batch.iter().collect::<Vec<_>>());
        }
        let alone = frames.len() as f64 / started.elapsed().as_secs_f64();

        let folder = root.path().join(format!("index-{round}"));
        let mut writer = IndexWriter::open(&folder, &settings)?;
        let source = writer.source(LibrarySource::of(&videos), table.clone())?;
        let options = UpdateOptions::new(threads, &[])?;
        let started = Instant::now();
        let summary = writer.update(&embedder, &[source], &options, &mut |_| {
            ControlFlow::Continue(())
        })?;
        let seconds = started.elapsed().as_secs_f64();
        let indexed = summary.progress.rows as f64 / seconds;
        println!(
            "round {round}: encoder alone {alone:.0} rows/s, indexing {indexed:.0} ({} rows, {:.0} s of video a \
             second, waited {:.0} %), ratio {:.2}",
            summary.progress.rows,
            summary.progress.seconds / seconds,
            100.0 * summary.waiting.as_secs_f64() / seconds,
            indexed / alone
        );
    }
    Ok(())
}

fn render(root: &Path, clips: usize) -> Result<PathBuf, Box<dyn Error>> {
    let config = BenchmarkConfig {
        size: SIZE,
        ..BenchmarkConfig::one_shape(clips, 0.01)
    };
    write_benchmark(&config, root.join("videos"), |_, _| ())?;
    Ok(root.join("videos/clips"))
}

/// The tiny preset with its starting values.
fn embedder(folder: &Path) -> Result<Embedder<Flex>, Box<dyn Error>> {
    let lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "blue"];
    let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt")?;
    let config = CloverConfig::tiny(lines.len())
        .with_image_size(SIZE)
        .with_frames(FRAMES);
    let device = Default::default();
    Bundle::<Flex>::init(config, tokenizer, 8, &device).write(folder)?;
    Ok(Bundle::read(folder, &device)?.into_embedder(device))
}
