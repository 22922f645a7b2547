//! What an H.264 stream says about all its pictures, checked before a decoder sees it.

use std::path::Path;

use rust_h264::nal::{SpsInfo, parse_annex_b, parse_sps_info};
use rusty_h264_decoder::{Pps, Sps};

use super::DecodeLimits;
use super::access_unit::AccessUnit;
use super::yuv::{Colour, ContainerColour, Matrix};
use crate::DataError;

/// The most reference pictures any level of the standard allows.
const MAX_REFERENCES: u32 = 16;
/// The number the standard gives what is not said.
const UNSPECIFIED: u8 = 2;

/// What was read from the sequence parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ParameterSets {
    /// Width and height of a picture as it is shown.
    pub(super) size: [usize; 2],
    /// What it says of its colours.
    colour: ContainerColour,
    /// How its chroma is sampled.
    pub(super) chroma: &'static str,
    /// What no decoder here knows, if anything.
    pub(super) unknown: Option<&'static str>,
    /// Whether pictures are cropped at the left or the top, which `rusty_h264` overlooks.
    pub(super) cropped_at_origin: bool,
}

impl ParameterSets {
    /// Reads the sequence parameters among `units`; if there are several, they must agree.
    pub(super) fn read(
        units: &AccessUnit,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Option<Self>, DataError> {
        let broken = |fault| DataError::BrokenVideo {
            path: path.to_path_buf(),
            fault,
        };
        let mut found: Option<Self> = None;
        for unit in units.sequence_parameters() {
            let announced = [&[0, 0, 1], unit].concat();
            let units = parse_annex_b(&announced);
            let Some(unit) = units.first() else {
                return Err(broken("its sequence parameters cannot be read"));
            };
            let info = parse_sps_info(unit)
                .map_err(|_| broken("its sequence parameters cannot be read"))?;
            // Coded, not shown: memory is taken for what cropping hides, too.
            let coded = [info.coded_width.into(), info.coded_height.into()];
            limits.check_size(path, coded)?;
            limits.check_size(path, [info.width.into(), info.height.into()])?;
            if info.reference_frames > MAX_REFERENCES {
                return Err(broken("it asks for more reference frames than H.264 knows"));
            }
            let sets = Self::of(&info, &unit.rbsp);
            if found.replace(sets).is_some_and(|earlier| earlier != sets) {
                return Err(broken("its frames change their size or colours half way"));
            }
        }
        Ok(found)
    }

    fn of(info: &SpsInfo, payload: &[u8]) -> Self {
        // Where `rusty_h264` cannot read the parameters, it is never asked for pictures.
        let cropped_at_origin =
            Sps::parse(payload).is_ok_and(|sps| sps.frame_crop_left > 0 || sps.frame_crop_top > 0);
        // The library does not tell a missing description from one that says nothing.
        let described = [info.primaries, info.transfer, info.matrix]
            .into_iter()
            .any(|code| code != UNSPECIFIED);
        Self {
            size: [info.width as usize, info.height as usize],
            colour: ContainerColour {
                matrix: described.then(|| Matrix::of_h273(info.matrix.into())),
                full_range: (described || info.full_range).then_some(info.full_range),
            },
            chroma: match info.chroma_format {
                0 => "4:0:0",
                1 => "4:2:0",
                2 => "4:2:2",
                _ => "4:4:4",
            },
            unknown: unknown(info),
            cropped_at_origin,
        }
    }

    /// How the colours are coded, `container` being asked for what the stream does not say, as in
    /// FFmpeg.
    pub(super) fn colour(&self, container: ContainerColour) -> Colour {
        let matrix = self.colour.matrix.or(container.matrix);
        let full_range = self.colour.full_range.or(container.full_range);
        Colour {
            matrix: matrix.unwrap_or(Matrix::Bt601),
            full_range: full_range.unwrap_or(false),
        }
    }
}

/// What neither decoder knows: both have 4:2:0, one of them 4:2:2, grey and ten bits, too.
fn unknown(info: &SpsInfo) -> Option<&'static str> {
    match (info.chroma_format, info.bit_depth_luma, info.matrix) {
        (3, _, 0) => Some("H.264 in RGB (4:4:4 chroma)"),
        (3, ..) => Some("H.264 with 4:4:4 chroma"),
        (_, 8 | 10, _) => None,
        _ => Some("H.264 with other than 8 or 10 bits of luma and chroma"),
    }
}

/// Whether every picture is coded arithmetically, as far as the picture parameters among `units`
/// tell.
pub(super) fn is_arithmetically_coded(units: &AccessUnit) -> bool {
    let mut told = false;
    for unit in units.picture_parameters() {
        let announced = [&[0, 0, 1], unit].concat();
        let arithmetic = parse_annex_b(&announced)
            .first()
            .and_then(|unit| Pps::parse(&unit.rbsp).ok())
            .is_some_and(|parameters| parameters.entropy_coding_mode_flag);
        if !arithmetic {
            return false;
        }
        told = true;
    }
    told
}
