//! Animated WebP: frames that are each coded without loss, in the container's own form.
//!
//! "WebP Container Specification" (Google): RIFF chunks of four letters, a length and as many bytes, padded
//! to an even number. The `image` crate writes single frames alone, whose data is what an animation's
//! frames consist of.

use std::io::Cursor;

use image::{ImageError, ImageFormat, RgbImage};

/// Sides of an animation are stored in 24 bits, its frames' lengths too.
const MAX: u32 = (1 << 24) - 1;
/// Before the chunks: `RIFF`, a length, `WEBP`.
const HEAD: usize = 12;
const IS_ANIMATION: u8 = 0b10;
/// Frames take the place of what was there: none is laid over another.
const REPLACES: u8 = 0b10;

/// Frames of one size, each shown for `milliseconds`, over and over.
///
/// # Errors
///
/// A frame has no pixels, or is too large for the format.
pub(crate) fn animated_webp(frames: &[RgbImage], milliseconds: u32) -> Result<Vec<u8>, ImageError> {
    let (width, height) = frames.first().map_or((1, 1), RgbImage::dimensions);
    let mut chunks = Vec::new();
    let mut about = vec![IS_ANIMATION, 0, 0, 0];
    about.extend(bits24(width.saturating_sub(1)));
    about.extend(bits24(height.saturating_sub(1)));
    chunk(&mut chunks, *b"VP8X", &about);
    // Black behind it, without an end.
    chunk(&mut chunks, *b"ANIM", &[0; 6]);
    for frame in frames {
        let mut still = Cursor::new(Vec::new());
        frame.write_to(&mut still, ImageFormat::WebP)?;
        let still = still.into_inner();
        let mut data = vec![0; 6];
        data.extend(bits24(frame.width().saturating_sub(1)));
        data.extend(bits24(frame.height().saturating_sub(1)));
        data.extend(bits24(milliseconds.min(MAX)));
        data.push(REPLACES);
        data.extend(still.get(HEAD..).unwrap_or_default());
        chunk(&mut chunks, *b"ANMF", &data);
    }
    let mut file = b"RIFF".to_vec();
    file.extend((chunks.len() as u32 + 4).to_le_bytes());
    file.extend(b"WEBP");
    file.extend(chunks);
    Ok(file)
}

fn bits24(value: u32) -> [u8; 3] {
    let [a, b, c, _] = value.to_le_bytes();
    [a, b, c]
}

fn chunk(chunks: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    chunks.extend(name);
    chunks.extend((data.len() as u32).to_le_bytes());
    chunks.extend(data);
    if data.len() % 2 == 1 {
        chunks.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::webp::WebPDecoder;
    use image::{AnimationDecoder, Rgb};

    #[test]
    fn another_decoder_reads_the_frames_back() {
        let colors = [[255, 0, 0], [0, 255, 0], [9, 8, 7]];
        let frames = colors.map(|color| RgbImage::from_pixel(7, 5, Rgb(color)));

        let file = animated_webp(&frames, 250).unwrap();

        let decoder = WebPDecoder::new(Cursor::new(file)).unwrap();
        assert!(decoder.has_animation());
        let read = decoder.into_frames().collect_frames().unwrap();
        assert_eq!(read.len(), 3);
        for (frame, color) in read.iter().zip(colors) {
            assert_eq!(frame.delay().numer_denom_ms(), (250, 1));
            let [r, g, b, _] = frame.buffer().get_pixel(3, 2).0;
            assert_eq!([r, g, b], color);
        }
    }
}
