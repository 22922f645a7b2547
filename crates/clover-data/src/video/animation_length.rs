//! How many frames an animation has, from its blocks alone: nothing is decompressed.

use super::sniff::Format;

/// What is wrong with an animation's blocks.
const CUT: &str = "it ends within a block: the file is cut short";

/// Counts the frames of an animation; `None` for a still picture.
///
/// A GIF that lacks only its end mark is whole; one that ends within a block is not.
pub(super) fn animation_length(
    format: Format,
    contents: &[u8],
) -> Result<Option<usize>, &'static str> {
    match format {
        Format::Gif => gif(contents).map(Some),
        Format::Png => Ok(png(contents)),
        Format::WebP => Ok(webp(contents)),
        _ => Ok(None),
    }
}

fn gif(contents: &[u8]) -> Result<usize, &'static str> {
    let flags = *contents.get(10).ok_or(CUT)?;
    let mut at = 13 + colours(flags);
    let mut frames = 0;
    while let Some(block) = contents.get(at) {
        match block {
            // An extension: its kind, then data.
            0x21 => at = skip_data(contents, at + 2)?,
            // A frame: place, size, flags, perhaps colours, the code size, then data.
            0x2c => {
                let flags = *contents.get(at + 9).ok_or(CUT)?;
                at = skip_data(contents, at + 11 + colours(flags))?;
                frames += 1;
            }
            0x3b => break,
            _ => return Err("a GIF block is of no known kind"),
        }
    }
    Ok(frames)
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

/// An APNG says how many frames it has in an `acTL` chunk before its pixels.
fn png(contents: &[u8]) -> Option<usize> {
    let mut rest = contents.get(8..)?;
    loop {
        let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
        match rest.get(4..8)? {
            b"acTL" => {
                let frames = u32::from_be_bytes(*rest.get(8..)?.first_chunk()?);
                return Some(frames as usize);
            }
            b"IDAT" | b"IEND" => return None,
            _ => rest = rest.get(length.checked_add(12)?..)?,
        }
    }
}

/// An animated WebP has one `ANMF` chunk a frame.
fn webp(contents: &[u8]) -> Option<usize> {
    let mut rest = contents.get(12..)?;
    let mut frames = 0;
    while let (Some(kind), Some(length)) = (
        rest.get(..4),
        rest.get(4..).and_then(|rest| rest.first_chunk()),
    ) {
        frames += usize::from(kind == b"ANMF");
        // Chunks are padded to an even length.
        let length = u32::from_le_bytes(*length) as usize;
        let Some(next) = rest.get(8 + length + length % 2..) else {
            break;
        };
        rest = next;
    }
    (frames > 0).then_some(frames)
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
    fn an_apng_says_how_many_frames_it_has_before_its_pixels() {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x01tIMEx\0\0\0\0".to_vec();
        bytes.extend(b"\0\0\0\x08acTL\0\0\0\x05\0\0\0\0\0\0\0\0");

        assert_eq!(animation_length(Format::Png, &bytes), Ok(Some(5)));
    }
}
