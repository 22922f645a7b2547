//! What decoding one file may cost.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::DataError;

/// Bounds on one file; whatever claims more is an error before anything is allocated for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecodeLimits {
    /// Pixels of one frame.
    pub max_pixels_per_frame: u64,
    /// How many times one side of a frame may be as long as the other.
    pub max_aspect_ratio: u64,
    /// Frames of one file, and packets of its video track.
    pub max_frames: u64,
    /// Bytes of one file.
    pub max_file_bytes: u64,
    /// Bytes of all frames asked for together. Images and animations are read into memory
    /// whole, so the bound holds for their files too.
    pub max_decoded_bytes: u64,
    /// Seconds for one file; looked at between two frames. The last guard, which ends a run: all others
    /// count work, so that which files are left out does not depend on how busy a machine is.
    pub max_seconds: u64,
}

impl Default for DecodeLimits {
    /// Photographs of 48 megapixels, clips of 32 frames in 4K, two minutes.
    fn default() -> Self {
        Self {
            max_pixels_per_frame: 48_000_000,
            max_aspect_ratio: 256,
            max_frames: 1_000_000,
            max_file_bytes: 4 << 30,
            max_decoded_bytes: 1 << 30,
            max_seconds: 120,
        }
    }
}

impl DecodeLimits {
    /// Checks the size a file claims for its frames.
    pub(super) fn check_size(
        &self,
        path: &Path,
        [width, height]: [u64; 2],
    ) -> Result<(), DataError> {
        if width == 0 || height == 0 {
            return Err(DataError::BrokenVideo {
                path: path.to_path_buf(),
                fault: "its frames have no pixels",
            });
        }
        let pixels = width.saturating_mul(height);
        at_most(
            path,
            "the number of pixels in a frame",
            pixels,
            self.max_pixels_per_frame,
        )?;
        // Shortening the short side to a fixed length multiplies a thin image's long side.
        let ratio = width.max(height) / width.min(height);
        at_most(
            path,
            "the ratio of a frame's sides",
            ratio,
            self.max_aspect_ratio,
        )
    }

    /// Checks the number of frames a file claims, and that there is one.
    pub(super) fn check_frames(&self, path: &Path, frames: usize) -> Result<(), DataError> {
        if frames == 0 {
            return Err(DataError::BrokenVideo {
                path: path.to_path_buf(),
                fault: "it has no frames",
            });
        }
        at_most(path, "the number of frames", frames as u64, self.max_frames)
    }

    /// Checks what a clip of `frames` frames takes in memory.
    pub(super) fn check_clip(
        &self,
        path: &Path,
        frames: usize,
        [width, height]: [u64; 2],
    ) -> Result<(), DataError> {
        let bytes = (frames as u64)
            .saturating_mul(width)
            .saturating_mul(height)
            .saturating_mul(3);
        at_most(
            path,
            "the size of the chosen frames in bytes",
            bytes,
            self.max_decoded_bytes,
        )
    }

    /// Starts the clock of one file.
    pub(super) fn start(&self) -> Deadline {
        Deadline {
            started: Instant::now(),
            limit: Duration::from_secs(self.max_seconds),
        }
    }
}

/// Refuses a figure above its limit.
pub(super) fn at_most(
    path: &Path,
    what: &'static str,
    found: u64,
    limit: u64,
) -> Result<(), DataError> {
    if found > limit {
        return Err(DataError::OverLimit {
            path: path.to_path_buf(),
            what,
            found,
            limit,
        });
    }
    Ok(())
}

/// When a file has taken too long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    started: Instant,
    limit: Duration,
}

impl Deadline {
    /// Tells whether the time is over.
    pub(super) fn is_over(self) -> bool {
        self.started.elapsed() >= self.limit
    }

    /// Fails once the time is over.
    pub(super) fn check(&self, path: &Path) -> Result<(), DataError> {
        if self.is_over() {
            return Err(DataError::TooSlow {
                path: path.to_path_buf(),
                seconds: self.limit.as_secs_f64(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pixel_is_enough_and_none_is_not() {
        let limits = DecodeLimits::default();

        assert!(limits.check_size(Path::new("a"), [1, 1]).is_ok());
        assert!(limits.check_size(Path::new("a"), [0, 5]).is_err());
    }

    #[test]
    fn a_claim_of_152_megapixels_is_refused_by_name() {
        let error = DecodeLimits::default()
            .check_size(Path::new("huge.png"), [12_336, 12_336])
            .unwrap_err();

        assert_eq!(
            error.to_string(),
            "huge.png: the number of pixels in a frame is 152176896, at most 48000000 is decoded"
        );
    }

    #[test]
    fn a_hair_line_is_refused() {
        let limits = DecodeLimits::default();

        assert!(limits.check_size(Path::new("a"), [256, 1]).is_ok());
        assert!(limits.check_size(Path::new("a"), [1, 257]).is_err());
    }

    #[test]
    fn a_clock_without_time_is_over_at_once() {
        let limits = DecodeLimits {
            max_seconds: 0,
            ..DecodeLimits::default()
        };

        assert!(matches!(
            limits.start().check(Path::new("a")),
            Err(DataError::TooSlow { .. })
        ));
    }
}
