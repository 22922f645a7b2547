//! The two H.264 decoders behind one interface: a coded picture in, its planes out.
//!
//! The first is the faster one and refuses what it does not know. The second knows more (fields,
//! ten bits, 4:2:2) and is asked only where the first refuses, because it forgives faults in the
//! later slices of a picture; such pictures are refused here instead.

use rust_h264::decoder::{ChromaFormat, Decoder as SecondDecoder, Frame};
use rust_h264::error::DecodeError as SecondError;
use rust_h264::nal::{NalUnitType, parse_annex_b};
use rusty_h264_decoder::{DecodeError as FirstError, Decoder as FirstDecoder};

use super::access_unit::AccessUnit;
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

/// Set bits end most slices early where a decoder reads on into them, and the picture is left
/// incomplete.
const SET_BITS: [u8; 32] = [0xff; 32];
/// Other bits, for a second look.
const MIXED_BITS: [u8; 32] = [0x5a; 32];

/// Decodes coded pictures one by one, in the order they are stored.
pub(super) trait PictureDecoder {
    /// Decodes one picture, or takes up parameter sets.
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Planes>, Fault>;
}

/// `rusty_h264`: 8-bit 4:2:0 frames.
#[derive(Default)]
pub(super) struct First(FirstDecoder);

impl PictureDecoder for First {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Planes>, Fault> {
        let decoded = self.0.decode(&unit.stream(&SET_BITS));
        let picture = decoded.map_err(|error| match error {
            FirstError::Unsupported(_) => Fault::Refused(error.into()),
            _ => Fault::Damaged(error.into()),
        })?;
        Ok(picture.map(|picture| Planes {
            width: picture.width,
            height: picture.height,
            columns_per_chroma: 2,
            rows_per_chroma: 2,
            y: picture.y,
            u: picture.u,
            v: picture.v,
        }))
    }
}

/// `rust_h264`: fields and ten bits as well.
///
/// It completes whatever is missing of a picture without a word. So two of them decode the same
/// slices with different bytes behind, and only what does not depend on these is believed.
#[derive(Default)]
pub(super) struct Second {
    decoder: SecondDecoder,
    twin: SecondDecoder,
}

impl PictureDecoder for Second {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Planes>, Fault> {
        let picture = decode_second(&mut self.decoder, &unit.stream(&SET_BITS))?;
        let twin = decode_second(&mut self.twin, &unit.stream(&MIXED_BITS))?;
        if picture != twin {
            return Err(Fault::Damaged(
                "a slice ends before its picture does".into(),
            ));
        }
        Ok(picture)
    }
}

fn decode_second(decoder: &mut SecondDecoder, stream: &[u8]) -> Result<Option<Planes>, Fault> {
    for unit in parse_annex_b(stream) {
        let slice = matches!(
            unit.nal_unit_type,
            NalUnitType::Slice | NalUnitType::SliceIdr
        );
        if slice && !begins_picture(&unit.rbsp) {
            return Err(Fault::Refused("its pictures come in several slices".into()));
        }
        let earlier = decoder.decode_nal(&unit).map_err(|error| match error {
            SecondError::Unsupported(_) => Fault::Refused(error.into()),
            _ => Fault::Damaged(error.into()),
        })?;
        if earlier.is_some() {
            return Err(Fault::Damaged("two pictures are stored as one".into()));
        }
    }
    // Without this the picture would come out with the next one.
    Ok(decoder.flush().map(eight_bits))
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
        columns_per_chroma: 2,
        rows_per_chroma: match frame.chroma_format {
            ChromaFormat::Yuv422 => 1,
            _ => 2,
        },
        y: plane(frame.y),
        u: plane(frame.u),
        v: plane(frame.v),
    }
}
