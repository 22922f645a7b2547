//! Reads every clip of a folder on one thread and says how many a second that makes.
//!
//! `cargo run --release -p clover-data --example clips_per_second -- FOLDER [ROUNDS]`: eight frames
//! of each video or of each sample of its shards, shorter side to 224, the middle 224 x 224,
//! normalised: `[3, 8, 224, 224]`.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clover_data::dataset::{ClipTable, ShardOptions, ShardSet};
use clover_data::video::{ClipSource, DecodeLimits, FrameSampling, PixelPipeline};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The clips of a folder: videos, or samples of shards.
enum Clips {
    Videos(Vec<PathBuf>),
    Samples(ClipTable),
}

impl Clips {
    fn find(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let files = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
        let mut files: Vec<PathBuf> = files.collect::<Result<_, _>>()?;
        files.sort();
        let extension = |file: &PathBuf, wanted| file.extension().is_some_and(|end| end == wanted);
        if files.iter().any(|file| extension(file, "tar")) {
            let options = ShardOptions::default();
            let shards = ShardSet::open(&[folder.to_path_buf()], &options, &|_, _| ())?;
            return Ok(Self::Samples(shards.into()));
        }
        files.retain(|file| extension(file, "mp4"));
        Ok(Self::Videos(files))
    }

    fn len(&self) -> usize {
        match self {
            Self::Videos(files) => files.len(),
            Self::Samples(samples) => samples.len(),
        }
    }

    fn open(&self, index: usize) -> Result<ClipSource, Box<dyn Error>> {
        Ok(match self {
            Self::Videos(files) => ClipSource::Path(files[index].clone()),
            Self::Samples(samples) => samples.read(index)?.clip,
        })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let rounds: usize = match arguments.next() {
        Some(rounds) => rounds.to_string_lossy().parse()?,
        None => 1,
    };
    let clips = Clips::find(&folder)?;

    let sampling = FrameSampling::test_frames(8);
    let pixels = PixelPipeline::test_center_crop(224);
    let limits = DecodeLimits::default();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let started = Instant::now();
    let mut sum = 0.0;
    for index in (0..rounds).flat_map(|_| 0..clips.len()) {
        let mut video = clips.open(index)?.open(&limits)?;
        let indices = sampling.test(video.frame_count());
        let clip = pixels.read(video.as_mut(), &indices, &mut rng)?;
        sum += f64::from(clip.values()[0]);
    }
    let clips = rounds * clips.len();
    let seconds = started.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout(),
        "{clips} clips in {seconds:.2} s: {:.2} clips/s ({sum:.3})",
        clips as f64 / seconds
    )?;
    Ok(())
}
