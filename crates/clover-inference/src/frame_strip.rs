//! Frames of a clip side by side, as one image.

use clover_data::video::{Clip, ClipSource, DecodeLimits, FrameSampling, FrameSelection, Span};
use image::RgbImage;
use image::imageops::{self, FilterType};

use crate::InferenceError;

/// Pixels between two frames.
pub(crate) const GAP: u32 = 2;
/// The widest strip; more frames, or wider ones, are left out.
const LARGEST_WIDTH: u32 = 4_096;

/// Frames side by side, scaled to `height`.
///
/// # Errors
///
/// There is no frame with pixels, or the height is zero.
pub fn frame_strip(frames: &[RgbImage], height: u32) -> Result<RgbImage, InferenceError> {
    let scaled: Vec<RgbImage> = frames
        .iter()
        .filter(|frame| frame.width() > 0 && frame.height() > 0)
        .map(|frame| scale(frame, height))
        .collect();
    let mut width = 0;
    let mut placed = Vec::new();
    for frame in &scaled {
        let end = width + frame.width();
        if end > LARGEST_WIDTH {
            break;
        }
        placed.push((frame, width));
        width = end + GAP;
    }
    if placed.is_empty() || height == 0 {
        let reason = "a strip needs frames, and a height".to_owned();
        return Err(InferenceError::Image { reason });
    }
    let mut strip = RgbImage::new(width - GAP, height);
    for (frame, left) in placed {
        imageops::replace(&mut strip, frame, i64::from(left), 0);
    }
    Ok(strip)
}

/// Some frames of a clip, or of a span of it, spread over it, as [`frame_strip`] shows them.
///
/// # Errors
///
/// The clip cannot be read or has no such span, or as [`frame_strip`].
pub fn clip_strip(
    (clip, span): (ClipSource, Option<Span>),
    frames: usize,
    height: u32,
) -> Result<RgbImage, InferenceError> {
    let sampling = FrameSampling::test_frames(frames);
    let selection = FrameSelection { span, fps: None };
    let choose = |total| sampling.test(total);
    let clip = clip.decode_selected(&DecodeLimits::default(), &selection, choose)?;
    frame_strip(&frames_of(&clip).collect::<Vec<_>>(), height)
}

/// The frames of a clip.
pub(crate) fn frames_of(clip: &Clip) -> impl Iterator<Item = RgbImage> {
    let size = [clip.width(), clip.height()].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
    (0..clip.frames())
        .filter_map(move |frame| RgbImage::from_raw(size[0], size[1], clip.frame(frame).to_vec()))
}

/// A frame at this height, its sides in the same ratio.
pub(crate) fn scale(frame: &RgbImage, height: u32) -> RgbImage {
    let width = f64::from(frame.width()) * f64::from(height) / f64::from(frame.height());
    // At least one pixel, and no more than fits: a frame may be one pixel high and very wide.
    let width = (width.round() as u32).clamp(1, LARGEST_WIDTH);
    imageops::resize(frame, width, height, FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use image::codecs::gif::GifEncoder;
    use image::{Delay, Frame, Rgb, Rgba, RgbaImage};

    #[test]
    fn frames_stand_side_by_side_at_the_asked_height() {
        let frames = [[255, 0, 0], [0, 0, 255]].map(|rgb| RgbImage::from_pixel(40, 20, Rgb(rgb)));

        let strip = frame_strip(&frames, 10).unwrap();

        assert_eq!(strip.dimensions(), (20 + GAP + 20, 10));
        assert_eq!(strip.get_pixel(5, 5), &Rgb([255, 0, 0]));
        assert_eq!(strip.get_pixel(35, 5), &Rgb([0, 0, 255]));
    }

    #[test]
    fn a_frame_of_one_very_wide_line_fits() {
        let strip = frame_strip(&[RgbImage::new(5_000, 1)], 8).unwrap();

        assert_eq!(strip.height(), 8);
    }

    #[test]
    fn a_strip_of_a_span_shows_its_frames_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let mut encoder = GifEncoder::new(std::fs::File::create(&path).unwrap());
        // Black for two seconds, and then white.
        for level in [0, 0, 255, 255] {
            let frame = RgbaImage::from_pixel(8, 8, Rgba([level, level, level, 255]));
            let delay = Delay::from_saturating_duration(Duration::from_secs(1));
            encoder
                .encode_frame(Frame::from_parts(frame, 0, 0, delay))
                .unwrap();
        }
        drop(encoder);
        let strip = |span| clip_strip((ClipSource::Path(path.clone()), span), 2, 8).unwrap();

        let [all, end] = [None, Some(Span::new(2_000, 4_000).unwrap())].map(strip);

        assert_eq!([all.get_pixel(4, 4)[0], all.get_pixel(14, 4)[0]], [0, 255]);
        assert_eq!(
            [end.get_pixel(4, 4)[0], end.get_pixel(14, 4)[0]],
            [255, 255]
        );
    }

    #[test]
    fn no_frames_are_an_error() {
        assert!(frame_strip(&[], 10).is_err());
        assert!(frame_strip(&[RgbImage::new(4, 4)], 0).is_err());
    }
}
