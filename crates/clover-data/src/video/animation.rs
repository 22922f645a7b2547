//! Animated images: GIF, animated WebP, APNG.
//!
//! Frames depend on those before them, so decoding runs from the first frame to the last one
//! wanted. Where nothing was ever drawn, a frame is black.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, Frames, ImageDecoder, ImageResult};

use super::DecodeLimits;
use super::animation_length::{animation_length, frame_delays};
use super::decoded_frame::{DecodedFrame, FrameSink, WantedFrames};
use super::decoder::{VideoDecoder, check_indices};
use super::sniff::Format;
use super::still::{allocation, image_error};
use crate::DataError;

/// An animated image.
#[derive(Debug)]
pub(super) struct Animation {
    path: PathBuf,
    limits: DecodeLimits,
    format: Format,
    contents: Vec<u8>,
    frames: usize,
    size: [usize; 2],
}

impl Animation {
    /// Counts the frames of an animation and reads their size; hands `contents` back if it is a
    /// still image.
    pub(super) fn open(
        format: Format,
        contents: Vec<u8>,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Result<Self, Vec<u8>>, DataError> {
        let frames = match animation_length(format, &contents) {
            Ok(Some(frames)) => frames,
            Ok(None) => return Ok(Err(contents)),
            Err(fault) => {
                return Err(DataError::BrokenVideo {
                    path: path.to_path_buf(),
                    fault,
                });
            }
        };
        limits.check_frames(path, frames)?;
        let (width, height) =
            dimensions(format, &contents, limits).map_err(|source| image_error(path, source))?;
        limits.check_size(path, [width.into(), height.into()])?;
        Ok(Ok(Self {
            path: path.to_path_buf(),
            limits: limits.clone(),
            format,
            contents,
            frames,
            size: [width as usize, height as usize],
        }))
    }
}

impl VideoDecoder for Animation {
    fn coding(&self) -> &'static str {
        "animation"
    }

    fn frame_count(&self) -> usize {
        self.frames
    }

    fn size(&self) -> [usize; 2] {
        self.size
    }

    fn seconds(&self) -> Option<f64> {
        let delays = frame_delays(self.format, &self.contents);
        let total: Duration = (delays.len() == self.frames).then(|| delays.iter().sum())?;
        Some(total.as_secs_f64())
    }

    fn times(&self) -> Option<Vec<Duration>> {
        let delays = frame_delays(self.format, &self.contents);
        let times = delays.iter().scan(Duration::ZERO, |clock, delay| {
            let time = *clock;
            *clock += *delay;
            Some(time)
        });
        (delays.len() == self.frames).then(|| times.collect())
    }

    fn decode_each(
        &mut self,
        indices: &[usize],
        take: &mut FrameSink<'_>,
    ) -> Result<(), DataError> {
        let deadline = self.limits.start();
        check_indices(&self.path, &self.limits, indices, self.frames, self.size)?;
        let mut wanted = WantedFrames::new(indices, take);
        let frames = frames(self.format, &self.contents, &self.limits)
            .map_err(|source| image_error(&self.path, source))?;
        let mut rgb = Vec::with_capacity(self.size[0] * self.size[1] * 3);
        for (index, frame) in frames.enumerate() {
            deadline.check(&self.path)?;
            let frame = frame.map_err(|source| DataError::Frame {
                path: self.path.clone(),
                frame: index,
                source: Box::new(source),
            })?;
            if wanted.wants(index) {
                rgb.clear();
                for pixel in frame.buffer().pixels() {
                    rgb.extend_from_slice(&pixel.0[..3]);
                }
                wanted.place(index, &DecodedFrame::of_rgb(&rgb, self.size));
            }
            if wanted.is_complete() {
                break;
            }
        }
        wanted.finish(&self.path)
    }
}

fn dimensions(format: Format, contents: &[u8], limits: &DecodeLimits) -> ImageResult<(u32, u32)> {
    let contents = Cursor::new(contents);
    Ok(match format {
        Format::Gif => GifDecoder::new(contents)?.dimensions(),
        Format::WebP => WebPDecoder::new(contents)?.dimensions(),
        _ => PngDecoder::with_limits(contents, allocation(limits))?.dimensions(),
    })
}

fn frames<'a>(
    format: Format,
    contents: &'a [u8],
    limits: &DecodeLimits,
) -> ImageResult<Frames<'a>> {
    let contents = Cursor::new(contents);
    match format {
        Format::Gif => {
            let mut decoder = GifDecoder::new(contents)?;
            decoder.set_limits(allocation(limits))?;
            Ok(decoder.into_frames())
        }
        Format::WebP => {
            let mut decoder = WebPDecoder::new(contents)?;
            decoder.set_limits(allocation(limits))?;
            Ok(decoder.into_frames())
        }
        _ => Ok(PngDecoder::with_limits(contents, allocation(limits))?
            .apng()?
            .into_frames()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::gif::GifEncoder;
    use image::{Frame, RgbaImage};

    fn rendered(frames: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        for frame in 0..frames {
            let image = RgbaImage::from_pixel(3, 2, image::Rgba([50 * frame, 10, 0, 255]));
            let delay = image::Delay::from_numer_denom_ms(200 * u32::from(frame), 1);
            let frame = Frame::from_parts(image, 0, 0, delay);
            encoder.encode_frame(frame).unwrap();
        }
        drop(encoder);
        bytes
    }

    fn open(contents: Vec<u8>) -> Result<Animation, DataError> {
        let limits = DecodeLimits::default();
        Animation::open(Format::Gif, contents, Path::new("a.gif"), &limits).map(Result::unwrap)
    }

    #[test]
    fn frames_are_decoded_in_the_order_asked_for() {
        let mut gif = open(rendered(5)).unwrap();

        let clip = gif.decode(&[4, 0, 2]).unwrap();

        assert_eq!((gif.frame_count(), gif.size()), (5, [3, 2]));
        let first_pixels = [0, 1, 2].map(|frame| clip.frame(frame)[..3].to_vec());
        assert_eq!(first_pixels, [[200, 10, 0], [0, 10, 0], [100, 10, 0]]);
    }

    #[test]
    fn each_frame_is_shown_after_the_delays_of_those_before() {
        let gif = open(rendered(4)).unwrap();

        // The first says that it takes no time, and is shown as long as players show such.
        let times = [0, 100, 300, 700].map(Duration::from_millis);
        assert_eq!(
            (gif.times(), gif.seconds()),
            (Some(times.to_vec()), Some(1.3))
        );
    }

    #[test]
    fn a_screen_of_more_pixels_than_allowed_is_refused() {
        let mut bytes = rendered(1);
        bytes[6..8].copy_from_slice(&12_336_u16.to_le_bytes());
        bytes[8..10].copy_from_slice(&12_336_u16.to_le_bytes());

        assert!(matches!(open(bytes), Err(DataError::OverLimit { .. })));
    }

    #[test]
    fn a_gif_cut_short_is_an_error() {
        let mut bytes = rendered(3);
        bytes.truncate(bytes.len() - 4);

        assert!(matches!(open(bytes), Err(DataError::BrokenVideo { .. })));
    }

    #[test]
    fn decoding_stops_when_the_time_is_over() {
        let mut gif = open(rendered(2)).unwrap();
        gif.limits.max_seconds = 0;

        assert!(matches!(gif.decode(&[1]), Err(DataError::TooSlow { .. })));
    }

    #[test]
    fn a_frame_beyond_the_last_is_an_error() {
        let mut gif = open(rendered(2)).unwrap();

        assert!(matches!(
            gif.decode(&[2]),
            Err(DataError::Frame { frame: 2, .. })
        ));
    }
}
