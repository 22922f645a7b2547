//! The two H.264 decoders behind one interface: a coded picture in, its planes out.
//!
//! The first is the faster one and refuses what it does not know. The second knows more (fields,
//! ten bits, 4:2:2) and is asked only where the first refuses, because it forgives faults in the
//! later slices of a picture; such pictures are refused here instead.

use rust_h264::decoder::{ChromaFormat, Decoder as SecondDecoder, Frame};
use rust_h264::error::DecodeError as SecondError;
use rust_h264::nal::{NalUnitType, parse_annex_b};
use rusty_h264_decoder::{DecodeError as FirstError, Decoder as FirstDecoder};

use super::yuv::Planes;

/// The reason a library gives.
pub(super) type Reason = Box<dyn std::error::Error + Send + Sync>;

/// Why a picture was not decoded.
#[derive(Debug)]
pub(super) enum Fault {
    /// It uses something the decoder does not know.
    Refused(Reason),
    /// It is damaged.
    Damaged(Reason),
}

/// Decodes coded pictures one by one, in the order they are stored.
pub(super) trait PictureDecoder {
    /// Decodes the units of one picture, or parameter sets; each unit begins with a start code.
    fn decode(&mut self, units: &[u8]) -> Result<Option<Planes>, Fault>;
}

/// `rusty_h264`: 8-bit 4:2:0 frames.
#[derive(Default)]
pub(super) struct First(FirstDecoder);

impl PictureDecoder for First {
    fn decode(&mut self, units: &[u8]) -> Result<Option<Planes>, Fault> {
        let picture = self.0.decode(units).map_err(|error| match error {
            FirstError::Unsupported(_) => Fault::Refused(error.into()),
            _ => Fault::Damaged(error.into()),
        })?;
        Ok(picture.map(|picture| Planes {
            width: picture.width,
            height: picture.height,
            rows_per_chroma: 2,
            y: picture.y,
            u: picture.u,
            v: picture.v,
        }))
    }
}

/// `rust_h264`: fields and ten bits as well.
#[derive(Default)]
pub(super) struct Second(SecondDecoder);

impl PictureDecoder for Second {
    fn decode(&mut self, units: &[u8]) -> Result<Option<Planes>, Fault> {
        for unit in parse_annex_b(units) {
            let slice = matches!(
                unit.nal_unit_type,
                NalUnitType::Slice | NalUnitType::SliceIdr
            );
            if slice && !begins_picture(&unit.rbsp) {
                return Err(Fault::Refused("its pictures come in several slices".into()));
            }
            let earlier = self.0.decode_nal(&unit).map_err(|error| match error {
                SecondError::Unsupported(_) => Fault::Refused(error.into()),
                _ => Fault::Damaged(error.into()),
            })?;
            if earlier.is_some() {
                return Err(Fault::Damaged("two pictures are stored as one".into()));
            }
        }
        // Without this the picture would come out with the next one.
        Ok(self.0.flush().map(eight_bits))
    }
}

/// A slice begins with the number of its first macroblock, and zero is coded as a single set bit.
fn begins_picture(slice: &[u8]) -> bool {
    slice.first().is_some_and(|byte| byte & 0x80 != 0)
}

/// The planes of a frame, ten bits shortened to eight.
fn eight_bits(frame: Frame) -> Planes {
    let plane = |samples: Vec<u8>| match frame.bit_depth {
        8 => samples,
        depth => samples
            .chunks_exact(2)
            .map(|sample| (u16::from_le_bytes([sample[0], sample[1]]) >> (depth - 8)) as u8)
            .collect(),
    };
    Planes {
        width: frame.width as usize,
        height: frame.height as usize,
        rows_per_chroma: match frame.chroma_format {
            ChromaFormat::Yuv422 => 1,
            _ => 2,
        },
        y: plane(frame.y),
        u: plane(frame.u),
        v: plane(frame.v),
    }
}
