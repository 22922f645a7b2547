//! How many frames an animation has and how long each is shown, from its blocks alone: nothing is
//! decompressed.

use std::time::Duration;

use super::sniff::Format;

/// What is wrong with an animation's blocks.
const CUT: &str = "it ends within a block: the file is cut short";
const MISCOUNTED: &str = "it has another number of frames than it says";
/// How long players show a frame that says of itself that it takes no time.
const UNSAID: Duration = Duration::from_millis(100);

/// Counts the frames of an animation; `None` for a still image.
///
/// A GIF that lacks only its end mark is whole; one that ends within a block is not.
pub(super) fn animation_length(
    format: Format,
    contents: &[u8],
) -> Result<Option<usize>, &'static str> {
    match format {
        Format::Gif => {
            let mut frames = 0;
            gif(contents, |_| frames += 1)?;
            Ok(Some(frames))
        }
        Format::Png => png_frames(contents),
        Format::WebP => {
            let frames = webp(contents).count();
            Ok((frames > 0).then_some(frames))
        }
        _ => Ok(None),
    }
}

/// How long each frame of an animation is shown, as far as its blocks can be read.
pub(super) fn frame_delays(format: Format, contents: &[u8]) -> Vec<Duration> {
    let mut delays = Vec::new();
    match format {
        // What cannot be read leaves fewer delays than frames.
        Format::Gif => gif(contents, |delay| delays.push(delay)).unwrap_or_default(),
        Format::Png => delays.extend(png_delays(contents)),
        Format::WebP => delays.extend(webp(contents)),
        _ => {}
    }
    delays
}

/// Calls `frame` with the delay of each frame.
fn gif(contents: &[u8], mut frame: impl FnMut(Duration)) -> Result<(), &'static str> {
    let flags = *contents.get(10).ok_or(CUT)?;
    let mut at = 13 + colours(flags);
    let mut delay = UNSAID;
    while let Some(block) = contents.get(at) {
        match block {
            // An extension: its kind, then data. One kind has the next frame's delay.
            0x21 => {
                if let Some([0xf9, 4, _, low, high]) = contents.get(at + 1..at + 6) {
                    delay = match u16::from_le_bytes([*low, *high]) {
                        // As short as that is taken for a slip.
                        0 | 1 => UNSAID,
                        hundredths => Duration::from_millis(10 * u64::from(hundredths)),
                    };
                }
                at = skip_data(contents, at + 2)?;
            }
            // A frame: place, size, flags, perhaps colours, the code size, then data.
            0x2c => {
                let flags = *contents.get(at + 9).ok_or(CUT)?;
                at = skip_data(contents, at + 11 + colours(flags))?;
                frame(std::mem::replace(&mut delay, UNSAID));
            }
            0x3b => break,
            _ => return Err("a GIF block is of no known kind"),
        }
    }
    Ok(())
}

/// Bytes of a colour table.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

/// The place after a chain of data blocks, each with its length before it and ended by a zero.
fn skip_data(contents: &[u8], mut at: usize) -> Result<usize, &'static str> {
    loop {
        match contents.get(at).ok_or(CUT)? {
            0 => return Ok(at + 1),
            length => at += 1 + usize::from(*length),
        }
    }
}

/// The kind and the contents of each chunk of a PNG before its end.
fn png_chunks(contents: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = contents.get(8..).unwrap_or_default();
    let chunks = std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk()?;
        let length = u32::from_be_bytes(*length) as usize;
        let (kind, after) = after.split_first_chunk()?;
        let body = after.get(..length).unwrap_or(after);
        // A checksum follows.
        rest = after.get(length.checked_add(4)?..).unwrap_or_default();
        Some((*kind, body))
    });
    chunks.take_while(|(kind, _)| kind != b"IEND")
}

/// An APNG says how many frames it has in an `acTL` chunk before its pixels, and has an `fcTL` chunk for each.
/// Where these differ, it was cut short or is not what it says.
fn png_frames(contents: &[u8]) -> Result<Option<usize>, &'static str> {
    let mut ahead = png_chunks(contents).take_while(|(kind, _)| kind != b"IDAT");
    let Some((_, control)) = ahead.find(|(kind, _)| kind == b"acTL") else {
        return Ok(None);
    };
    let said = control.first_chunk().copied().map(u32::from_be_bytes);
    let frames = png_chunks(contents).filter(|(kind, _)| kind == b"fcTL");
    let frames = frames.count();
    if said.is_none_or(|said| said as usize != frames) {
        return Err(MISCOUNTED);
    }
    Ok(Some(frames))
}

/// Each frame has an `fcTL` chunk whose numbers from the twentieth byte on are its delay.
fn png_delays(contents: &[u8]) -> impl Iterator<Item = Duration> {
    let frames = png_chunks(contents).filter(|(kind, _)| kind == b"fcTL");
    frames.filter_map(|(_, body)| {
        let [a, b, c, d] = *body.get(20..)?.first_chunk()?;
        let numerator = u32::from(u16::from_be_bytes([a, b]));
        let denominator = match u16::from_be_bytes([c, d]) {
            0 => 100,
            said => u32::from(said),
        };
        Some(match numerator {
            0 => UNSAID,
            _ => Duration::from_secs(numerator.into()) / denominator,
        })
    })
}

/// An animated WebP has one `ANMF` chunk a frame, with its delay after four numbers of three bytes.
fn webp(contents: &[u8]) -> impl Iterator<Item = Duration> {
    let mut rest = contents.get(12..).unwrap_or_default();
    let chunks = std::iter::from_fn(move || {
        let (kind, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk()?;
        // Chunks are padded to an even length.
        let length = u32::from_le_bytes(*length) as usize;
        rest = after.get(length + length % 2..).unwrap_or_default();
        Some((*kind, after.get(..length).unwrap_or(after)))
    });
    chunks
        .filter(|(kind, _)| kind == b"ANMF")
        .map(|(_, body)| match body.get(12..15) {
            Some([0, 0, 0]) | None => UNSAID,
            Some(said) => {
                let milliseconds = said
                    .iter()
                    .rev()
                    .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                Duration::from_millis(milliseconds)
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A GIF of 1 x 1 pixels: a colour table of two, an extension, and `frames` frames.
    fn tiny_gif(frames: usize) -> Vec<u8> {
        let mut bytes = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
        bytes.extend(b"\x21\xff\x03abc\0");
        for _ in 0..frames {
            bytes.extend(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0");
        }
        bytes
    }

    #[test]
    fn gif_frames_are_counted_with_or_without_an_end_mark() {
        let mut bytes = tiny_gif(3);
        assert_eq!(animation_length(Format::Gif, &bytes), Ok(Some(3)));

        bytes.push(0x3b);
        assert_eq!(animation_length(Format::Gif, &bytes), Ok(Some(3)));
    }

    #[test]
    fn a_gif_cut_within_a_frame_is_refused() {
        let bytes = tiny_gif(2);

        assert_eq!(
            animation_length(Format::Gif, &bytes[..bytes.len() - 2]),
            Err(CUT)
        );
    }

    #[test]
    fn webp_chunks_are_counted_and_a_still_has_none() {
        let mut bytes = b"RIFF\0\0\0\0WEBP".to_vec();
        bytes.extend(b"VP8X\x01\0\0\0x\0");
        assert_eq!(animation_length(Format::WebP, &bytes), Ok(None));

        bytes.extend(b"ANMF\x02\0\0\0ab");
        bytes.extend(b"ANMF\x02\0\0\0cd");
        assert_eq!(animation_length(Format::WebP, &bytes), Ok(Some(2)));
    }

    #[test]
    fn frames_say_how_long_they_are_shown() {
        let mut gif = b"GIF89a\x01\0\x01\0\0\0\0".to_vec();
        gif.extend(b"\x21\xf9\x04\0\x19\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\0");
        gif.extend(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\0");
        let mut webp = b"RIFF\0\0\0\0WEBPANMF\x10\0\0\0".to_vec();
        webp.extend(b"\0\0\0\0\0\0\0\0\0\0\0\0\x2c\x01\0\0");
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x1afcTL".to_vec();
        png.extend([0; 20]);
        png.extend(b"\0\x01\0\x04\0\0crc.\0\0\0\0IENDcrc.");

        let delays = |format, bytes: &[u8]| -> Vec<u128> {
            let delays = frame_delays(format, bytes);
            delays.iter().map(Duration::as_millis).collect()
        };
        assert_eq!(delays(Format::Gif, &gif), [250, 100]);
        assert_eq!(delays(Format::WebP, &webp), [300]);
        assert_eq!(delays(Format::Png, &png), [250]);
    }

    /// The chunks of an APNG that says it has `said` frames and has `frames`, without their contents.
    fn apng_chunks(said: u8, frames: usize) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x01tIMEx\0\0\0\0".to_vec();
        bytes.extend(b"\0\0\0\x08acTL\0\0\0");
        bytes.push(said);
        bytes.extend(b"\0\0\0\0crc.");
        for frame in 0..frames {
            bytes.extend(b"\0\0\0\0fcTLcrc.\0\0\0\0");
            bytes.extend(if frame == 0 { b"IDATcrc." } else { b"fdATcrc." });
        }
        bytes.extend(b"\0\0\0\0IENDcrc.");
        // What follows the end is no part of the image.
        bytes.extend(b"\0\0\0\0fcTLcrc.");
        bytes
    }

    #[test]
    fn the_frames_of_an_apng_must_be_as_many_as_it_says_before_its_pixels() {
        let length = |said, frames| animation_length(Format::Png, &apng_chunks(said, frames));

        assert_eq!(length(5, 5), Ok(Some(5)));
        assert_eq!(length(5, 2), Err(MISCOUNTED));
        assert_eq!(length(1, 2), Err(MISCOUNTED));
    }

    #[test]
    fn a_png_that_does_not_speak_of_frames_before_its_pixels_is_a_still_image() {
        let bytes = b"\x89PNG\r\n\x1a\n\0\0\0\0IDATcrc.\0\0\0\x08acTL\0\0\0\x05\0\0\0\0crc.";

        assert_eq!(animation_length(Format::Png, bytes), Ok(None));
    }
}
