//! Clips as pictures inside a page.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clover_data::video::{ClipSource, Span};
use clover_inference::{clip_strip as strip_of_clip, film_strip as strip_of_frames};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};

use crate::TrainerError;

/// Of 100: that of small frames is not seen, and they take a tenth of a PNG's bytes.
const JPEG_QUALITY: u8 = 80;

/// Frames side by side, scaled to `height`, as the data URI of a PNG.
///
/// # Errors
///
/// There is no frame with pixels, the height is zero, or the picture cannot be encoded.
pub fn film_strip(frames: &[RgbImage], height: u32) -> Result<String, TrainerError> {
    data_uri(&strip_of_frames(frames, height)?)
}

/// Some frames of a clip, or of a span of it, spread over it, as the data URI of a JPEG.
///
/// # Errors
///
/// The clip cannot be read or has no such span, or as [`film_strip`].
pub fn clip_strip(
    clip: (ClipSource, Option<Span>),
    frames: usize,
    height: u32,
) -> Result<String, TrainerError> {
    let strip = strip_of_clip(clip, frames, height)?;
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
        .encode_image(&strip)
        .map_err(|error| TrainerError::Picture {
            reason: error.to_string(),
        })?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))
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
