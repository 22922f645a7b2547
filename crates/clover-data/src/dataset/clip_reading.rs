//! From a video file to the numbers a model sees.

use std::path::Path;

use rand::Rng;

use crate::DataError;
use crate::video::{
    ClipSource, DecodeLimits, FrameSampling, FrameSelection, NormalizedClip, PixelPipeline, Span,
    VideoDecoder, check_fps,
};

/// More frames or pixels than any setting has; a slip of the pen must not ask for all memory.
const MAX_FRAMES: usize = 1_024;
const MAX_SIZE: usize = 2_048;

/// How a clip is read: which frames, what becomes of their pixels, what is too much.
#[derive(Debug, Clone)]
pub struct ClipReading {
    /// Which frames of the video are used.
    pub sampling: FrameSampling,
    /// How many times a second a frame is taken that `sampling` chooses among; `None`: all frames, each
    /// once, as published.
    pub fps: Option<f64>,
    /// From 8-bit frames to normalised ones of the model's size.
    pub pixels: PixelPipeline,
    /// What a file may cost.
    pub limits: DecodeLimits,
}

impl ClipReading {
    /// Checks the numbers of a configuration that came from a file.
    ///
    /// # Errors
    ///
    /// When no frame would be chosen, the frames would have no pixels, or the rate or the flip
    /// probability is none.
    pub fn validate(&self) -> Result<(), DataError> {
        let limits = [
            ("frames of a clip", self.sampling.len(), 1..=MAX_FRAMES),
            ("pixels along a side", self.pixels.size, 1..=MAX_SIZE),
        ];
        for (key, value, range) in limits {
            if !range.contains(&value) {
                return Err(DataError::OutOfRange {
                    key,
                    value,
                    smallest: *range.start(),
                    largest: *range.end(),
                });
            }
        }
        self.fps.map_or(Ok(()), check_fps)?;
        if !(0.0..=1.0).contains(&self.pixels.flip_probability) {
            return Err(DataError::NotAShare {
                key: "flip_probability",
                value: self.pixels.flip_probability,
            });
        }
        Ok(())
    }

    /// Reads a clip, or a span of it; all randomness comes from `rng`.
    ///
    /// # Errors
    ///
    /// When it cannot be read or decoded within the limits, or has no such span.
    pub fn read(
        &self,
        clip: ClipSource,
        span: Option<Span>,
        rng: &mut impl Rng,
    ) -> Result<NormalizedClip, DataError> {
        let selection = FrameSelection {
            span,
            fps: self.fps,
        };
        let choose = |frames| self.sampling.indices(frames, rng);
        let (mut video, indices) = clip.open_selected(&self.limits, &selection, choose)?;
        self.pixels.read(video.as_mut(), &indices, rng)
    }

    /// Reads several spans of one opened video, each as [`read`](Self::read) does, in one pass:
    /// a frame that lies in two of them is decoded once. One draw of randomness serves all their pixels.
    ///
    /// # Errors
    ///
    /// When a frame cannot be decoded within the limits, or the video has no such span.
    pub fn read_spans(
        &self,
        video: &mut dyn VideoDecoder,
        name: &Path,
        spans: &[Span],
        rng: &mut impl Rng,
    ) -> Result<Vec<NormalizedClip>, DataError> {
        let mut indices = Vec::with_capacity(spans.len() * self.sampling.len());
        for &span in spans {
            let span = FrameSelection {
                span: Some(span),
                fps: self.fps,
            };
            let selected = span.frames(video, name, &self.limits)?.unwrap_or_default();
            let chosen = self.sampling.indices(selected.len(), rng);
            indices.extend(chosen.into_iter().map(|frame| selected[frame]));
        }
        let all = self.pixels.read(video, &indices, rng)?;
        Ok(all.split(self.sampling.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::gif::GifEncoder;
    use image::{Delay, Frame, RgbaImage};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn reading(frames: usize, size: usize, flip: f64) -> ClipReading {
        ClipReading {
            sampling: FrameSampling::test_frames(frames),
            fps: None,
            pixels: PixelPipeline::test_resize(size).with_flip(flip),
            limits: DecodeLimits::default(),
        }
    }

    /// An animation of one pixel whose frames of these levels of grey are shown for so many milliseconds.
    fn animation(frames: &[(u8, u32)]) -> ClipSource {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        for &(level, milliseconds) in frames {
            let image = RgbaImage::from_pixel(1, 1, image::Rgba([level, level, level, 255]));
            let delay = Delay::from_numer_denom_ms(milliseconds, 1);
            let frame = Frame::from_parts(image, 0, 0, delay);
            encoder.encode_frame(frame).unwrap();
        }
        drop(encoder);
        ClipSource::Bytes {
            name: "a.gif".into(),
            bytes,
        }
    }

    #[test]
    fn frames_a_second_weigh_frames_by_how_long_they_are_shown() {
        let all = reading(2, 1, 0.0);
        let by_time = ClipReading {
            fps: Some(10.0),
            ..all.clone()
        };
        let blue_levels = |reading: &ClipReading| -> Vec<f32> {
            let clip = animation(&[(0, 100), (80, 100), (160, 100), (240, 900)]);
            let mut rng = ChaCha8Rng::seed_from_u64(0);
            let values = reading.read(clip, None, &mut rng).unwrap().values();
            let levels = values[..2].iter().map(|value| value * 57.375 + 103.53);
            levels.map(f32::round).collect()
        };

        // The second and the last of four; the fourth and the tenth of twelve moments.
        assert_eq!(blue_levels(&all), [80.0, 240.0]);
        assert_eq!(blue_levels(&by_time), [240.0, 240.0]);
    }

    #[test]
    fn numbers_without_meaning_are_refused() {
        assert!(reading(8, 224, 0.5).validate().is_ok());
        assert!(reading(0, 224, 0.5).validate().is_err());
        assert!(reading(8, 0, 0.5).validate().is_err());
        assert!(reading(8, 224, f64::NAN).validate().is_err());
        let without_time = ClipReading {
            fps: Some(0.0),
            ..reading(8, 224, 0.5)
        };
        assert!(without_time.validate().is_err());
    }
}
