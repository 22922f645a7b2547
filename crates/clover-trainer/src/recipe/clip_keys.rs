//! The keys that recipes of all kinds have for reading clips.

use clover_data::video::transform::Geometry;
use clover_data::video::{DecodeLimits, FPS, PixelPipeline};
use clover_model::CloverConfig;

use super::keys::first_wrong;
use crate::TrainerError;

/// Frames a second as a recipe says them, whose 0 means all frames.
pub(super) fn fps(key: f64) -> Option<f64> {
    (key > 0.0).then_some(key)
}

/// A recipe's pixels with the colours of a bundle's, and resized as CLIP's where the bundle's are.
pub(crate) fn as_seen_by(bundle: &PixelPipeline, pixels: PixelPipeline) -> PixelPipeline {
    let geometry = match (bundle.geometry, pixels.geometry) {
        (Geometry::Clip, Geometry::CenterCrop) => Geometry::Clip,
        (Geometry::Clip, Geometry::TrainVideo) => Geometry::TrainImage,
        (_, own) => own,
    };
    PixelPipeline {
        geometry,
        channels: bundle.channels,
        colours: bundle.colours,
        ..pixels
    }
}

/// Checks frames of clips, each with its key, against what the model's video encoder takes.
pub(super) fn check_frames(
    config: &CloverConfig,
    frames: &[(&'static str, usize)],
) -> Result<(), TrainerError> {
    for &(key, frames) in frames {
        let checked = config.check_frames(frames);
        checked.map_err(|reason| TrainerError::RecipeValue { key, reason })?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_sees_its_own_colours_and_is_cropped_as_it_was() {
        let bundle = PixelPipeline::clip(224);
        let seen = |pixels| as_seen_by(&bundle, pixels);

        assert_eq!(
            seen(PixelPipeline::test_center_crop(56)),
            PixelPipeline::clip(56)
        );
        assert_eq!(
            seen(PixelPipeline::train_video(56)),
            PixelPipeline::train_clip(56)
        );
        let published = PixelPipeline::train_video(224);
        assert_eq!(
            as_seen_by(&PixelPipeline::test_resize(224), published),
            published
        );
    }
}
