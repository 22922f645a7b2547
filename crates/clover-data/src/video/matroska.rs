//! The video track of a Matroska or WebM file.
//!
//! The container says nowhere how many pictures it holds, so all of them are read, and held in
//! memory as they are coded.

use std::path::Path;
use std::time::Duration;

use matroska_demuxer::{
    ContentCompAlgo, ContentEncodingValue, DemuxError, Frame, MatrixCoefficients, MatroskaFile,
    Range, TrackEntry, TrackType,
};
use mp4_atom::{Atom, Avcc};

use super::DecodeLimits;
use super::decoder::VideoDecoder;
use super::h264::H264Video;
use super::limits::{Deadline, at_most};
use super::media::Media;
use super::mp4::VideoTrack;
use super::pixel_aspect::PixelAspect;
use super::rotation::Rotation;
use super::sample_table::{Sample, SampleTable};
use super::vp9::Vp9Video;
use super::yuv::{ContainerColour, Matrix};
use crate::DataError;
use crate::catch_panic;

/// The coded pictures of a track, one after the other.
#[derive(Debug)]
pub(super) struct CodedPictures {
    pub(super) bytes: Vec<u8>,
    pub(super) samples: Vec<Sample>,
    /// When each is shown, counted from the first.
    pub(super) times: Vec<Duration>,
    /// Whether decoding can begin at each; `None` where the file does not say.
    keys: Vec<Option<bool>>,
    /// From the first picture shown to the end of the last.
    pub(super) seconds: Option<f64>,
}

/// Opens the video of a Matroska file.
pub(super) fn open(
    media: Media,
    path: &Path,
    limits: &DecodeLimits,
) -> Result<Box<dyn VideoDecoder>, DataError> {
    let deadline = limits.start();
    let mut file = MatroskaFile::open(media).map_err(|source| unreadable(path, source))?;
    let track = best_track(file.tracks(), path)?.clone();
    let (aspect, colour) = (pixel_aspect(&track), colour(&track));
    let pictures = read_pictures(&mut file, &track, path, limits, deadline)?;
    match track.codec_id() {
        "V_VP9" => Ok(Box::new(Vp9Video::open(pictures, aspect, path, limits)?)),
        "V_MPEG4/ISO/AVC" => {
            let private = track.codec_private().unwrap_or_default();
            let parameters = Avcc::decode_body(&mut &private[..])
                .map_err(|_| broken(path, "it lacks the parameters of its frames"))?;
            let table = SampleTable::of_coded(
                pictures.samples,
                &pictures.times,
                pictures
                    .keys
                    .iter()
                    .map(|key| key.unwrap_or(true))
                    .collect(),
                pictures.seconds,
            );
            let track = VideoTrack {
                colour,
                ..VideoTrack::new(table, &parameters, Rotation::None, aspect)
            };
            let media = Media::from(pictures.bytes);
            Ok(Box::new(H264Video::of_track(media, track, path, limits)?))
        }
        codec => Err(DataError::UnknownCodec {
            path: path.to_path_buf(),
            codec: codec.to_owned(),
        }),
    }
}

/// The video track with the most pixels.
fn best_track<'a>(tracks: &'a [TrackEntry], path: &Path) -> Result<&'a TrackEntry, DataError> {
    let pixels = |track: &TrackEntry| {
        track.video().map_or(0, |video| {
            let (width, height) = (video.pixel_width().get(), video.pixel_height().get());
            width.saturating_mul(height)
        })
    };
    let mut best: Option<&TrackEntry> = None;
    for track in tracks {
        let larger = best.is_none_or(|best| pixels(track) > pixels(best));
        if track.track_type() == TrackType::Video && larger {
            best = Some(track);
        }
    }
    best.ok_or_else(|| broken(path, "it has no video"))
}

/// Pixels are not square where the size to show has another shape than the size stored.
fn pixel_aspect(track: &TrackEntry) -> PixelAspect {
    let Some(video) = track.video() else {
        return PixelAspect::SQUARE;
    };
    let shown = video.display_width().zip(video.display_height());
    let ratio = shown.and_then(|(width, height)| {
        let across = width.get().checked_mul(video.pixel_height().get())?;
        let down = height.get().checked_mul(video.pixel_width().get())?;
        let divisor = greatest_common_divisor(across, down);
        let part = |part: u64| u32::try_from(part / divisor).ok();
        Some([part(across)?, part(down)?])
    });
    PixelAspect::of(ratio)
}

fn colour(track: &TrackEntry) -> ContainerColour {
    let colour = track.video().and_then(|video| video.colour());
    let matrix = colour.and_then(|colour| colour.matrix_coefficients());
    let range = colour.and_then(|colour| colour.range());
    ContainerColour {
        matrix: matrix.map(|matrix| match matrix {
            MatrixCoefficients::Identity => Matrix::Identity,
            MatrixCoefficients::Bt709 => Matrix::Bt709,
            MatrixCoefficients::Fcc73682 => Matrix::Fcc,
            MatrixCoefficients::Smpte240 => Matrix::Smpte240m,
            MatrixCoefficients::YCoCg => Matrix::YCgCo,
            MatrixCoefficients::Bt2020Ncl | MatrixCoefficients::Bt2020Cl => Matrix::Bt2020,
            _ => Matrix::Bt601,
        }),
        full_range: range.map(|range| range == Range::Full),
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn read_pictures(
    file: &mut MatroskaFile<Media>,
    track: &TrackEntry,
    path: &Path,
    limits: &DecodeLimits,
    deadline: Deadline,
) -> Result<CodedPictures, DataError> {
    let number = track.track_number().get();
    let stripped = stripped_header(track, path)?;
    let mut pictures = CodedPictures {
        bytes: Vec::new(),
        samples: Vec::new(),
        times: Vec::new(),
        keys: Vec::new(),
        seconds: None,
    };
    let mut times = Vec::new();
    let mut frame = Frame::default();
    while next_frame(file, &mut frame, path)? {
        deadline.check(path)?;
        if frame.track != number || frame.data.is_empty() {
            continue;
        }
        let size = (stripped.len() + frame.data.len()) as u64;
        let held = "the size of the coded frames in bytes, held in memory";
        let bytes = pictures.bytes.len() as u64;
        at_most(
            path,
            held,
            bytes + size,
            limits.max_decoded_bytes.min(u32::MAX.into()),
        )?;
        let count = pictures.samples.len() as u64 + 1;
        at_most(path, "the number of frames", count, limits.max_frames)?;
        pictures.samples.push(Sample {
            offset: bytes,
            size: size as u32,
        });
        pictures.bytes.extend_from_slice(stripped);
        pictures.bytes.append(&mut frame.data);
        times.push(frame.timestamp);
        pictures.keys.push(frame.is_keyframe);
    }
    limits.check_frames(path, pictures.samples.len())?;
    let first = times.iter().copied().min().unwrap_or(0);
    let nanoseconds = file.info().timestamp_scale().get();
    pictures.times.extend(times.into_iter().map(|time: u64| {
        let time = (time - first).saturating_mul(nanoseconds);
        Duration::from_nanos(time)
    }));
    pictures.seconds = seconds(&pictures.times);
    Ok(pictures)
}

/// Reads the next frame of any track, if there is one.
fn next_frame(
    file: &mut MatroskaFile<Media>,
    frame: &mut Frame,
    path: &Path,
) -> Result<bool, DataError> {
    // The demuxer negates times that have no opposite; a panic costs this file only.
    match catch_panic(|| file.next_frame(frame)) {
        Ok(read) => read.map_err(|source| unreadable(path, source)),
        Err(_) => Err(broken(path, "a frame's time is impossible")),
    }
}

/// The time between the first and the last picture, and one picture's share more.
fn seconds(times: &[Duration]) -> Option<f64> {
    let between = times.iter().max()?.as_secs_f64();
    let steps = times.len().checked_sub(1).filter(|steps| *steps > 0)? as f64;
    Some(between * (steps + 1.0) / steps)
}

/// The first bytes of all pictures, where the file stores them once.
fn stripped_header<'a>(track: &'a TrackEntry, path: &Path) -> Result<&'a [u8], DataError> {
    match track.content_encodings() {
        None | Some([]) => Ok(&[]),
        Some([encoding]) => match encoding.encoding() {
            ContentEncodingValue::Compression(compression)
                if compression.algo() == ContentCompAlgo::Stripping =>
            {
                Ok(compression.settings().unwrap_or_default())
            }
            _ => Err(broken(path, "its video is compressed twice or encrypted")),
        },
        Some(_) => Err(broken(path, "its video is compressed twice or encrypted")),
    }
}

fn broken(path: &Path, fault: &'static str) -> DataError {
    DataError::BrokenVideo {
        path: path.to_path_buf(),
        fault,
    }
}

fn unreadable(path: &Path, source: DemuxError) -> DataError {
    DataError::Matroska {
        path: path.to_path_buf(),
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_header_alone_is_an_error_that_names_it() {
        let media = Media::from(b"\x1a\x45\xdf\xa3\x80".to_vec());

        let error = open(media, Path::new("a.webm"), &DecodeLimits::default())
            .err()
            .unwrap();

        assert!(error.to_string().starts_with("a.webm: "), "{error}");
    }

    #[test]
    fn a_time_without_an_opposite_is_an_error() {
        let video = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/media/small.mkv");
        let mut bytes = std::fs::read(video).unwrap();
        // The second block: its kind, its size, its track, and 400 ms since its cluster began.
        let block = b"\xa3\xb2\x81\x01\x90";
        let at = bytes.windows(5).position(|found| found == block).unwrap();
        bytes[at + 3..at + 5].copy_from_slice(&i16::MIN.to_be_bytes());

        let opened = open(
            Media::from(bytes),
            Path::new("a.mkv"),
            &DecodeLimits::default(),
        );

        // Where sums are checked the demuxer panics, elsewhere it notices.
        assert!(opened.err().unwrap().to_string().starts_with("a.mkv: "));
    }

    #[test]
    fn a_ratio_is_reduced() {
        assert_eq!(greatest_common_divisor(640 * 480, 480 * 720), 38_400);
    }
}
