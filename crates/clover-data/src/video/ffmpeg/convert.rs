//! From FFmpeg's pictures to planes.
//!
//! The colours are then worked out as those of the built-in decoders are, so that both routes give
//! the same. Forms that are stored in other ways FFmpeg turns into planes first, which leaves the
//! matrix and the range alone; only what has no planes at all (palettes, packed RGB) it turns into
//! RGB itself.

use ffmpeg_next as ffmpeg;

use ffmpeg::Error;
use ffmpeg::color::{Range, Space};
use ffmpeg::format::Pixel;
use ffmpeg::frame::Video;
use ffmpeg::software::scaling::{Context, Flags};

use crate::video::yuv::{Colour, Layout, Matrix, Planes, Subsampling};

/// How the planes of a picture are stored.
#[derive(Clone, Copy)]
struct Form {
    layout: Layout,
    /// What the form says by itself.
    full_range: bool,
    /// Planes of green, blue and red.
    identity: bool,
}

impl Form {
    fn of(format: Pixel) -> Option<Self> {
        let (depth, columns, rows) = match format {
            Pixel::YUV420P | Pixel::YUVJ420P => (8, 2, 2),
            Pixel::YUV422P | Pixel::YUVJ422P => (8, 2, 1),
            Pixel::YUV440P | Pixel::YUVJ440P => (8, 1, 2),
            Pixel::YUV444P | Pixel::YUVJ444P | Pixel::GBRP => (8, 1, 1),
            Pixel::YUV411P | Pixel::YUVJ411P => (8, 4, 1),
            Pixel::YUV410P => (8, 4, 4),
            Pixel::YUV420P9LE => (9, 2, 2),
            Pixel::YUV422P9LE => (9, 2, 1),
            Pixel::YUV444P9LE | Pixel::GBRP9LE => (9, 1, 1),
            Pixel::YUV420P10LE => (10, 2, 2),
            Pixel::YUV422P10LE => (10, 2, 1),
            Pixel::YUV444P10LE | Pixel::GBRP10LE => (10, 1, 1),
            Pixel::YUV420P12LE => (12, 2, 2),
            Pixel::YUV422P12LE => (12, 2, 1),
            Pixel::YUV444P12LE | Pixel::GBRP12LE => (12, 1, 1),
            Pixel::YUV420P14LE => (14, 2, 2),
            Pixel::YUV422P14LE => (14, 2, 1),
            Pixel::YUV444P14LE | Pixel::GBRP14LE => (14, 1, 1),
            _ => return None,
        };
        let full_range = matches!(
            format,
            Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ440P | Pixel::YUVJ444P | Pixel::YUVJ411P
        );
        let identity = matches!(
            format,
            Pixel::GBRP | Pixel::GBRP9LE | Pixel::GBRP10LE | Pixel::GBRP12LE | Pixel::GBRP14LE
        );
        Some(Self {
            layout: Layout {
                subsampling: Subsampling { columns, rows },
                depth,
            },
            full_range,
            identity,
        })
    }
}

/// The planes FFmpeg can turn a form into without touching its colours.
fn as_planes(format: Pixel) -> Pixel {
    match format {
        Pixel::NV12 | Pixel::NV21 | Pixel::YUVA420P => Pixel::YUV420P,
        Pixel::P010LE | Pixel::P010BE | Pixel::YUV420P10BE => Pixel::YUV420P10LE,
        Pixel::YUYV422 | Pixel::UYVY422 | Pixel::YVYU422 | Pixel::NV16 | Pixel::YUVA422P => {
            Pixel::YUV422P
        }
        Pixel::YUV422P10BE | Pixel::YUVA422P10LE | Pixel::NV20LE => Pixel::YUV422P10LE,
        Pixel::UYYVYY411 => Pixel::YUV411P,
        Pixel::NV24 | Pixel::NV42 | Pixel::YUVA444P => Pixel::YUV444P,
        Pixel::YUV444P10BE | Pixel::YUVA444P10LE => Pixel::YUV444P10LE,
        Pixel::YUVA444P12LE => Pixel::YUV444P12LE,
        _ => Pixel::GBRP,
    }
}

/// Converts pictures, keeping what the next one can use again.
#[derive(Default)]
pub(super) struct Converter {
    scaler: Option<Context>,
}

impl Converter {
    /// The planes of a picture and how its colours are coded.
    pub(super) fn planes(&mut self, picture: &Video) -> Result<(Planes, Colour), Error> {
        let full_range = picture.color_range() == Range::JPEG;
        let (form, planes) = match Form::of(picture.format()) {
            Some(form) => (form, planes(picture, form.layout)),
            None => {
                let converted = self.scaled(picture)?;
                let form = Form::of(converted.format()).ok_or(Error::Bug)?;
                (form, planes(&converted, form.layout))
            }
        };
        let colour = Colour {
            matrix: match (form.identity, picture.color_space()) {
                (true, _) => Matrix::Identity,
                (false, Space::BT709) => Matrix::Bt709,
                (false, Space::BT2020NCL | Space::BT2020CL) => Matrix::Bt2020,
                (false, Space::SMPTE240M) => Matrix::Smpte240m,
                (false, Space::FCC) => Matrix::Fcc,
                (false, Space::YCGCO) => Matrix::YCgCo,
                (false, _) => Matrix::Bt601,
            },
            full_range: form.full_range || full_range,
        };
        Ok((planes.ok_or(Error::InvalidData)?, colour))
    }

    fn scaled(&mut self, picture: &Video) -> Result<Video, Error> {
        let (format, width, height) = (picture.format(), picture.width(), picture.height());
        let to = as_planes(format);
        let flags = Flags::BILINEAR;
        let scaler = match &mut self.scaler {
            Some(scaler) => {
                scaler.cached(format, width, height, to, width, height, flags);
                scaler
            }
            none => none.insert(Context::get(
                format, width, height, to, width, height, flags,
            )?),
        };
        let mut converted = Video::empty();
        scaler.run(picture, &mut converted)?;
        Ok(converted)
    }
}

fn planes(picture: &Video, layout: Layout) -> Option<Planes> {
    let size = [picture.width() as usize, picture.height() as usize];
    let chroma = [
        size[0].div_ceil(layout.subsampling.columns),
        size[1].div_ceil(layout.subsampling.rows),
    ];
    let bytes = if layout.depth == 8 { 1 } else { 2 };
    let plane = |index, [width, height]: [usize; 2]| rows(picture, index, width * bytes, height);
    let samples = [plane(0, size)?, plane(1, chroma)?, plane(2, chroma)?];
    Planes::new(size, layout, samples)
}

/// The rows of a plane without what pads them.
fn rows(picture: &Video, index: usize, bytes: usize, height: usize) -> Option<Vec<u8>> {
    let (data, stride) = (picture.data(index), picture.stride(index));
    let mut plane = Vec::with_capacity(bytes * height);
    for row in data.chunks(stride.max(1)).take(height) {
        plane.extend_from_slice(row.get(..bytes)?);
    }
    Some(plane)
}
