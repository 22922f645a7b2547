//! One image as a clip of one frame.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader};

use super::DecodeLimits;
use super::decoded_frame::{DecodedFrame, FrameSink, WantedFrames};
use super::decoder::{VideoDecoder, check_indices};
use crate::DataError;

/// A JPEG, PNG or WebP image.
#[derive(Debug)]
pub(super) struct Still {
    path: PathBuf,
    limits: DecodeLimits,
    contents: Vec<u8>,
    size: [usize; 2],
}

impl Still {
    /// Reads the image's size, no more.
    pub(super) fn open(
        contents: Vec<u8>,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Self, DataError> {
        let (decoder, orientation) = start(&contents, path, limits)?;
        let (width, height) = decoder.dimensions();
        let mut size = [width as usize, height as usize];
        if turns_sideways(orientation) {
            size.reverse();
        }
        drop(decoder);
        Ok(Self {
            path: path.to_path_buf(),
            limits: limits.clone(),
            contents,
            size,
        })
    }
}

impl VideoDecoder for Still {
    fn coding(&self) -> &'static str {
        "image"
    }

    fn frame_count(&self) -> usize {
        1
    }

    fn size(&self) -> [usize; 2] {
        self.size
    }

    fn times(&self) -> Option<Vec<Duration>> {
        Some(vec![Duration::ZERO])
    }

    fn decode_each(
        &mut self,
        indices: &[usize],
        take: &mut FrameSink<'_>,
    ) -> Result<(), DataError> {
        check_indices(&self.path, &self.limits, indices, 1, self.size)?;
        let (decoder, orientation) = start(&self.contents, &self.path, &self.limits)?;
        let mut image = DynamicImage::from_decoder(decoder)
            .map_err(|source| image_error(&self.path, source))?;
        image.apply_orientation(orientation);
        let rgb = image.into_rgb8();
        let mut wanted = WantedFrames::new(indices, take);
        wanted.place(0, &DecodedFrame::of_rgb(&rgb, self.size));
        wanted.finish(&self.path)
    }
}

/// Reads the header and checks its claims.
fn start<'a>(
    contents: &'a [u8],
    path: &Path,
    limits: &DecodeLimits,
) -> Result<(impl ImageDecoder + 'a, Orientation), DataError> {
    let mut reader = ImageReader::new(Cursor::new(contents))
        .with_guessed_format()
        .map_err(|source| DataError::Read {
            path: path.to_path_buf(),
            source,
        })?;
    reader.limits(allocation(limits));
    let mut decoder = reader
        .into_decoder()
        .map_err(|source| image_error(path, source))?;
    let (width, height) = decoder.dimensions();
    limits.check_size(path, [width.into(), height.into()])?;
    let orientation = decoder
        .orientation()
        .map_err(|source| image_error(path, source))?;
    Ok((decoder, orientation))
}

/// What the image library may allocate for one image.
pub(super) fn allocation(limits: &DecodeLimits) -> image::Limits {
    let mut allocation = image::Limits::default();
    // Sixteen-bit samples with transparency take eight bytes a pixel, and are held twice at most.
    allocation.max_alloc = Some(limits.max_pixels_per_frame.saturating_mul(16));
    allocation
}

/// Names the image that cannot be decoded.
pub(super) fn image_error(path: &Path, source: image::ImageError) -> DataError {
    DataError::Image {
        path: path.to_path_buf(),
        source,
    }
}

fn turns_sideways(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 200]))
            .write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png)
            .unwrap();
        bytes
    }

    #[test]
    fn an_image_is_a_clip_of_one_frame() {
        let limits = DecodeLimits::default();
        let mut still = Still::open(png(2, 1), Path::new("a.png"), &limits).unwrap();

        let clip = still.decode(&[0, 0]).unwrap();

        assert_eq!((still.frame_count(), still.size()), (1, [2, 1]));
        assert_eq!(clip.pixels(), [0, 0, 200, 1, 0, 200, 0, 0, 200, 1, 0, 200]);
    }

    #[test]
    fn a_header_that_claims_152_megapixels_is_refused_before_anything_is_decoded() {
        // A PNG whose header chunk is rewritten; its checksum is made right again.
        let mut bytes = png(1, 1);
        bytes[16..20].copy_from_slice(&12_336_u32.to_be_bytes());
        bytes[20..24].copy_from_slice(&12_336_u32.to_be_bytes());
        let checksum = crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.to_be_bytes());

        let error =
            Still::open(bytes, Path::new("huge.png"), &DecodeLimits::default()).unwrap_err();

        assert!(
            matches!(
                error,
                DataError::OverLimit {
                    found: 152_176_896,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn an_image_cut_short_is_an_error_that_names_it() {
        let mut bytes = png(64, 64);
        bytes.truncate(bytes.len() / 2);
        let mut still = Still::open(bytes, Path::new("cut.png"), &DecodeLimits::default()).unwrap();

        let error = still.decode(&[0]).unwrap_err();

        assert_eq!(error.to_string(), "cut.png: the image cannot be decoded");
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                (sum >> 1) ^ (0xedb8_8320 * (sum & 1))
            })
        })
    }
}
