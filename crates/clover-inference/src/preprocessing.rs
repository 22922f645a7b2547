//! How a model was trained to see clips and texts.

use clover_data::dataset::ClipReading;
use clover_data::video::{DecodeLimits, FrameSampling, PixelPipeline};
use clover_model::CloverConfig;
use serde::{Deserialize, Serialize};

/// What becomes of a file before it reaches the encoders; part of every bundle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Frames of a clip, spread over the whole video.
    pub frames: usize,
    /// How many times a second a frame is taken that these are spread over; `None`: all frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fps: Option<f64>,
    /// From decoded frames to normalised squares. The published models expect blue first; public
    /// Video Swin weights expect red first.
    pub pixels: PixelPipeline,
    /// Word pieces of a text, padded or cut.
    pub text_len: usize,
}

impl Preprocessing {
    /// Whether a model has positions for so many frames and word pieces; the reason if it has not.
    pub(crate) fn check(&self, config: &CloverConfig) -> Result<(), String> {
        let frames = config.check_frames(self.frames);
        frames.map_err(|reason| format!("frames: {reason}"))?;
        let longest = config.text.longest_text();
        match self.text_len <= longest {
            true => Ok(()),
            false => Err(format!(
                "text_len: must not exceed the {longest} positions of the text encoder"
            )),
        }
    }

    /// How a file is read, without any randomness.
    #[must_use]
    pub fn clip_reading(&self) -> ClipReading {
        ClipReading {
            sampling: FrameSampling::test_frames(self.frames),
            fps: self.fps,
            pixels: self.pixels,
            limits: DecodeLimits::default(),
        }
    }
}
