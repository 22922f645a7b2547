//! What an H.264 stream says about all its pictures, checked before a decoder sees it.

use std::path::Path;

use rust_h264::nal::{SpsInfo, parse_annex_b, parse_sps_info};
use rusty_h264_decoder::{Pps, Sps};

use super::DecodeLimits;
use super::access_unit::AccessUnit;
use super::yuv::{Colour, Matrix};
use crate::DataError;

/// The most reference pictures any level of the standard allows.
const MAX_REFERENCES: u32 = 16;
/// The number the standard gives BT.709.
const BT709: u8 = 1;

/// What was read from the sequence parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ParameterSets {
    /// Width and height of a picture as it is shown.
    pub(super) size: [usize; 2],
    /// How its colours are coded.
    pub(super) colour: Colour,
    /// Whether pictures are cropped at the left or the top, which the first decoder overlooks.
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
        // Where the first decoder cannot read the parameters, it is never asked for pictures.
        let cropped_at_origin =
            Sps::parse(payload).is_ok_and(|sps| sps.frame_crop_left > 0 || sps.frame_crop_top > 0);
        Self {
            size: [info.width as usize, info.height as usize],
            colour: Colour {
                matrix: match info.matrix {
                    BT709 => Matrix::Bt709,
                    _ => Matrix::Bt601,
                },
                full_range: info.full_range,
            },
            cropped_at_origin,
        }
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
