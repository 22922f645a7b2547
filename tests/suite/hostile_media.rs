//! Videos, animations and images cut anywhere and changed anywhere: an error or frames of the size
//! that was asked for, in bounded time and memory.

use std::fs;
use std::io::Cursor;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

use clover_data::video::{ClipSource, DecodeLimits};
use image::codecs::gif::GifEncoder;
use image::{Frame, ImageFormat, RgbImage, RgbaImage};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::small_run::is_alone;

/// Places a file is cut at.
const CUTS: usize = 200;
/// Bytes changed in each kind of file, one, two or three at a time.
const FLIPS: usize = 10_000;
/// What one of these small files may cost.
const MAX_SECONDS: u64 = 2;
/// The machine may have other things to do.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Pixels of the largest frame that is decoded.
const MAX_PIXELS: u64 = 1 << 20;
/// What the process may take in all, decoders' tables and this test's own copies included.
const MAX_RESIDENT_KIB: u64 = 400 << 10;

fn limits() -> DecodeLimits {
    DecodeLimits {
        max_pixels_per_frame: MAX_PIXELS,
        max_frames: 10_000,
        max_decoded_bytes: 32 << 20,
        max_seconds: MAX_SECONDS,
        ..DecodeLimits::default()
    }
}

/// Three frames of 8 x 6 pixels.
fn gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for level in [0, 100, 200] {
        let frame = RgbaImage::from_fn(8, 6, |x, y| {
            image::Rgba([x as u8 * 30, y as u8 * 40, level, 255])
        });
        encoder.encode_frame(Frame::new(frame)).unwrap();
    }
    drop(encoder);
    bytes
}

fn image(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    RgbImage::from_fn(16, 12, |x, y| image::Rgb([x as u8 * 15, y as u8 * 20, 9]))
        .write_to(&mut Cursor::new(&mut bytes), format)
        .unwrap();
    bytes
}

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("media");
    let video = |name: &'static str| (name, fs::read(media.join(name)).unwrap());
    vec![
        video("small.mp4"),
        video("cut.mp4"),
        video("hybrid.mp4"),
        video("fragmented.mp4"),
        video("small.mkv"),
        video("small.webm"),
        video("small.avi"),
        ("small.gif", gif()),
        ("small.png", image(ImageFormat::Png)),
        ("small.jpg", image(ImageFormat::Jpeg)),
        ("small.webp", image(ImageFormat::WebP)),
    ]
}

/// Decodes the first and the last frame; whether that worked.
fn decodes(name: &'static str, bytes: Vec<u8>, what: &str) -> bool {
    let started = Instant::now();
    let decoded = catch_unwind(|| {
        let source = ClipSource::Bytes {
            name: name.into(),
            bytes,
        };
        source.decode(&limits(), |frames| vec![0, frames - 1])
    });
    let took = started.elapsed();
    assert!(took < TIMEOUT, "{name}, {what}: {took:?}");
    match decoded {
        Ok(Ok(clip)) => {
            assert!((clip.width() * clip.height()) as u64 <= MAX_PIXELS);
            true
        }
        Ok(Err(error)) => {
            let message = error.to_string();
            assert!(message.contains(name), "{name}, {what}: {message}");
            false
        }
        Err(_) => panic!("{name}, {what}: a decoder panicked"),
    }
}

#[test]
fn a_file_cut_or_changed_anywhere_never_panics_hangs_or_takes_all_memory() {
    // In a process of its own: what others take must not count.
    if !is_alone(
        "hostile_media::a_file_cut_or_changed_anywhere_never_panics_hangs_or_takes_all_memory",
    ) {
        return;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for (name, whole) in samples() {
        let started = Instant::now();
        let builtin = name != "small.avi" || cfg!(feature = "ffmpeg");
        assert_eq!(decodes(name, whole.clone(), "whole"), builtin);
        for cut in 0..CUTS {
            let at = cut * whole.len() / CUTS;
            decodes(name, whole[..at].to_vec(), &format!("cut at {at}"));
        }
        let (mut flips, mut decoded, mut files) = (0, 0, 0);
        while flips < FLIPS {
            let mut changed = whole.clone();
            let mut places = Vec::new();
            for _ in 0..rng.random_range(1..=3) {
                let at = rng.random_range(0..changed.len());
                changed[at] ^= rng.random_range(1..=255_u8);
                places.push(at);
            }
            flips += places.len();
            files += 1;
            decoded += u32::from(decodes(name, changed, &format!("changed at {places:?}")));
        }
        println!(
            "{name}: {decoded} of {files} changed files still decode, {:.1} s",
            started.elapsed().as_secs_f64()
        );
    }
    if let Some(peak) = peak_resident_kib() {
        println!("peak memory {} MiB", peak >> 10);
        assert!(peak < MAX_RESIDENT_KIB, "{peak} KiB");
    }
}

/// Boxes of mp4 files that say where images lie and when they are shown.
const BOXES: [&[u8; 4]; 17] = [
    b"mvhd", b"mdhd", b"elst", b"stts", b"ctts", b"stsc", b"stsz", b"stco", b"trex", b"sidx",
    b"moof", b"mfhd", b"traf", b"tfhd", b"tfdt", b"trun", b"mfra",
];

#[test]
fn figures_of_mp4_boxes_taken_to_extremes_are_an_error_or_harmless() {
    if !is_alone("hostile_media::figures_of_mp4_boxes_taken_to_extremes_are_an_error_or_harmless") {
        return;
    }
    let videos = ["cut.mp4", "hybrid.mp4", "fragmented.mp4"];
    for (name, whole) in samples()
        .into_iter()
        .filter(|(name, _)| videos.contains(name))
    {
        let mut files = 0;
        for at in 4..whole.len() - 4 {
            if !BOXES.iter().any(|kind| whole[at..].starts_with(*kind)) {
                continue;
            }
            let start = at - 4;
            let size = u32::from_be_bytes(whole[start..at].try_into().unwrap()) as usize;
            // Of a box of boxes only its size, the others are looked at themselves.
            let end = start + size.min(160);
            // Every word of a box, and those that begin within one, but for its name.
            for word in
                (start..end.min(whole.len() - 3)).filter(|word| !(start + 1..at + 4).contains(word))
            {
                for extreme in [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
                    let mut changed = whole.clone();
                    changed[word..word + 4].copy_from_slice(&extreme.to_be_bytes());
                    decodes(name, changed, &format!("{extreme:x} at {word}"));
                    files += 1;
                }
            }
        }
        println!("{name}: {files} changed files");
        assert!(files > 1_000, "{name}: {files}");
    }
    if let Some(peak) = peak_resident_kib() {
        println!("peak memory {} MiB", peak >> 10);
        assert!(peak < MAX_RESIDENT_KIB, "{peak} KiB");
    }
}

/// The most memory this process ever held, where the system says.
fn peak_resident_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
