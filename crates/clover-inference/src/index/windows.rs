//! How a video is cut into windows, each a row of the index.

use std::path::Path;
use std::time::Duration;

use clover_data::DataError;
use clover_data::dataset::Randomness;
use clover_data::video::transform::PixelPipeline;
use clover_data::video::{Span, VideoDecoder};
use serde::{Deserialize, Serialize};

/// Windows of one video, at most: a day of video, a window a second.
const MOST_WINDOWS: u64 = 100_000;
/// The shortest and the longest window or stride, in milliseconds.
const LENGTHS: [u64; 2] = [100, 3_600_000];
/// A window that would reach less than this share beyond the one before it is left out.
const NEW_SHARE: f64 = 0.1;
/// Frames a second that are compared to find shots.
const SHOT_FPS: f64 = 4.0;
/// Sides of a frame that is compared.
const SHOT_SIZE: usize = 16;
/// Mean difference of two frames' levels, of 255, above which a shot begins between them.
const CUT: f32 = 40.0;
/// Frames that are compared in one go.
const SHOT_FRAMES: usize = 256;

/// How videos are cut into windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSettings {
    /// Length of a window in milliseconds.
    pub window_ms: u64,
    /// From the start of a window to the start of the next, in milliseconds.
    pub stride_ms: u64,
    /// Whether windows also begin and end where the image changes at once.
    pub shots: bool,
}

impl Default for WindowSettings {
    /// Eight seconds, four apart.
    fn default() -> Self {
        Self {
            window_ms: 8_000,
            stride_ms: 4_000,
            shots: false,
        }
    }
}

impl WindowSettings {
    /// What is wrong with them.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let [shortest, longest] = LENGTHS;
        if !(shortest..=longest).contains(&self.window_ms) {
            return Some("a window is not between 0.1 s and an hour long");
        }
        if self.stride_ms < shortest || self.stride_ms > self.window_ms {
            return Some("the stride is not between 0.1 s and the length of a window");
        }
        None
    }

    /// The windows of a part of a video, none where one row stands for all of it: a video that is no
    /// longer than a window, an image, or one that does not say when its frames are shown.
    ///
    /// # Errors
    ///
    /// The video is too long, or shots are asked for and a frame cannot be decoded.
    pub(super) fn of(
        &self,
        video: &mut dyn VideoDecoder,
        name: &Path,
        span: Option<Span>,
    ) -> Result<Vec<Span>, DataError> {
        let times = video.times().unwrap_or_default();
        let last = times.last().copied().unwrap_or_default().as_millis() as u64;
        let end = match video.seconds() {
            Some(seconds) if seconds.is_finite() => (seconds * 1000.0) as u64,
            _ => last + 1,
        };
        let (start, end) = match span {
            Some(span) => (span.start(), span.end().min(end)),
            None => (0, end),
        };
        if times.len() < 2 || end.saturating_sub(start) <= self.window_ms {
            return Ok(Vec::new());
        }
        if (end - start) / self.stride_ms > MOST_WINDOWS {
            return Err(DataError::OverLimit {
                path: name.to_path_buf(),
                what: "the number of windows",
                found: (end - start) / self.stride_ms,
                limit: MOST_WINDOWS,
            });
        }
        let mut cuts = vec![start, end];
        if self.shots {
            cuts.extend(shots(video, &times, start..end)?);
            cuts.sort_unstable();
            cuts.dedup();
        }
        let pieces = cuts.windows(2).flat_map(|cut| self.pieces(cut[0], cut[1]));
        Ok(pieces
            .filter_map(|(start, end)| Span::new(start, end).ok())
            .collect())
    }

    /// Windows from one moment to another; the last ends there.
    fn pieces(&self, start: u64, end: u64) -> Vec<(u64, u64)> {
        let mut windows = Vec::new();
        let mut at = start;
        loop {
            let until = (at + self.window_ms).min(end);
            windows.push((at, until));
            let new = (end - until) as f64;
            if new <= NEW_SHARE * self.window_ms as f64 {
                if let Some(last) = windows.last_mut() {
                    last.1 = end;
                }
                return windows;
            }
            at += self.stride_ms;
        }
    }
}

/// Where the image changes at once, in milliseconds.
fn shots(
    video: &mut dyn VideoDecoder,
    times: &[Duration],
    part: std::ops::Range<u64>,
) -> Result<Vec<u64>, DataError> {
    // The frames on screen at the moments of a regular grid.
    let mut frames = Vec::new();
    let mut due = part.start as f64;
    for (frame, time) in times.iter().enumerate() {
        let time = time.as_secs_f64() * 1000.0;
        if time >= due && part.contains(&(time as u64)) {
            frames.push(frame);
            due = time + 1000.0 / SHOT_FPS;
        }
    }
    let pixels = PixelPipeline::test_resize(SHOT_SIZE);
    let mut cuts = Vec::new();
    let mut before: Option<Vec<f32>> = None;
    for some in frames.chunks(SHOT_FRAMES) {
        let clip = pixels.read(video, some, &mut Randomness::new(0).for_item(0, 0))?;
        for (&frame, image) in some.iter().zip(clip.split(1)) {
            let image = image.values();
            if let Some(before) = &before {
                let difference: f32 = before.iter().zip(&image).map(|(a, b)| (a - b).abs()).sum();
                // Values are deviations of some 57 levels.
                if difference / image.len() as f32 * 57.0 > CUT {
                    cuts.push(times[frame].as_millis() as u64);
                }
            }
            before = Some(image);
        }
    }
    Ok(cuts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(window_ms: u64, stride_ms: u64) -> WindowSettings {
        WindowSettings {
            window_ms,
            stride_ms,
            shots: false,
        }
    }

    #[test]
    fn windows_overlap_and_the_last_ends_with_the_video() {
        let windows = settings(8_000, 4_000).pieces(0, 19_000);

        assert_eq!(
            windows,
            [
                (0, 8_000),
                (4_000, 12_000),
                (8_000, 16_000),
                (12_000, 19_000)
            ]
        );
    }

    #[test]
    fn a_rest_too_short_to_see_belongs_to_the_window_before_it() {
        assert_eq!(settings(8_000, 4_000).pieces(0, 8_500), [(0, 8_500)]);
        assert_eq!(settings(8_000, 4_000).pieces(2_000, 11_000).len(), 2);
    }

    #[test]
    fn lengths_without_meaning_are_refused() {
        assert_eq!(settings(8_000, 4_000).fault(), None);
        assert!(settings(0, 0).fault().is_some());
        assert!(settings(8_000, 9_000).fault().is_some());
        assert!(settings(8_000, 0).fault().is_some());
    }
}
