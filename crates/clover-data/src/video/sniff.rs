//! What a file is, from its first bytes.

/// How many bytes [`Format::of`] looks at.
pub(super) const HEAD_BYTES: usize = 64;

/// What a file that can be decoded is, for programs that hand it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaType {
    /// What HTTP calls it.
    pub name: &'static str,
    /// How names of such files end.
    pub extension: &'static str,
}

impl MediaType {
    /// All of them.
    pub const KNOWN: [Self; 7] = [
        Self::of("video/mp4", "mp4"),
        Self::of("video/webm", "webm"),
        Self::of("video/x-matroska", "mkv"),
        Self::of("image/gif", "gif"),
        Self::of("image/png", "png"),
        Self::of("image/webp", "webp"),
        Self::of("image/jpeg", "jpg"),
    ];
    /// Bytes of a file's beginning that tell.
    pub const HEAD_BYTES: usize = HEAD_BYTES;

    const fn of(name: &'static str, extension: &'static str) -> Self {
        Self { name, extension }
    }

    /// What a file is that begins so; none of what no decoder of this library knows.
    #[must_use]
    pub fn of_head(head: &[u8]) -> Option<Self> {
        let [mp4, webm, matroska, gif, png, webp, jpeg] = Self::KNOWN;
        let head = head.get(..HEAD_BYTES).unwrap_or(head);
        match Format::of(head) {
            Format::Mp4 => Some(mp4),
            // The header names what the file keeps to.
            Format::Matroska if head.windows(4).any(|word| word == b"webm") => Some(webm),
            Format::Matroska => Some(matroska),
            Format::Gif => Some(gif),
            Format::Png => Some(png),
            Format::WebP => Some(webp),
            Format::Jpeg => Some(jpeg),
            Format::Text | Format::Foreign(_) | Format::Unknown => None,
        }
    }
}

/// The containers and images told apart.
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
    /// A container that only FFmpeg knows, by name.
    Foreign(&'static str),
    /// Anything else.
    Unknown,
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
                Self::Foreign("AVI")
            }
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Self::Matroska,
            [b'F', b'L', b'V', ..] => Self::Foreign("Flash video"),
            [b'O', b'g', b'g', b'S', ..] => Self::Foreign("Ogg"),
            [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, ..] => Self::Foreign("Windows Media"),
            [0, 0, 1, 0xba | 0xb3, ..] => Self::Foreign("MPEG program stream or video"),
            [0, 0, 1, 0x67, ..] | [0, 0, 0, 1, 0x67, ..] => {
                Self::Foreign("H.264 without a container")
            }
            [0, 0, 0, 1, 0x40, ..] => Self::Foreign("H.265 without a container"),
            [b'D', b'K', b'I', b'F', ..] => Self::Foreign("IVF"),
            [b'.', b'R', b'M', b'F', ..] => Self::Foreign("RealMedia"),
            // Packets of 188 bytes, each with this mark; the head shows the first one only.
            [0x47, 0x40, _, 0x10..=0x3f, ..] => Self::Foreign("MPEG transport stream"),
            [_, _, _, _, kind @ ..] if FIRST_BOXES.iter().any(|known| kind.starts_with(known)) => {
                Self::Mp4
            }
            _ if head.iter().all(|byte| is_text(*byte)) => Self::Text,
            _ => Self::Unknown,
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
    fn what_is_decoded_has_a_media_type() {
        let name = |head: &[u8]| MediaType::of_head(head).map(|kind| kind.name);

        assert_eq!(name(b"\0\0\0\x20ftypisom"), Some("video/mp4"));
        assert_eq!(
            name(b"\x1a\x45\xdf\xa3\x01\x42\x82\x84webm"),
            Some("video/webm")
        );
        assert_eq!(name(b"\x1a\x45\xdf\xa3\x01"), Some("video/x-matroska"));
        assert_eq!(name(b"<html>"), None);
        assert_eq!(name(b""), None);
    }

    #[test]
    fn what_cannot_be_decoded_is_still_named() {
        assert_eq!(Format::of(b"RIFF\0\0\0\0AVI LIST"), Format::Foreign("AVI"));
        assert_eq!(
            Format::of(b"\0\0\x01\xba\x44"),
            Format::Foreign("MPEG program stream or video")
        );
        assert_eq!(Format::of("caf\u{e9}, a text".as_bytes()), Format::Text);
        assert_eq!(Format::of(b"\0\x01"), Format::Unknown);
    }
}
