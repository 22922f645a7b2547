//! Real videos against what another decoder says of them, where the folder of test videos is there.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Clip, DecodeLimits, decode_clip, open};
use crate::DataError;

/// The folder of test videos, or a loud note that it is missing.
fn videos() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/videos");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no test videos in {}", folder.display());
        return None;
    }
    Some(folder)
}

fn mean_rgb(clip: &Clip, frame: usize) -> [f64; 3] {
    let mut sums = [0_u64; 3];
    for pixel in clip.frame(frame).chunks_exact(3) {
        for (sum, value) in sums.iter_mut().zip(pixel) {
            *sum += u64::from(*value);
        }
    }
    sums.map(|sum| sum as f64 / (clip.height() * clip.width()) as f64)
}

/// Compares the first, middle and last frame with the mean colours the reference decoder found.
fn agrees(folder: &Path, name: &str, size: [usize; 2]) {
    let text = std::fs::read_to_string(folder.join("reference.json")).unwrap();
    let reference: serde_json::Value = serde_json::from_str(&text).unwrap();
    let facts = &reference[name];
    let frames = facts["decoded_frames"].as_u64().unwrap() as usize;
    let mut video = open(&folder.join(name), &DecodeLimits::default()).unwrap();
    assert_eq!(
        (video.frame_count(), video.size()),
        (frames, size),
        "{name}"
    );

    let clip = video.decode(&[0, frames / 2, frames - 1]).unwrap();

    for (frame, key) in ["first", "middle", "last"].into_iter().enumerate() {
        let found = mean_rgb(&clip, frame);
        for (channel, found) in found.into_iter().enumerate() {
            let wanted = facts["mean_rgb"][key][channel].as_f64().unwrap();
            // Colour conversion differs by library; a wrong frame differs by far more.
            assert!(
                (found - wanted).abs() < 2.0,
                "{name} {key}: {found} {wanted}"
            );
        }
    }
}

#[test]
fn frames_agree_with_another_decoder() {
    let Some(folder) = videos() else { return };

    for (name, size) in [
        // Stored as 340 x 256, shown with pixels of 64 : 51.
        ("mmaction2__demo.mp4", [427, 256]),
        ("mmaction2__spatio-temporal-det.gif", [658, 252]),
        ("mp4parse__white.mp4", [320, 240]),
        // Held upright by a quarter turn.
        ("mp4parse__video_rotation_90.mp4", [60, 100]),
        // The second decoder's: ten bits.
        ("torchcodec__h264_10bits.mp4", [200, 200]),
        // Two streams, the larger one is decoded.
        ("torchcodec__nasa_13013.mp4", [480, 270]),
        // The container does not say how many frames it holds.
        ("decord__flipping_a_pancake.mkv", [426, 240]),
        ("libwebm__bbb_480p_vp9_opus_1second.webm", [854, 480]),
    ] {
        agrees(&folder, name, size);
    }
    if cfg!(feature = "ffmpeg") {
        agrees(&folder, "mmaction2__test.avi", [320, 240]);
    }
}

#[test]
fn jumping_and_dropping_yields_the_frames_of_plain_decoding() {
    let Some(folder) = videos() else { return };
    let limits = DecodeLimits::default();

    for name in [
        "mmaction2__demo.mp4",
        "torchcodec__nasa_13013.mp4",
        "decord__flipping_a_pancake.mkv",
    ] {
        let mut video = open(&folder.join(name), &limits).unwrap();
        let all: Vec<usize> = (0..video.frame_count()).collect();
        let whole = video.decode(&all).unwrap();
        let chosen = [all.len() - 1, 3, 77, 78, 120, 120];

        let clip = video.decode(&chosen).unwrap();

        for (place, frame) in chosen.into_iter().enumerate() {
            assert!(
                clip.frame(place) == whole.frame(frame),
                "{name}: frame {frame}"
            );
        }
    }
}

#[test]
fn a_damaged_picture_is_an_error_and_those_before_it_are_not() {
    let Some(folder) = videos() else { return };
    let path = folder.join("decord__corrupted.mp4");
    let limits = DecodeLimits::default();

    let error = decode_clip(&path, &limits, |frames| vec![0, frames - 1]).unwrap_err();

    assert!(matches!(error, DataError::Frame { .. }), "{error}");
    assert_eq!(
        decode_clip(&path, &limits, |_| vec![0, 20])
            .unwrap()
            .frames(),
        2
    );
}

#[test]
fn changed_bytes_are_mostly_noticed_and_never_panic() {
    let Some(folder) = videos() else { return };
    let copy = tempfile::NamedTempFile::new().unwrap();
    let limits = DecodeLimits::default();

    // Ten bits are the second decoder's, which forgives everything when it is left alone.
    for name in ["mmaction2__demo.mp4", "torchcodec__h264_10bits.mp4"] {
        let whole = std::fs::read(folder.join(name)).unwrap();
        let choose = |frames: usize| vec![frames / 3];
        let clip = decode_clip(&folder.join(name), &limits, choose).unwrap();
        let (mut noticed, mut overlooked) = (0, 0);
        for round in 0..40 {
            let mut changed = whole.clone();
            for step in 0..8 {
                let place = 3_000 + (round * 7_919 + step * 104_729) % (whole.len() - 6_000);
                changed[place] ^= 0x5c;
            }
            std::fs::write(copy.path(), changed).unwrap();
            match decode_clip(copy.path(), &limits, choose) {
                Err(_) => noticed += 1,
                Ok(found) => overlooked += usize::from(found != clip),
            }
        }
        eprintln!("{name}: {noticed} of 40 changed files refused, {overlooked} overlooked");
        assert!(noticed > overlooked, "{name}: {noticed} {overlooked}");
    }
}

#[test]
fn what_cannot_be_decoded_is_refused_at_once_and_by_name() {
    let Some(folder) = videos() else { return };

    let mut names = vec![
        "decoder_hang.mp4",
        "libwebm__invalid_vp9_bitstream-bug_1416.webm",
        "reference.json",
    ];
    if !cfg!(feature = "ffmpeg") {
        names.push("mmaction2__test.avi");
    }
    for name in names {
        let started = Instant::now();

        let error = decode_clip(&folder.join(name), &DecodeLimits::default(), |_| vec![0])
            .unwrap_err()
            .to_string();

        assert!(error.contains(name), "{error}");
        assert!(started.elapsed() < Duration::from_secs(2), "{error}");
    }
}

#[test]
fn a_video_cut_anywhere_is_an_error() {
    let Some(folder) = videos() else { return };
    let whole = std::fs::read(folder.join("mmaction2__demo.mp4")).unwrap();
    let cut = tempfile::NamedTempFile::new().unwrap();

    for share in [1, 2, 5, 9] {
        std::fs::write(cut.path(), &whole[..whole.len() * share / 10]).unwrap();

        let opened = open(cut.path(), &DecodeLimits::default());

        let error = opened.err().unwrap().to_string();
        let ffmpeg = cfg!(feature = "ffmpeg");
        assert!(ffmpeg || error.contains("cut short"), "{error}");
    }
}
