//! The two H.264 decoders behind one interface: a coded picture in, its planes out.
//!
//! `rusty_h264` is the faster one and refuses what it does not know. `rust_h264` knows more (fields,
//! ten bits, 4:2:2, grey) and is asked only where the other refuses, because it forgives faults in
//! the later slices of a picture; such pictures are refused here instead.

use rust_h264::decoder::{ChromaFormat, Decoder as RustDecoder, Frame};
use rust_h264::error::DecodeError as RustError;
use rust_h264::nal::{NalUnitType, parse_annex_b};
use rusty_h264_decoder::{DecodeError as RustyError, Decoder as RustyDecoder};

use super::access_unit::AccessUnit;
use super::yuv::{Layout, Planes, Subsampling};

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
pub(super) struct RustyH264(RustyDecoder);

impl PictureDecoder for RustyH264 {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Planes>, Fault> {
        let decoded = self.0.decode(&unit.stream(&SET_BITS));
        let picture = decoded.map_err(|error| match error {
            RustyError::Unsupported(_) => Fault::Refused(error.into()),
            _ => Fault::Damaged(error.into()),
        })?;
        let Some(picture) = picture else {
            return Ok(None);
        };
        let layout = Layout {
            subsampling: Subsampling {
                columns: 2,
                rows: 2,
            },
            depth: 8,
        };
        let size = [picture.width, picture.height];
        let planes = Planes::new(size, layout, [picture.y, picture.u, picture.v]);
        planes.map(Some).ok_or_else(smaller)
    }
}

/// `rust_h264`: fields, ten bits, 4:2:2 and grey as well.
///
/// It completes whatever is missing of a picture without a word. So two of them decode the same
/// slices with different bytes behind, and only what does not depend on these is believed.
#[derive(Default)]
pub(super) struct RustH264 {
    decoder: RustDecoder,
    twin: RustDecoder,
}

impl PictureDecoder for RustH264 {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Planes>, Fault> {
        let picture = decode_whole(&mut self.decoder, &unit.stream(&SET_BITS))?;
        let twin = decode_whole(&mut self.twin, &unit.stream(&MIXED_BITS))?;
        if picture != twin {
            return Err(Fault::Damaged(
                "a slice ends before its picture does".into(),
            ));
        }
        Ok(picture)
    }
}

fn decode_whole(decoder: &mut RustDecoder, stream: &[u8]) -> Result<Option<Planes>, Fault> {
    for unit in parse_annex_b(stream) {
        let slice = matches!(
            unit.nal_unit_type,
            NalUnitType::Slice | NalUnitType::SliceIdr
        );
        if slice && !begins_picture(&unit.rbsp) {
            return Err(Fault::Refused("its pictures come in several slices".into()));
        }
        let earlier = decoder.decode_nal(&unit).map_err(|error| match error {
            RustError::Unsupported(_) => Fault::Refused(error.into()),
            _ => Fault::Damaged(error.into()),
        })?;
        if earlier.is_some() {
            return Err(Fault::Damaged("two pictures are stored as one".into()));
        }
    }
    // Without this the picture would come out with the next one.
    decoder.flush().map(planes).transpose()
}

/// A slice begins with the number of its first macroblock, and zero is coded as a single set bit.
fn begins_picture(slice: &[u8]) -> bool {
    slice.first().is_some_and(|byte| byte & 0x80 != 0)
}

/// The planes of a frame.
fn planes(frame: Frame) -> Result<Planes, Fault> {
    let size = [frame.width as usize, frame.height as usize];
    let rows = match frame.chroma_format {
        ChromaFormat::Yuv422 => 1,
        ChromaFormat::Yuv420 => 2,
    };
    let layout = Layout {
        subsampling: Subsampling { columns: 2, rows },
        depth: frame.bit_depth.into(),
    };
    let mut samples = [frame.y, frame.u, frame.v];
    // Only grey pictures have odd sides, and the library forgets their last half column of chroma.
    if size.iter().any(|side| side % 2 == 1) {
        let chroma = size[0].div_ceil(2) * size[1].div_ceil(rows);
        let grey = match layout.depth {
            8 => vec![128; chroma],
            _ => [0, 2].repeat(chroma),
        };
        samples[1..].fill(grey);
    }
    Planes::new(size, layout, samples).ok_or_else(smaller)
}

fn smaller() -> Fault {
    Fault::Damaged("a plane is smaller than its picture".into())
}
