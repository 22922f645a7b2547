//! Clips as pictures inside a page.

use std::io::Cursor;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clover_inference::{clip_strip as strip_of_clip, film_strip as strip_of_frames};
use image::{ImageFormat, RgbImage};

use crate::TrainerError;

/// Frames side by side, scaled to `height`, as the data URI of a PNG.
///
/// # Errors
///
/// There is no frame with pixels, the height is zero, or the picture cannot be encoded.
pub fn film_strip(frames: &[RgbImage], height: u32) -> Result<String, TrainerError> {
    data_uri(&strip_of_frames(frames, height)?)
}

/// Some frames of a file, spread over it, as [`film_strip`] shows them.
///
/// # Errors
///
/// The file cannot be read, or as [`film_strip`].
pub fn clip_strip(path: &Path, frames: usize, height: u32) -> Result<String, TrainerError> {
    data_uri(&strip_of_clip(path, frames, height)?)
}

/// A picture as the data URI of a PNG.
pub(super) fn data_uri(picture: &RgbImage) -> Result<String, TrainerError> {
    let mut png = Cursor::new(Vec::new());
    picture
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|error| TrainerError::Picture {
            reason: error.to_string(),
        })?;
    Ok(format!(
        "data:image/png;base64,{}",
        STANDARD.encode(png.into_inner())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn a_strip_is_a_png_within_the_page() {
        let frames = [[255, 0, 0], [0, 0, 255]].map(|rgb| RgbImage::from_pixel(40, 20, Rgb(rgb)));

        let uri = film_strip(&frames, 10).unwrap();

        let png = STANDARD
            .decode(uri.strip_prefix("data:image/png;base64,").unwrap())
            .unwrap();
        let strip = image::load_from_memory(&png).unwrap().to_rgb8();
        assert_eq!(strip, strip_of_frames(&frames, 10).unwrap());
        assert!(film_strip(&[], 10).is_err());
    }
}
