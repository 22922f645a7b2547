//! Reads every video of a folder on one thread and says how many clips a second that makes.
//!
//! `cargo run --release -p clover-data --example clips_per_second -- FOLDER [ROUNDS]`: eight frames
//! of each file, shorter side to 224, the middle 224 x 224, normalised: `[3, 8, 224, 224]`.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use clover_data::video::{DecodeLimits, FrameSampling, PixelPipeline, decode_clip};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let rounds: usize = match arguments.next() {
        Some(rounds) => rounds.to_string_lossy().parse()?,
        None => 1,
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "mp4"));
    files.sort();

    let sampling = FrameSampling::test_frames(8);
    let pixels = PixelPipeline::test_center_crop(224);
    let limits = DecodeLimits::default();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let started = Instant::now();
    let mut sum = 0.0;
    let (mut decoding, mut preparing) = (0.0, 0.0);
    for _ in 0..rounds {
        for file in &files {
            let began = Instant::now();
            let clip = decode_clip(file, &limits, |frames| sampling.test(frames))?;
            decoding += began.elapsed().as_secs_f64();
            let began = Instant::now();
            let clip = pixels.apply(&clip, &mut rng);
            preparing += began.elapsed().as_secs_f64();
            sum += f64::from(clip.values()[0]);
        }
    }
    let clips = rounds * files.len();
    let seconds = started.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout(),
        "{clips} clips in {seconds:.2} s: {:.2} clips/s ({decoding:.2} {preparing:.2} {sum:.3})",
        clips as f64 / seconds
    )?;
    Ok(())
}
