//! From FFmpeg's pictures to 8-bit RGB.
//!
//! The usual planar forms take the same way as those of the built-in decoders, so that both routes
//! give the same colours; FFmpeg converts the rest.

use ffmpeg_next as ffmpeg;

use ffmpeg::Error;
use ffmpeg::color::{Range, Space};
use ffmpeg::format::Pixel;
use ffmpeg::frame::Video;
use ffmpeg::software::scaling::{Context, Flags};

use crate::video::yuv::{Colour, Matrix, Planes, append_rgb};

/// How the planes of a picture are stored.
struct Layout {
    bits: usize,
    columns_per_chroma: usize,
    rows_per_chroma: usize,
    full_range: bool,
}

impl Layout {
    fn of(format: Pixel) -> Option<Self> {
        let (bits, columns_per_chroma, rows_per_chroma, full_range) = match format {
            Pixel::YUV420P => (8, 2, 2, false),
            Pixel::YUV422P => (8, 2, 1, false),
            Pixel::YUV444P => (8, 1, 1, false),
            Pixel::YUVJ420P => (8, 2, 2, true),
            Pixel::YUVJ422P => (8, 2, 1, true),
            Pixel::YUVJ444P => (8, 1, 1, true),
            Pixel::YUV420P10LE => (10, 2, 2, false),
            Pixel::YUV422P10LE => (10, 2, 1, false),
            Pixel::YUV444P10LE => (10, 1, 1, false),
            Pixel::YUV420P12LE => (12, 2, 2, false),
            _ => return None,
        };
        Some(Self {
            bits,
            columns_per_chroma,
            rows_per_chroma,
            full_range,
        })
    }
}

/// Converts pictures, keeping what the next one can use again.
#[derive(Default)]
pub(super) struct Converter {
    scaler: Option<Context>,
}

impl Converter {
    /// The pixels of a picture: `[height, width, 3]`.
    pub(super) fn rgb(&mut self, picture: &Video) -> Result<Vec<u8>, Error> {
        match Layout::of(picture.format()) {
            Some(layout) => Ok(planar(picture, &layout)),
            None => self.scaled(picture),
        }
    }

    fn scaled(&mut self, picture: &Video) -> Result<Vec<u8>, Error> {
        let (format, width, height) = (picture.format(), picture.width(), picture.height());
        let scaler = match &mut self.scaler {
            Some(scaler) => {
                scaler.cached(
                    format,
                    width,
                    height,
                    Pixel::RGB24,
                    width,
                    height,
                    Flags::BILINEAR,
                );
                scaler
            }
            none => none.insert(Context::get(
                format,
                width,
                height,
                Pixel::RGB24,
                width,
                height,
                Flags::BILINEAR,
            )?),
        };
        let mut converted = Video::empty();
        scaler.run(picture, &mut converted)?;
        let (width, height) = (width as usize, height as usize);
        Ok(rows(&converted, 0, width * 3, height))
    }
}

fn planar(picture: &Video, layout: &Layout) -> Vec<u8> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let chroma = [
        width.div_ceil(layout.columns_per_chroma),
        height.div_ceil(layout.rows_per_chroma),
    ];
    let plane = |index, [width, height]: [usize; 2]| {
        if layout.bits == 8 {
            return rows(picture, index, width, height);
        }
        rows(picture, index, width * 2, height)
            .chunks_exact(2)
            .map(|sample| (u16::from_le_bytes([sample[0], sample[1]]) >> (layout.bits - 8)) as u8)
            .collect()
    };
    let planes = Planes {
        width,
        height,
        columns_per_chroma: layout.columns_per_chroma,
        rows_per_chroma: layout.rows_per_chroma,
        y: plane(0, [width, height]),
        u: plane(1, chroma),
        v: plane(2, chroma),
    };
    let colour = Colour {
        matrix: match picture.color_space() {
            Space::BT709 => Matrix::Bt709,
            _ => Matrix::Bt601,
        },
        full_range: layout.full_range || picture.color_range() == Range::JPEG,
    };
    let mut rgb = Vec::new();
    append_rgb(&planes, colour, &mut rgb);
    rgb
}

/// The rows of a plane without what pads them.
fn rows(picture: &Video, index: usize, bytes: usize, height: usize) -> Vec<u8> {
    let (data, stride) = (picture.data(index), picture.stride(index));
    let mut plane = Vec::with_capacity(bytes * height);
    for row in data.chunks(stride).take(height) {
        plane.extend_from_slice(&row[..bytes]);
    }
    plane
}
