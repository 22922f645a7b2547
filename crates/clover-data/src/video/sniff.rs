//! What a file is, from its first bytes.

/// How many bytes [`Format::of`] looks at.
pub(super) const HEAD_BYTES: usize = 64;

/// The containers and pictures told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// mp4, m4v, mov.
    Mp4,
    /// Matroska or WebM.
    Matroska,
    /// GIF, still or moving.
    Gif,
    /// PNG or APNG.
    Png,
    /// WebP, still or moving.
    WebP,
    /// JPEG.
    Jpeg,
    /// Text.
    Text,
    /// Anything else, in words.
    Other(&'static str),
}

/// The boxes an mp4 or mov file begins with.
const FIRST_BOXES: [&[u8]; 7] = [
    b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot",
];

impl Format {
    /// Reads the format off the first bytes of a file.
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Self::Gif,
            [0x89, b'P', b'N', b'G', 13, 10, 26, 10, ..] => Self::Png,
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            [b'R', b'I', b'F', b'F', _, _, _, _, kind @ ..] if kind.starts_with(b"WEBP") => {
                Self::WebP
            }
            [b'R', b'I', b'F', b'F', _, _, _, _, kind @ ..] if kind.starts_with(b"AVI ") => {
                Self::Other("an AVI file")
            }
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Self::Matroska,
            [_, _, _, _, kind @ ..] if FIRST_BOXES.iter().any(|known| kind.starts_with(known)) => {
                Self::Mp4
            }
            _ if head.iter().all(|byte| is_text(*byte)) => Self::Text,
            _ => Self::Other("no known format"),
        }
    }
}

fn is_text(byte: u8) -> bool {
    // Anything from 0x80 on may be UTF-8, possibly cut at the end.
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        assert_eq!(Format::of(b"\0\0\0\x20ftypisom"), Format::Mp4);
        assert_eq!(Format::of(b"\x1a\x45\xdf\xa3\x01"), Format::Matroska);
        assert_eq!(Format::of(b"GIF89a\x01\0"), Format::Gif);
        assert_eq!(Format::of(b"\x89PNG\r\n\x1a\n\0"), Format::Png);
        assert_eq!(Format::of(b"\xff\xd8\xff\xe0"), Format::Jpeg);
        assert_eq!(Format::of(b"RIFF\0\0\0\0WEBPVP8 "), Format::WebP);
    }

    #[test]
    fn what_cannot_be_decoded_is_still_named() {
        assert_eq!(
            Format::of(b"RIFF\0\0\0\0AVI LIST"),
            Format::Other("an AVI file")
        );
        assert_eq!(Format::of("caf\u{e9}, a text".as_bytes()), Format::Text);
        assert_eq!(Format::of(b"\0\x01"), Format::Other("no known format"));
    }
}
