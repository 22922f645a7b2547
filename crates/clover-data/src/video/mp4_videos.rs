//! Videos with edit lists, written for these tests from the boxes of a small one.

use std::path::Path;
use std::time::Duration;

use mp4_atom::{Decode, Edts, Elst, ElstEntry, Encode, FixedPoint, Moov};

use super::{Clip, DecodeLimits, VideoDecoder, open_bytes};
use crate::DataError;

/// Frames of the video, of which the first is shown this long after it is decoded, and the length
/// of one, in the track's unit of 1/10240 s.
pub(super) const FRAMES: usize = 12;
const DELAY: u64 = 2048;
pub(super) const LENGTH: u64 = 1024;

fn small() -> Vec<u8> {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/media");
    std::fs::read(media.join("small.mp4")).unwrap()
}

/// The video without its last box, and that.
pub(super) fn parts() -> (Vec<u8>, Moov) {
    let mut video = small();
    let at = video.windows(4).position(|kind| kind == b"moov").unwrap() - 4;
    let moov = Moov::decode(&mut &video[at..]).unwrap();
    video.truncate(at);
    (video, moov)
}

pub(super) fn decoder(video: Vec<u8>) -> Result<Box<dyn VideoDecoder>, DataError> {
    open_bytes(video, Path::new("a.mp4"), &DecodeLimits::default())
}

fn whole(video: Vec<u8>) -> Clip {
    let mut decoder = decoder(video).unwrap();
    let all: Vec<usize> = (0..decoder.frame_count()).collect();
    decoder.decode(&all).unwrap()
}

/// The frames of the small video that another one shows, and when, in milliseconds.
pub(super) fn shown(video: Vec<u8>) -> (Vec<usize>, Vec<u128>) {
    let original = whole(small());
    let times = decoder(video.clone()).unwrap().times().unwrap();
    let clip = whole(video);
    let frame_of = |pixels: &[u8]| {
        let mut frames = 0..FRAMES;
        frames
            .find(|frame| original.frame(*frame) == pixels)
            .unwrap()
    };
    let frames = (0..clip.frames()).map(|frame| frame_of(clip.frame(frame)));
    (
        frames.collect(),
        times.iter().map(Duration::as_millis).collect(),
    )
}

/// A piece of `duration` milliseconds from a frame on, at a rate.
fn piece(duration: u64, frame: f64, rate: [i16; 2]) -> ElstEntry {
    ElstEntry {
        segment_duration: duration,
        media_time: Some(DELAY + (frame * LENGTH as f64) as u64),
        media_rate: FixedPoint::new(rate[0], rate[1]),
    }
}

pub(super) fn plain(duration: u64, frame: f64) -> ElstEntry {
    piece(duration, frame, [1, 0])
}

pub(super) fn empty(duration: u64) -> ElstEntry {
    ElstEntry {
        media_time: None,
        ..plain(duration, 0.0)
    }
}

pub(super) fn edits(entries: &[ElstEntry]) -> Option<Edts> {
    let entries = entries.to_vec();
    Some(Edts {
        elst: Some(Elst { entries }),
    })
}

fn edited(entries: &[ElstEntry]) -> Vec<u8> {
    let (mut video, mut moov) = parts();
    moov.trak[0].edts = edits(entries);
    moov.encode(&mut video).unwrap();
    video
}

#[test]
fn pieces_are_shown_one_after_the_other_as_ffmpeg_shows_them() {
    // Frames and times of the first six as FFmpeg 9.0 gives them.
    for (what, entries, frames, times) in [
        (
            "a cut",
            vec![plain(400, 8.0)],
            vec![8, 9, 10, 11],
            vec![0, 100, 200, 300],
        ),
        (
            "a cut within a frame",
            vec![plain(300, 3.5)],
            vec![4, 5, 6],
            vec![0, 100, 200],
        ),
        (
            "a delay",
            vec![empty(500), plain(200, 0.0)],
            vec![0, 1],
            vec![500, 600],
        ),
        (
            "two pieces",
            vec![plain(200, 7.0), plain(200, 1.0)],
            vec![7, 8, 1, 2],
            vec![0, 100, 200, 300],
        ),
        (
            "a repeat",
            vec![plain(200, 5.0); 2],
            vec![5, 6, 5, 6],
            vec![0, 100, 200, 300],
        ),
        (
            "a piece longer than the video",
            vec![plain(9_000, 10.0)],
            vec![10, 11],
            vec![0, 100],
        ),
        (
            "a gap",
            vec![plain(100, 2.0), empty(300), plain(100, 4.0)],
            vec![2, 4],
            vec![0, 400],
        ),
        (
            "to the end",
            vec![plain(0, 9.0)],
            vec![9, 10, 11],
            vec![0, 100, 200],
        ),
        (
            "twice as fast",
            vec![piece(200, 4.0, [2, 0])],
            vec![4, 5, 6, 7],
            vec![0, 50, 100, 150],
        ),
        (
            "half as fast",
            vec![piece(400, 4.0, [0, i16::MIN])],
            vec![4, 5],
            vec![0, 200],
        ),
        (
            "a dwell",
            vec![piece(500, 6.0, [0, 0]), plain(200, 6.0)],
            vec![6, 6, 7],
            vec![0, 500, 600],
        ),
        ("within a frame", vec![plain(40, 3.5)], vec![3], vec![0]),
    ] {
        assert_eq!(shown(edited(&entries)), (frames, times), "{what}");
    }
}

#[test]
fn the_length_of_a_video_is_what_is_shown_of_it() {
    let seconds = |entries: &[ElstEntry]| decoder(edited(entries)).unwrap().seconds().unwrap();

    for (entries, length) in [
        (vec![plain(1_200, 0.0)], 1.2),
        (vec![plain(400, 8.0)], 0.4),
        (vec![empty(500), plain(200, 0.0)], 0.7),
        (vec![plain(9_000, 10.0)], 0.2),
        (vec![plain(200, 7.0), piece(500, 1.0, [0, 0])], 0.7),
    ] {
        assert!((seconds(&entries) - length).abs() < 1e-9, "{entries:?}");
    }
}

#[test]
fn a_list_that_shows_nothing_is_an_error() {
    for entries in [vec![empty(500)], vec![plain(500, 40.0)]] {
        let clip = decoder(edited(&entries)).and_then(|mut decoder| decoder.decode(&[0]));

        let message = clip.unwrap_err().to_string();
        // FFmpeg has its own words.
        let ffmpeg = cfg!(feature = "ffmpeg");
        assert!(ffmpeg || message.ends_with("its edit list shows none of its frames"));
    }
}

#[test]
fn a_list_without_edits_shows_everything() {
    assert_eq!(shown(edited(&[])).0, (0..FRAMES).collect::<Vec<_>>());
}

#[test]
fn frames_repeated_without_end_are_refused() {
    let entries = vec![plain(1_200, 0.0); 100_000];

    let error = decoder(edited(&entries)).err().unwrap();

    assert!(matches!(error, DataError::OverLimit { .. }), "{error}");
}
