//! What is put under load: the service with the tiny preset and made-up rows.

use std::error::Error;
use std::path::Path;

use burn_flex::Flex;
use clover_data::text::Tokenizer;
use clover_inference::{Bundle, ClipKey, IndexSettings, IndexWriter, LibrarySource};
use clover_model::CloverConfig;
use clover_server::{Server, ServerConfig};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Clips that are written together, and the windows of each.
const WRITTEN_TOGETHER: usize = 10_000;
const WINDOWS: usize = 10;

/// Writes a bundle and an index of so many rows; returns their width.
pub(crate) fn prepare(folder: &Path, rows: usize) -> Result<usize, Box<dyn Error>> {
    let bundle = folder.join("bundle");
    write_tiny_bundle(&bundle)?;
    let videos = folder.join("videos");
    std::fs::create_dir(&videos)?;
    let mut settings = IndexSettings::of_bundle(&bundle)?;
    settings.sources.push(LibrarySource::of(&videos));
    let mut writer = IndexWriter::open(&folder.join("index"), &settings)?;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let clips: Vec<usize> = (0..rows / WINDOWS).collect();
    for some in clips.chunks(WRITTEN_TOGETHER) {
        let some = some.iter().map(|clip| {
            let key = ClipKey {
                source: 0,
                path: format!("{clip}.mp4"),
                span_ms: None,
            };
            let windows = (0..WINDOWS as u32).map(|window| {
                let start = 4_000 * window;
                ([start, start + 8_000], unit_row(settings.dim, &mut rng))
            });
            (key, windows.collect())
        });
        writer.insert(some.collect())?;
    }
    Ok(settings.dim)
}

fn write_tiny_bundle(folder: &Path) -> Result<(), Box<dyn Error>> {
    let lines = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "blue", "circle", "square", "moves",
        "left", "right", "grows",
    ];
    let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt")?;
    let config = CloverConfig::tiny(lines.len())
        .with_image_size(56)
        .with_frames(4);
    let bundle = Bundle::<Flex>::init(config, tokenizer, 12, &Default::default());
    bundle.write(folder)?;
    Ok(())
}

fn unit_row(dim: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let row: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    row.into_iter().map(|value| value / length).collect()
}

/// The service itself, in a process of its own, until that is ended.
pub(crate) fn serve(folder: &Path) -> Result<(), Box<dyn Error>> {
    let config = ServerConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        ..ServerConfig::default()
    };
    let server = Server::open::<Flex>(&folder.join("index"), &config, Default::default())?;
    println!("listening on {}", server.address());
    server.run(&|| false)?;
    Ok(())
}
