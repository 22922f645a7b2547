//! Single frames and short previews of videos, as images.

use std::io::Cursor;
use std::time::Duration;

use clover_data::video::{Clip, ClipSource, Span, VideoDecoder};
use clover_inference::InferenceError;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageError, RgbImage, imageops};

use crate::animated_webp::animated_webp;
use crate::decoding::limits;

/// Pixels of the longer side.
const SIDE: u32 = 320;
const QUALITY: u8 = 80;
/// Frames of a preview, and how long each is shown.
const PREVIEW_FRAMES: u64 = 24;
const FRAME_MS: u64 = 200;
/// A preview ends after so much of the video.
const PREVIEW_MS: u64 = 10_000;
/// Bytes of all frames of a preview, as they are decoded.
const DECODED: u64 = 256 << 20;
/// Where a file does not say when its frames are shown.
const USUAL_FRAME_MS: u64 = 40;

/// The frame that is shown at a time, as a JPEG; beyond the end the last one.
///
/// # Errors
///
/// It cannot be decoded within the limits.
pub(crate) fn thumbnail(clip: ClipSource, ms: u64) -> Result<Vec<u8>, InferenceError> {
    let mut video = clip.open(&limits())?;
    let frame = frame_at(&*video, &video.times(), ms);
    let clip = video.decode(&[frame])?;
    let frame = small(&clip, 0)?;
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(&frame)
        .map_err(|error| unmade(&error))?;
    Ok(jpeg.into_inner())
}

/// A part of a video, or its beginning, as an animated WebP.
///
/// # Errors
///
/// It cannot be decoded within the limits.
pub(crate) fn preview(clip: ClipSource, part: Option<Span>) -> Result<Vec<u8>, InferenceError> {
    let mut video = clip.open(&limits())?;
    let times = video.times();
    let last = times.as_ref().and_then(|times| times.last());
    let end = last.map_or(video.frame_count() as u64 * USUAL_FRAME_MS, |last| {
        last.as_millis() as u64 + USUAL_FRAME_MS
    });
    let (from, to) = part.map_or((0, end), |part| (part.start(), part.end()));
    // The last frame stays on screen, however long the part goes on.
    let to = to.min(from.saturating_add(PREVIEW_MS)).max(from + 1);
    let [width, height] = video.size().map(|side| side as u64);
    let most = DECODED / (3 * width * height).max(1);
    let count = ((to - from) / FRAME_MS)
        .clamp(1, PREVIEW_FRAMES)
        .min(most.max(1));
    let moments = (0..count).map(|moment| from + (to - from) * moment / count);
    let mut frames: Vec<usize> = moments.map(|ms| frame_at(&*video, &times, ms)).collect();
    frames.dedup();
    let clip = video.decode(&frames)?;
    let images = (0..clip.frames()).map(|frame| small(&clip, frame));
    let images = images.collect::<Result<Vec<_>, _>>()?;
    let each = (to - from) / images.len().max(1) as u64;
    animated_webp(&images, u32::try_from(each).unwrap_or(u32::MAX)).map_err(|error| unmade(&error))
}

/// The number of the frame on screen.
fn frame_at(video: &dyn VideoDecoder, times: &Option<Vec<Duration>>, ms: u64) -> usize {
    let last = video.frame_count().saturating_sub(1);
    let frame = match times {
        // A millisecond later, for containers round.
        Some(times) if !times.is_empty() => {
            let shown =
                times.partition_point(|time| *time <= Duration::from_millis(ms.saturating_add(1)));
            shown.saturating_sub(1)
        }
        _ => usize::try_from(ms / USUAL_FRAME_MS).unwrap_or(last),
    };
    frame.min(last)
}

/// A frame within [`SIDE`] pixels either way.
fn small(clip: &Clip, frame: usize) -> Result<RgbImage, InferenceError> {
    let [width, height] =
        [clip.width(), clip.height()].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
    let image = RgbImage::from_raw(width, height, clip.frame(frame).to_vec());
    let image = image.ok_or_else(|| InferenceError::Image {
        reason: "a frame has other pixels than it says".to_owned(),
    })?;
    let longer = width.max(height);
    if longer <= SIDE {
        return Ok(image);
    }
    let scaled = |side: u32| (u64::from(side) * u64::from(SIDE) / u64::from(longer)).max(1) as u32;
    Ok(imageops::thumbnail(&image, scaled(width), scaled(height)))
}

fn unmade(error: &ImageError) -> InferenceError {
    InferenceError::Image {
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use image::codecs::gif::GifEncoder;
    use image::{Delay, Frame, Rgb, Rgba, RgbaImage};

    /// Red for a second, then green for one, in a frame wider than is shown.
    fn animation() -> ClipSource {
        let mut gif = Vec::new();
        let mut encoder = GifEncoder::new(&mut gif);
        for color in [[255, 0, 0, 255], [0, 255, 0, 255]] {
            let image = RgbaImage::from_pixel(640, 320, Rgba(color));
            let delay = Delay::from_saturating_duration(Duration::from_secs(1));
            encoder
                .encode_frame(Frame::from_parts(image, 0, 0, delay))
                .unwrap();
        }
        drop(encoder);
        let name = PathBuf::from("animation.gif");
        ClipSource::Bytes { name, bytes: gif }
    }

    fn color(image: &RgbImage) -> usize {
        let Rgb(color) = image.get_pixel(9, 9);
        (0..3).max_by_key(|&channel| color[channel]).unwrap()
    }

    #[test]
    fn a_thumbnail_is_the_frame_on_screen_made_small() {
        for (ms, channel) in [(0, 0), (900, 0), (1_000, 1), (u64::MAX, 1)] {
            let jpeg = thumbnail(animation(), ms).unwrap();
            let image = image::load_from_memory(&jpeg).unwrap().to_rgb8();

            assert_eq!(image.dimensions(), (320, 160));
            assert_eq!(color(&image), channel, "{ms}");
        }
    }

    #[test]
    fn a_preview_shows_the_frames_of_its_part() {
        let part = Span::new(0, 2_000).ok();
        let file = preview(animation(), part).unwrap();
        let late = preview(animation(), Span::new(50_000, 60_000).ok()).unwrap();

        assert_eq!(&file[..4], b"RIFF");
        assert!(late.len() < file.len(), "one frame, not two");
    }
}
