//! Small videos in every container that is read, drawn for these tests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{
    Clip, ClipSource, DecodeLimits, FrameSelection, PixelPipeline, Span, decode_clip, open,
};

/// Frames, columns and rows of most of them.
const FRAMES: usize = 12;
const SIZE: [usize; 2] = [64, 48];

fn video(name: &str) -> PathBuf {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/media");
    media.join(name)
}

fn whole(name: &str) -> Clip {
    decode_clip(&video(name), &DecodeLimits::default(), |frames| {
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
fn every_container_shows_the_same_video() {
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
fn single_frames_are_those_of_the_whole_video() {
    let mut names = vec!["small.mp4", "small.mkv", "small.webm"];
    if cfg!(feature = "ffmpeg") {
        names.extend(["small.avi", "hevc-10bit.mp4"]);
    }
    for name in names {
        let all = whole(name);
        for frame in [0, 3, 5, 6, 7, 11] {
            let one = decode_clip(&video(name), &DecodeLimits::default(), |_| vec![frame]).unwrap();

            assert!(one.pixels() == all.frame(frame), "{name}: frame {frame}");
        }
    }
}

#[test]
fn a_video_in_fragments_is_the_same_video() {
    let mp4 = whole("small.mp4");

    for name in ["fragmented.mp4", "hybrid.mp4"] {
        assert!(whole(name) == mp4, "{name}");
    }
}

#[test]
fn what_an_edit_list_hides_is_decoded_and_not_shown() {
    let mp4 = whole("small.mp4");

    let cut = whole("cut.mp4");

    let found: Vec<&[u8]> = (0..cut.frames()).map(|frame| cut.frame(frame)).collect();
    let wanted: Vec<&[u8]> = (8..FRAMES).map(|frame| mp4.frame(frame)).collect();
    assert!(found == wanted);
}

#[test]
fn frames_say_when_they_are_shown_in_every_container() {
    let mut videos = vec![
        ("small.mp4", FRAMES),
        ("small.mkv", FRAMES),
        ("small.webm", FRAMES),
        ("fragmented.mp4", FRAMES),
        ("hybrid.mp4", FRAMES),
        ("cut.mp4", 4),
    ];
    if cfg!(feature = "ffmpeg") {
        videos.extend([("small.avi", FRAMES), ("hevc-10bit.mp4", FRAMES)]);
    }
    for (name, frames) in videos {
        let video = open(&video(name), &DecodeLimits::default()).unwrap();
        let length = video.seconds().unwrap();

        let times = video.times().unwrap();

        let milliseconds: Vec<u128> = times.iter().map(Duration::as_millis).collect();
        let wanted: Vec<u128> = (0..frames as u128).map(|frame| 100 * frame).collect();
        assert_eq!(milliseconds, wanted, "{name}");
        assert!(
            (length - 0.1 * frames as f64).abs() < 0.01,
            "{name}: {length}"
        );
    }
}

#[test]
fn a_span_is_the_frames_that_appear_within_it() {
    let all = whole("small.mp4");
    let selected = |start, end, fps| {
        let source = ClipSource::Path(video("small.mp4"));
        let span = Some(Span::new(start, end).unwrap());
        let selection = FrameSelection { span, fps };
        let limits = DecodeLimits::default();
        source.decode_selected(&limits, &selection, |frames| (0..frames).collect())
    };

    let cut = selected(300, 500, None).unwrap();
    let faster = selected(250, 500, Some(20.0)).unwrap();
    let error = selected(2_000, 3_000, None).unwrap_err();

    assert_eq!(cut.pixels(), [all.frame(3), all.frame(4)].concat());
    let wanted = [2, 3, 3, 4, 4].map(|frame| all.frame(frame)).concat();
    assert_eq!(faster.pixels(), wanted);
    assert!(
        error
            .to_string()
            .ends_with("small.mp4: the span cannot be taken")
    );
}

#[test]
fn pixels_twice_as_wide_as_high_make_a_wide_image() {
    let video = open(&video("wide-pixels.mp4"), &DecodeLimits::default()).unwrap();

    assert_eq!((video.size(), video.frame_count()), ([96, 48], 4));
}

/// What the quarters of the videos in `quarters/` are drawn in, row by row.
const QUARTERS: [[u8; 3]; 4] = [[200, 40, 40], [40, 180, 60], [50, 60, 210], [210, 190, 40]];

/// The largest difference of the middles of the quarters from what was drawn.
fn off(clip: &Clip) -> u8 {
    let mut worst = 0;
    for frame in 0..clip.frames() {
        for (quarter, drawn) in QUARTERS.iter().enumerate() {
            let row = clip.height() * (1 + 2 * (quarter / 2)) / 4;
            let column = clip.width() * (1 + 2 * (quarter % 2)) / 4;
            let at = (row * clip.width() + column) * 3;
            let found = &clip.frame(frame)[at..at + 3];
            for (found, drawn) in found.iter().zip(drawn) {
                worst = worst.max(found.abs_diff(*drawn));
            }
        }
    }
    worst
}

#[test]
fn colours_are_those_that_were_drawn_whatever_the_matrix_range_and_chroma() {
    let mut names = vec![
        "h264-422.mp4",
        "h264-bt2020-10bit.mp4",
        "h264-colour.mkv",
        "h264-colr.mp4",
        "h264-smpte240m-full.mp4",
        "vp9-444-smpte240m.webm",
        "vp9-bt2020-10bit.webm",
        "vp9-full.webm",
        "vp9-rgb.webm",
    ];
    if cfg!(feature = "ffmpeg") {
        names.extend([
            "h264-444-full.mp4",
            "h264-444-lossless.mp4",
            "h264-lossless.mp4",
            "h264-rgb.mp4",
        ]);
    }
    for name in names {
        let clip = whole(&format!("quarters/{name}"));

        assert_eq!([clip.frames(), clip.height(), clip.width()], [2, 48, 64]);
        assert!(off(&clip) <= 3, "{name}: {}", off(&clip));
    }
}

#[test]
#[cfg(not(feature = "ffmpeg"))]
fn what_only_ffmpeg_knows_is_refused_with_the_way_to_have_it() {
    for (name, what) in [
        ("quarters/h264-444-full.mp4", "4:4:4 chroma"),
        ("quarters/h264-444-lossless.mp4", "4:4:4 chroma"),
        (
            "quarters/h264-lossless.mp4",
            "4:2:0 chroma, unsupported: lossless",
        ),
        ("quarters/h264-rgb.mp4", "RGB (4:4:4 chroma)"),
        ("hevc-10bit.mp4", "H.265"),
        ("small.avi", "AVI"),
    ] {
        let error = decode_clip(&video(name), &DecodeLimits::default(), |_| vec![0])
            .unwrap_err()
            .to_string();

        for said in [name, what, "cargo build --release --features ffmpeg"] {
            assert!(error.contains(said), "{error}");
        }
    }
}

#[test]
fn a_grey_video_with_odd_sides_is_grey() {
    let clip = whole("odd-grey.mp4");

    assert_eq!([clip.height(), clip.width()], [47, 63]);
    // What FFmpeg shows in the middles of the quarters.
    for (at, level) in [(12, 16), (12, 48), (36, 16), (36, 48)]
        .into_iter()
        .zip([88_u8, 124, 74, 179])
    {
        let start = (at.0 * 63 + at.1) * 3;
        let pixel = &clip.frame(0)[start..start + 3];
        assert!(
            pixel.iter().all(|found| found.abs_diff(level) <= 1),
            "{pixel:?} {level}"
        );
    }
}

#[test]
fn a_clip_read_frame_by_frame_is_the_clip_prepared_whole() {
    for name in ["small.mp4", "small.webm", "wide-pixels.mp4"] {
        for pipeline in [
            PixelPipeline::train_video(28),
            PixelPipeline::train_image(28).with_flip(0.5),
            PixelPipeline::test_center_crop(28),
            PixelPipeline::test_resize(28),
        ] {
            let mut video = open(&video(name), &DecodeLimits::default()).unwrap();
            let indices = [3, 0, 3, 2];
            let clip = video.decode(&indices).unwrap();
            let expected = pipeline.apply(&clip, &mut ChaCha8Rng::seed_from_u64(5));

            let mut rng = ChaCha8Rng::seed_from_u64(5);
            let read = pipeline.read(video.as_mut(), &indices, &mut rng).unwrap();

            assert!(read == expected, "{name} {pipeline:?}");
        }
    }
}
