//! Frames as an animated GIF.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, RgbaImage};

use crate::DataError;

/// How long each frame is shown.
const FRAME_MILLISECONDS: u32 = 100;

/// Encodes frames of `size x size` pixels of red, green and blue; `name` is what an error calls
/// the clip.
pub(super) fn encode_gif(
    frames: &[Vec<u8>],
    size: usize,
    name: &str,
) -> Result<Vec<u8>, DataError> {
    let failed = |source| DataError::Encode {
        name: name.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    // The encoder keeps the colours exactly while a frame has at most 256; the speed does not matter.
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
    encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
    let delay = Delay::from_numer_denom_ms(FRAME_MILLISECONDS, 1);
    for picture in frames {
        let mut opaque = RgbaImage::new(size as u32, size as u32);
        for (pixel, rgb) in opaque.pixels_mut().zip(picture.chunks_exact(3)) {
            pixel.0 = [rgb[0], rgb[1], rgb[2], u8::MAX];
        }
        let frame = Frame::from_parts(opaque, 0, 0, delay);
        encoder.encode_frame(frame).map_err(failed)?;
    }
    drop(encoder);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::{SyntheticSet, SyntheticSetConfig, render};
    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;
    use std::io::Cursor;

    #[test]
    fn a_gif_keeps_every_pixel() {
        let config = SyntheticSetConfig {
            train_clips: 1,
            held_out_clips: 0,
            frames: 4,
            size: 32,
            seed: 5,
        };
        let clip = &SyntheticSet::plan(&config).unwrap().train[0];
        let drawn = render(&clip.scene, config.frames, config.size);

        let gif = encode_gif(&drawn, config.size, &clip.file).unwrap();

        let decoder = GifDecoder::new(Cursor::new(gif)).unwrap();
        let decoded = decoder.into_frames().collect_frames().unwrap();
        assert_eq!(decoded.len(), drawn.len());
        for (frame, picture) in decoded.iter().zip(drawn) {
            let pixels = frame.buffer().pixels();
            let rgb: Vec<u8> = pixels.flat_map(|pixel| pixel.0[..3].to_vec()).collect();
            assert_eq!(rgb, picture);
        }
    }
}
