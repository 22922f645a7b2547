//! What is known of one clip after it was read.

use serde::Serialize;

use super::CheckConfig;
use crate::DataError;
use crate::video::{Clip, ClipSource, FrameSelection, Span};

/// Frames decoded at a time, so that a long clip is never whole in memory.
const AT_A_TIME: usize = 16;

/// Which frames of a clip are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckedFrames {
    /// The first, the middle and the last.
    Three,
    /// This many, the first and the last among them.
    Evenly(usize),
    /// All of them.
    All,
}

/// What is known of a clip.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ItemFacts {
    /// What reports call it.
    pub name: String,
    /// How it is coded.
    pub coding: &'static str,
    /// Its number of frames.
    pub frames: usize,
    /// Columns of a frame as it is shown.
    pub width: usize,
    /// Rows of a frame as it is shown.
    pub height: usize,
    /// How long it is, where its file says.
    pub seconds: Option<f64>,
    /// The frames that were decoded.
    pub decoded: Vec<usize>,
    /// The mean red, green and blue of each of them, from 0 to 255.
    pub mean_rgb: Vec<[f64; 3]>,
}

impl CheckedFrames {
    fn of(self, frames: usize) -> Vec<usize> {
        let last = frames.saturating_sub(1);
        let mut chosen: Vec<usize> = match self {
            Self::Three => vec![0, frames / 2, last],
            Self::Evenly(count) if count > 1 => (0..count)
                .map(|place| (place as f64 / (count - 1) as f64 * last as f64).round() as usize)
                .collect(),
            Self::Evenly(_) => vec![frames / 2],
            Self::All => (0..frames).collect(),
        };
        chosen.dedup();
        chosen
    }
}

impl ItemFacts {
    /// Opens a clip and decodes the frames that are to be looked at.
    pub(super) fn of(
        name: String,
        clip: ClipSource,
        span: Option<Span>,
        config: &CheckConfig,
    ) -> Result<Self, DataError> {
        let path = clip.name().to_path_buf();
        let mut decoder = clip.open(&config.limits)?;
        let [width, height] = decoder.size();
        let selection = FrameSelection { span, fps: None };
        let decoded = match selection.frames(&*decoder, &path, &config.limits)? {
            Some(selected) => {
                let places = config.frames.of(selected.len());
                places.into_iter().map(|place| selected[place]).collect()
            }
            None => config.frames.of(decoder.frame_count()),
        };
        let mut mean_rgb = Vec::with_capacity(decoded.len());
        for some in decoded.chunks(AT_A_TIME) {
            let clip = decoder.decode(some)?;
            mean_rgb.extend((0..clip.frames()).map(|frame| mean(&clip, frame)));
        }
        Ok(Self {
            name,
            coding: decoder.coding(),
            frames: decoder.frame_count(),
            width,
            height,
            seconds: decoder.seconds(),
            decoded,
            mean_rgb,
        })
    }
}

fn mean(clip: &Clip, frame: usize) -> [f64; 3] {
    let mut sums = [0_u64; 3];
    for pixel in clip.frame(frame).chunks_exact(3) {
        for (sum, level) in sums.iter_mut().zip(pixel) {
            *sum += u64::from(*level);
        }
    }
    let pixels = (clip.width() * clip.height()) as f64;
    sums.map(|sum| (sum as f64 / pixels * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_frame_are_always_looked_at() {
        assert_eq!(CheckedFrames::Three.of(10), [0, 5, 9]);
        assert_eq!(CheckedFrames::Three.of(1), [0]);
        assert_eq!(CheckedFrames::Evenly(4).of(10), [0, 3, 6, 9]);
        assert_eq!(CheckedFrames::Evenly(9).of(2), [0, 1]);
        assert_eq!(CheckedFrames::All.of(3), [0, 1, 2]);
    }
}
