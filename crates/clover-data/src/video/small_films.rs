//! Small films in every container that is read, drawn for these tests.

use std::path::{Path, PathBuf};

use super::{Clip, DecodeLimits, decode_clip, open};

/// Frames, columns and rows of most of them.
const FRAMES: usize = 12;
const SIZE: [usize; 2] = [64, 48];

fn film(name: &str) -> PathBuf {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/media");
    media.join(name)
}

fn whole(name: &str) -> Clip {
    decode_clip(&film(name), &DecodeLimits::default(), |frames| {
        (0..frames).collect()
    })
    .unwrap()
}

/// The largest mean difference of two clips' frames.
fn difference(a: &Clip, b: &Clip) -> f64 {
    let frames = (0..a.frames()).map(|frame| {
        let pairs = a.frame(frame).iter().zip(b.frame(frame));
        let sum: f64 = pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
        sum / a.frame(frame).len() as f64
    });
    frames.fold(0.0, f64::max)
}

#[test]
fn every_container_shows_the_same_film() {
    let mp4 = whole("small.mp4");
    assert_eq!(
        (mp4.frames(), mp4.width(), mp4.height()),
        (FRAMES, SIZE[0], SIZE[1])
    );

    let mut names = vec!["small.mkv", "small.webm"];
    if cfg!(feature = "ffmpeg") {
        names.extend(["small.avi", "hevc-10bit.mp4"]);
    }
    for name in names {
        let other = whole(name);

        assert_eq!(
            (other.frames(), other.width(), other.height()),
            (FRAMES, SIZE[0], SIZE[1])
        );
        // Lossy in different ways; frames of another time differ by more than 20.
        let found = difference(&mp4, &other);
        assert!(found < 12.0, "{name}: {found}");
    }
}

#[test]
fn single_frames_are_those_of_the_whole_film() {
    let mut names = vec!["small.mp4", "small.mkv", "small.webm"];
    if cfg!(feature = "ffmpeg") {
        names.extend(["small.avi", "hevc-10bit.mp4"]);
    }
    for name in names {
        let all = whole(name);
        for frame in [0, 3, 5, 6, 7, 11] {
            let one = decode_clip(&film(name), &DecodeLimits::default(), |_| vec![frame]).unwrap();

            assert!(one.pixels() == all.frame(frame), "{name}: frame {frame}");
        }
    }
}

#[test]
fn pixels_twice_as_wide_as_high_make_a_wide_picture() {
    let video = open(&film("wide-pixels.mp4"), &DecodeLimits::default()).unwrap();

    assert_eq!((video.size(), video.frame_count()), ([96, 48], 4));
}

#[test]
fn a_film_says_how_long_it_is() {
    for name in ["small.mp4", "small.mkv", "small.webm"] {
        let video = open(&film(name), &DecodeLimits::default()).unwrap();

        let seconds = video.seconds().unwrap();
        assert!((seconds - 1.2).abs() < 0.01, "{name}: {seconds}");
    }
}
