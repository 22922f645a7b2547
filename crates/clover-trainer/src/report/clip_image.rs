//! Clips as images inside a page.

use std::error::Error;
use std::io::Cursor;
use std::iter::successors;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clover_data::video::{ClipSource, Span};
use clover_inference::clip_strip;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};

use super::{Escaped, Page};
use crate::TrainerError;

/// Frames of a clip in an image.
const FRAMES: usize = 4;
/// Pixels: four frames of 16:9 are as wide as a page.
pub(super) const HEIGHT: u32 = 136;
/// Of 100: that of small frames is not seen, and they take a tenth of a PNG's bytes.
const JPEG_QUALITY: u8 = 80;

impl Page {
    /// Adds some frames of a clip, or of a span of it, with what is said of them below; `own` marks the
    /// right one. Where no frame can be shown, why.
    pub fn clip(&mut self, clip: (ClipSource, Option<Span>), caption: &str, own: bool) {
        match clip_image(clip) {
            Ok(image) => self.clip_image(Some(&image), caption, own),
            Err(error) => {
                let causes = successors(Some(&error as &dyn Error), |&error| error.source());
                let causes: Vec<_> = causes.map(ToString::to_string).collect();
                self.note(&format!(
                    "{caption}. No frames can be shown: {}",
                    causes.join(": ")
                ));
            }
        }
    }

    /// As [`clip`](Self::clip), of an image that was made before.
    pub(super) fn clip_image(&mut self, image: Option<&str>, caption: &str, own: bool) {
        write!(self, "<div class=\"clip\">");
        if let Some(image) = image {
            let class = if own { " class=\"own\"" } else { "" };
            let (image, caption) = (Escaped(image), Escaped(caption));
            write!(
                self,
                "<img{class} src=\"{image}\" alt=\"frames: {caption}\">"
            );
        }
        self.note(caption);
        writeln!(self, "</div>");
    }
}

/// Some frames of a clip, or of a span of it, spread over it, as the data URI of a JPEG.
///
/// # Errors
///
/// The clip cannot be read or has no such span, or its image cannot be made.
pub fn clip_image(clip: (ClipSource, Option<Span>)) -> Result<String, TrainerError> {
    let strip = clip_strip(clip, FRAMES, HEIGHT)?;
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
        .encode_image(&strip)
        .map_err(not_made)?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))
}

/// An image as the data URI of a PNG.
pub(super) fn png_uri(image: &RgbImage) -> Result<String, TrainerError> {
    let mut png = Cursor::new(Vec::new());
    image
        .write_to(&mut png, ImageFormat::Png)
        .map_err(not_made)?;
    let png = STANDARD.encode(png.into_inner());
    Ok(format!("data:image/png;base64,{png}"))
}

fn not_made(error: image::ImageError) -> TrainerError {
    TrainerError::Image {
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn an_image_of_attention_keeps_every_pixel() {
        let image = RgbImage::from_pixel(40, 20, Rgb([255, 0, 7]));

        let uri = png_uri(&image).unwrap();

        let png = STANDARD
            .decode(uri.strip_prefix("data:image/png;base64,").unwrap())
            .unwrap();
        assert_eq!(image::load_from_memory(&png).unwrap().to_rgb8(), image);
    }

    #[test]
    fn a_clip_is_shown_at_a_readable_size_and_one_that_is_gone_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        RgbImage::new(8, 8).save(&path).unwrap();

        let uri = clip_image((ClipSource::Path(path), None)).unwrap();
        let mut page = Page::new("");
        page.clip((ClipSource::Path("gone.mp4".into()), None), "<gone>", true);

        let jpeg = STANDARD
            .decode(uri.strip_prefix("data:image/jpeg;base64,").unwrap())
            .unwrap();
        let image = image::load_from_memory(&jpeg).unwrap();
        assert_eq!(image.height(), HEIGHT);
        let page = page.finish();
        assert!(page.contains("&lt;gone&gt;. No frames can be shown: ") && !page.contains("<img"));
    }
}
