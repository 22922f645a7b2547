//! From a file on disk to the numbers a model sees: decoding, choosing frames, preparing pixels.
//!
//! What a file is follows from its first bytes, never from its name. Every decoder is bounded in
//! time, memory and pixels by [`DecodeLimits`], and a frame that cannot be decoded is an error of
//! its file: no frame is ever made up or silently replaced by another.

mod access_unit;
mod animation;
mod animation_length;
mod clip_source;
mod decoded_frame;
mod decoder;
mod edit_list;
#[cfg(feature = "ffmpeg")]
mod ffmpeg;
#[cfg(test)]
mod fragment_videos;
mod fragments;
mod frame_sampling;
mod frame_selection;
mod h264;
mod image_sequence;
mod limits;
mod matroska;
mod media;
mod mp4;
mod mp4_boxes;
#[cfg(test)]
mod mp4_videos;
mod parameter_sets;
mod picture_decoder;
mod pixel_aspect;
#[cfg(test)]
mod real_files;
mod rotation;
mod sample_table;
mod shrink;
#[cfg(test)]
mod small_videos;
mod sniff;
mod span;
mod still;
pub mod transform;
mod vp9;
mod yuv;

pub use clip_source::ClipSource;
pub use decoded_frame::{DecodedFrame, FrameSink};
pub use decoder::{VideoDecoder, decode_clip, open, open_bytes};
pub use frame_sampling::{FrameSampling, SamplingMode};
pub(crate) use frame_selection::check_fps;
pub use frame_selection::{FPS, FrameSelection};
pub use limits::DecodeLimits;
pub use sniff::MediaType;
pub use span::{Span, SpanError};
pub use transform::{ChannelOrder, ColourStatistics, NormalizedClip, PixelPipeline};

/// Frames of 8-bit RGB, as they were decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    frames: usize,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
}

impl Clip {
    /// Wraps the pixels of a clip.
    ///
    /// # Shapes
    ///
    /// - pixels: `[frames, height, width, 3]`, the last axis red, green, blue
    ///
    /// # Panics
    ///
    /// Panics if an axis is empty or the pixels are not as many as the axes say.
    pub fn new(frames: usize, height: usize, width: usize, pixels: Vec<u8>) -> Self {
        assert!(
            frames > 0 && height > 0 && width > 0,
            "clip: an axis is empty"
        );
        assert_eq!(
            pixels.len(),
            frames * height * width * 3,
            "clip: the pixels differ from the axes"
        );
        Self {
            frames,
            height,
            width,
            pixels,
        }
    }

    /// The number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Rows of a frame.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of a frame.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All pixels: `[frames, height, width, 3]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels of one frame: `[height, width, 3]`.
    ///
    /// # Panics
    ///
    /// Panics if the clip has no such frame.
    pub fn frame(&self, index: usize) -> &[u8] {
        assert!(index < self.frames, "clip: no such frame");
        let bytes = self.height * self.width * 3;
        &self.pixels[index * bytes..(index + 1) * bytes]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_a_slice_of_the_pixels() {
        let clip = Clip::new(2, 1, 1, vec![1, 2, 3, 4, 5, 6]);

        assert_eq!(clip.frame(1), [4, 5, 6]);
    }

    #[test]
    #[should_panic(expected = "the pixels differ from the axes")]
    fn a_clip_with_missing_pixels_is_refused() {
        Clip::new(1, 2, 2, vec![0; 11]);
    }
}
