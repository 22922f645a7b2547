//! The keys that recipes of all kinds have for reading clips.

use clover_data::video::{DecodeLimits, FPS};

use super::keys::first_wrong;
use crate::TrainerError;

/// Frames a second as a recipe says them, whose 0 means all frames.
pub(super) fn fps(key: f64) -> Option<f64> {
    (key > 0.0).then_some(key)
}

/// Checks frames a second and limits.
pub(super) fn check(fps: f64, limits: &DecodeLimits) -> Result<(), TrainerError> {
    let rule = format!(
        "must be 0, or lie between {} and {}",
        FPS.start(),
        FPS.end()
    );
    first_wrong(
        &[("fps", fps)],
        |fps| fps == 0.0 || FPS.contains(&fps),
        &rule,
    )?;
    let counts = [
        ("limits.max_pixels_per_frame", limits.max_pixels_per_frame),
        ("limits.max_aspect_ratio", limits.max_aspect_ratio),
        ("limits.max_frames", limits.max_frames),
        ("limits.max_file_bytes", limits.max_file_bytes),
        ("limits.max_decoded_bytes", limits.max_decoded_bytes),
        ("limits.max_seconds", limits.max_seconds),
    ];
    first_wrong(&counts, |count| count > 0, "must be positive")
}
