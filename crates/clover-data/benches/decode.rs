//! How fast clips are read: eight frames of a video, down to the numbers a model sees.
//!
//! `cargo bench -p clover-data --bench decode`; the H.264 figures need the folder of test videos
//! beside the checkout, the GIF is rendered here.

use std::path::{Path, PathBuf};

use clover_data::video::{DecodeLimits, FrameSampling, PixelPipeline, open};
use divan::Bencher;
use divan::counter::ItemsCount;
use image::codecs::gif::GifEncoder;
use image::{Frame, RgbaImage};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn main() {
    divan::main();
}

/// Reads eight frames in the middle of equal stretches, as evaluation does.
fn read_clips(bencher: Bencher<'_, '_>, path: &Path) {
    let limits = DecodeLimits::default();
    let sampling = FrameSampling::test_frames(8);
    let pixels = PixelPipeline::test_center_crop(224);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        let mut video = open(path, &limits)?;
        let indices = sampling.test(video.frame_count());
        pixels.read(video.as_mut(), &indices, &mut rng)
    });
}

fn test_video(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/videos");
    Some(folder.join(name)).filter(|path| path.is_file())
}

#[divan::bench(args = ["mmaction2__demo.mp4", "torchcodec__nasa_13013.mp4"])]
fn h264_clip(bencher: Bencher<'_, '_>, name: &str) {
    if let Some(path) = test_video(name) {
        read_clips(bencher, &path);
    }
}

#[divan::bench]
fn gif_clip(bencher: Bencher<'_, '_>) {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for frame in 0..40_u8 {
        let image = RgbaImage::from_fn(240, 180, |x, y| {
            image::Rgba([x as u8, y as u8, frame * 6, 255])
        });
        let encoded = encoder.encode_frame(Frame::new(image));
        assert!(encoded.is_ok(), "the GIF cannot be rendered");
    }
    drop(encoder);
    let file = tempfile::NamedTempFile::new();
    assert!(file.is_ok(), "no temporary file");
    if let Ok(file) = file {
        let written = std::fs::write(file.path(), &bytes);
        assert!(written.is_ok(), "the GIF cannot be written");
        read_clips(bencher, file.path());
    }
}
