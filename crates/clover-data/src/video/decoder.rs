//! The interface of every decoder, and the choice among them by content.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use super::animation::Animation;
use super::decoded_frame::FrameSink;
#[cfg(feature = "ffmpeg")]
use super::ffmpeg::FfmpegVideo;
use super::h264::H264Video;
use super::image_sequence::ImageSequence;
use super::limits::at_most;
use super::matroska;
use super::media::Media;
#[cfg(feature = "ffmpeg")]
use super::mp4;
use super::sniff::{Format, HEAD_BYTES};
use super::still::Still;
use super::transform::{Interpolation, Region, resize_region};
use super::{Clip, DecodeLimits};
use crate::DataError;
use crate::files::open_regular;

/// An opened file whose frames can be decoded.
pub trait VideoDecoder {
    /// What the frames are coded as.
    fn coding(&self) -> &'static str;

    /// The number of frames.
    fn frame_count(&self) -> usize;

    /// Width and height of a frame, before anything is decoded.
    fn size(&self) -> [usize; 2];

    /// How long the video is shown, in seconds, where the file says so.
    fn seconds(&self) -> Option<f64> {
        None
    }

    /// When each frame appears, in the order they are shown and without decoding any; nothing where
    /// the file does not say.
    ///
    /// Zero is where the video begins to play: at its first frame, but for mp4 files whose edit
    /// list delays that.
    fn times(&self) -> Option<Vec<Duration>> {
        None
    }

    /// Decodes the frames with these numbers, in display order counted from zero; any order,
    /// repeats allowed. The clip's frames are in the order asked for; photos of another size than the
    /// first are resized to its.
    ///
    /// # Errors
    ///
    /// When a frame, or one it depends on, cannot be decoded, does not exist, or costs more than
    /// the limits allow; no frame stands in for another.
    fn decode(&mut self, indices: &[usize]) -> Result<Clip, DataError> {
        let [width, height] = self.size();
        let bytes = width * height * 3;
        let mut pixels = Vec::new();
        self.decode_each(indices, &mut |places, frame| {
            // Not before a frame was decoded: the limits have been checked by then.
            pixels.resize(indices.len() * bytes, 0);
            let Some((first, others)) = places.split_first() else {
                return;
            };
            let start = first * bytes;
            let whole = Region::whole(frame.size());
            let out = &mut pixels[start..start + bytes];
            if frame.size() == [width, height] {
                frame.write(whole, out);
            } else {
                let bilinear = Interpolation::Bilinear;
                out.copy_from_slice(&resize_region(frame, whole, [width, height], bilinear));
            }
            for place in others {
                pixels.copy_within(start..start + bytes, place * bytes);
            }
        })?;
        Ok(Clip::new(indices.len(), height, width, pixels))
    }

    /// Decodes the same frames and hands them to `take` one by one, in the order they are decoded
    /// in. On an error, what was taken before counts for nothing; another decoder that takes over
    /// may hand on a frame again.
    ///
    /// # Errors
    ///
    /// Those of [`decode`](Self::decode).
    fn decode_each(&mut self, indices: &[usize], take: &mut FrameSink<'_>)
    -> Result<(), DataError>;
}

/// Opens a video, an image or a folder of numbered images; what a file is follows from its first
/// bytes, whatever its name.
///
/// # Errors
///
/// When the file cannot be read, is nothing that can be decoded, or claims more than `limits`.
pub fn open(path: &Path, limits: &DecodeLimits) -> Result<Box<dyn VideoDecoder>, DataError> {
    if path.is_dir() {
        return Ok(Box::new(ImageSequence::open_folder(path, limits)?));
    }
    let file = open_regular(path).map_err(|source| unreadable(path, source))?;
    open_media(Media::File(file), path, limits)
}

/// Opens a video or an image that is already in memory; errors call it `name`.
///
/// # Errors
///
/// When the bytes are nothing that can be decoded, or claim more than `limits`.
pub fn open_bytes(
    bytes: Vec<u8>,
    name: &Path,
    limits: &DecodeLimits,
) -> Result<Box<dyn VideoDecoder>, DataError> {
    open_media(Media::from(bytes), name, limits)
}

fn open_media(
    mut media: Media,
    path: &Path,
    limits: &DecodeLimits,
) -> Result<Box<dyn VideoDecoder>, DataError> {
    let unreadable = |source| unreadable(path, source);
    let bytes = media.len().map_err(unreadable)?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    (&mut media)
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(unreadable)?;
    media.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    if head.is_empty() {
        return Err(DataError::EmptyFile {
            path: path.to_path_buf(),
        });
    }
    at_most(
        path,
        "the size of the file in bytes",
        bytes,
        limits.max_file_bytes,
    )?;
    let unknown = |found| DataError::UnknownFormat {
        path: path.to_path_buf(),
        found,
    };
    let format = Format::of(&head);
    #[cfg(feature = "ffmpeg")]
    if matches!(
        format,
        Format::Mp4 | Format::Matroska | Format::Foreign(_) | Format::Unknown
    ) {
        let tables = match format {
            Format::Mp4 => match mp4::tables(&mut media, bytes, path, limits) {
                Ok(tables) => tables,
                Err(error @ (DataError::BrokenVideo { .. } | DataError::OverLimit { .. })) => {
                    return Err(error);
                }
                // What is not known here is FFmpeg's to judge.
                Err(_) => Vec::new(),
            },
            _ => Vec::new(),
        };
        media.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        return Ok(Box::new(FfmpegVideo::open(media, tables, path, limits)?));
    }
    match format {
        Format::Mp4 => Ok(Box::new(H264Video::open(media, bytes, path, limits)?)),
        Format::Matroska => matroska::open(media, path, limits),
        Format::Text => Err(unknown("a text file")),
        Format::Foreign(codec) => Err(DataError::UnknownCodec {
            path: path.to_path_buf(),
            codec: codec.to_owned(),
        }),
        Format::Unknown => Err(unknown("no known format")),
        image => {
            let held = "the size of the file in bytes, held in memory";
            at_most(path, held, bytes, limits.max_decoded_bytes)?;
            let contents = media
                .into_bytes(limits.max_decoded_bytes)
                .map_err(unreadable)?;
            open_image(image, contents, path, limits)
        }
    }
}

/// Names the file that cannot be read, from the root on: it tells where a relative path led.
pub(super) fn unreadable(path: &Path, source: std::io::Error) -> DataError {
    DataError::Read {
        path: std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()),
        source,
    }
}

fn open_image(
    format: Format,
    contents: Vec<u8>,
    path: &Path,
    limits: &DecodeLimits,
) -> Result<Box<dyn VideoDecoder>, DataError> {
    match Animation::open(format, contents, path, limits)? {
        Ok(animation) => Ok(Box::new(animation)),
        Err(still) => Ok(Box::new(Still::open(still, path, limits)?)),
    }
}

/// Opens a file, lets `choose` pick frames from their number, and decodes them.
///
/// # Errors
///
/// When the file cannot be read or decoded within `limits`, or `choose` picks a frame that is not
/// there or none at all.
pub fn decode_clip(
    path: &Path,
    limits: &DecodeLimits,
    choose: impl FnOnce(usize) -> Vec<usize>,
) -> Result<Clip, DataError> {
    let mut decoder = open(path, limits)?;
    let indices = choose(decoder.frame_count());
    decoder.decode(&indices)
}

/// Refuses a list of frames that is empty, names a missing frame or takes too much memory.
pub(super) fn check_indices(
    path: &Path,
    limits: &DecodeLimits,
    indices: &[usize],
    frames: usize,
    [width, height]: [usize; 2],
) -> Result<(), DataError> {
    if indices.is_empty() {
        return Err(DataError::BrokenVideo {
            path: path.to_path_buf(),
            fault: "no frame of it was asked for",
        });
    }
    if let Some(missing) = indices.iter().find(|index| **index >= frames) {
        return Err(DataError::Frame {
            path: path.to_path_buf(),
            frame: *missing,
            source: format!("the file has {frames} frames").into(),
        });
    }
    limits.check_clip(path, indices.len(), [width as u64, height as u64])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    fn written(name: &str, contents: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, contents).unwrap();
        (folder, path)
    }

    fn error_of(name: &str, contents: &[u8]) -> String {
        let (_folder, path) = written(name, contents);
        let error = decode_clip(&path, &DecodeLimits::default(), |_| vec![0]).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(name), "{message}");
        message
    }

    #[test]
    fn every_broken_file_is_an_error_that_names_it() {
        assert!(error_of("empty.mp4", b"").ends_with("is empty"));
        assert!(error_of("letter.mp4", b"dear reader,\n").contains("is a text file"));
        let zero = error_of("zero.mp4", b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\0free");
        assert!(
            cfg!(feature = "ffmpeg") || zero.contains("no moov"),
            "{zero}"
        );
        assert!(error_of("cut.gif", b"GIF89a").contains("cut short"));
        assert!(error_of("cut.png", b"\x89PNG\r\n\x1a\n\0\0").contains("cannot be decoded"));
        assert!(error_of("noise.jpg", b"\xff\xd8\xff\xe0 not much").contains("cannot be decoded"));
    }

    #[test]
    fn a_missing_file_is_an_error_that_names_it() {
        let error = open(Path::new("nowhere.mp4"), &DecodeLimits::default())
            .err()
            .unwrap();

        let whole = std::path::absolute("nowhere.mp4").unwrap();
        let expected = format!("{}: cannot be read", whole.display());
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn the_name_of_a_file_does_not_matter() {
        let mut png = Vec::new();
        image::RgbImage::from_pixel(1, 1, image::Rgb([1, 2, 3]))
            .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
            .unwrap();
        let (_folder, path) = written("image.mp4", &png);

        let clip = decode_clip(&path, &DecodeLimits::default(), |frames| vec![frames - 1]).unwrap();

        assert_eq!(clip.pixels(), [1, 2, 3]);
    }

    #[test]
    fn files_and_clips_over_their_limits_are_refused() {
        let mut gif = Vec::new();
        image::RgbImage::new(8, 8)
            .write_to(&mut std::io::Cursor::new(&mut gif), image::ImageFormat::Gif)
            .unwrap();
        let (_folder, path) = written("a.gif", &gif);
        let decode = |limits: &DecodeLimits| decode_clip(&path, limits, |_| vec![0; 1000]);
        let defaults = DecodeLimits::default();

        assert!(decode(&defaults).is_ok());
        for limits in [
            DecodeLimits {
                max_file_bytes: 10,
                ..defaults.clone()
            },
            DecodeLimits {
                max_decoded_bytes: 100_000,
                ..defaults.clone()
            },
            DecodeLimits {
                max_pixels_per_frame: 63,
                ..defaults.clone()
            },
            DecodeLimits {
                max_frames: 0,
                ..defaults.clone()
            },
        ] {
            let error = decode(&limits).unwrap_err();
            assert!(matches!(error, DataError::OverLimit { .. }), "{error}");
        }
    }

    #[test]
    fn asking_for_no_frame_is_an_error() {
        let mut gif = Vec::new();
        image::RgbImage::new(1, 1)
            .write_to(&mut std::io::Cursor::new(&mut gif), image::ImageFormat::Gif)
            .unwrap();
        let (_folder, path) = written("a.gif", &gif);

        let error = decode_clip(&path, &DecodeLimits::default(), |_| vec![]).unwrap_err();

        assert!(error.to_string().ends_with("no frame of it was asked for"));
    }
}
