//! The video track of an mp4, m4v or mov file.
//!
//! Of several H.264 tracks the one with the most pixels is taken, as other readers do. Its pictures
//! are listed in the box `moov`, in fragments (`moof`) that follow, or first here and then there.
//! Boxes are walked by [`mp4_boxes`](super::mp4_boxes).

use std::path::Path;

use mp4_atom::{Atom, Avcc, Codec, Colr, FourCC, Moov, Mvhd, Trak};

use super::DecodeLimits;
use super::access_unit::AccessUnit;
use super::edit_list::EditList;
use super::fragments::Fragments;
use super::media::Media;
use super::mp4_boxes::{Boxes, TopLevel, broken, unreadable};
use super::parameter_sets::is_arithmetically_coded;
use super::pixel_aspect::PixelAspect;
use super::rotation::Rotation;
use super::sample_table::{CodedSamples, SampleTable};
use super::yuv::{ContainerColour, Matrix};
use crate::DataError;

/// What is needed to decode the pictures of a file.
#[derive(Debug)]
pub(super) struct VideoTrack {
    pub(super) table: SampleTable,
    /// The parameters stored ahead of the pictures.
    pub(super) parameters: AccessUnit,
    /// Whether all its pictures are coded arithmetically.
    pub(super) arithmetic: bool,
    /// Bytes of the length before each unit.
    pub(super) length_bytes: usize,
    pub(super) rotation: Rotation,
    pub(super) aspect: PixelAspect,
    pub(super) colour: ContainerColour,
}

impl VideoTrack {
    /// Finds the best H.264 track of a file of `file_bytes` bytes.
    pub(super) fn read(
        file: &mut Media,
        file_bytes: u64,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Self, DataError> {
        let moov = TopLevel::new(file, file_bytes, path, limits).read_first(Moov::KIND)?;
        let track = best_track(&moov, path)?;
        let Some((_, parameters)) = h264(&track) else {
            return Err(broken(path, "it has no video"));
        };
        let table = sample_table(file, file_bytes, &moov, &track, path, limits)?;
        let rotation = Rotation::of(&track.tkhd.matrix);
        Ok(Self {
            colour: colour(&track),
            ..Self::new(table, parameters, rotation, pixel_aspect(&track))
        })
    }

    /// Puts together what a container says of its pictures.
    pub(super) fn new(
        table: SampleTable,
        parameters: &Avcc,
        rotation: Rotation,
        aspect: PixelAspect,
    ) -> Self {
        Self {
            table,
            arithmetic: is_arithmetically_coded(&units(parameters)),
            parameters: units(parameters),
            length_bytes: parameters.length_size.into(),
            rotation,
            aspect,
            colour: ContainerColour::default(),
        }
    }
}

/// The pictures of a track: those listed in `moov`, then those of all fragments, as its edit list
/// shows them.
fn sample_table(
    file: &mut Media,
    file_bytes: u64,
    moov: &[u8],
    track: &Trak,
    path: &Path,
    limits: &DecodeLimits,
) -> Result<SampleTable, DataError> {
    let boxes = &track.mdia.minf.stbl;
    if boxes
        .stsc
        .entries
        .iter()
        .any(|run| run.sample_description_index != 1)
    {
        return Err(broken(path, "it changes its coding half way"));
    }
    let mut coded = CodedSamples::of_boxes(boxes, file_bytes, path, limits)?;
    let edits = EditList::of_track(track, movie_timescale(moov, path)?, &coded);
    if let Some(fragments) = Fragments::of_track(moov, track, &coded, path)? {
        fragments.read(file, file_bytes, path, limits, &mut coded)?;
    }
    limits.check_frames(path, coded.samples.len())?;
    edits.apply(coded, track.mdia.mdhd.timescale, path, limits)
}

/// What is shown of each video track, by the track's number and whatever it is coded as; nothing of
/// those that cannot be read.
#[cfg(feature = "ffmpeg")]
pub(super) fn tables(
    file: &mut Media,
    file_bytes: u64,
    path: &Path,
    limits: &DecodeLimits,
) -> Result<Vec<(u32, SampleTable)>, DataError> {
    let moov = TopLevel::new(file, file_bytes, path, limits).read_first(Moov::KIND)?;
    let mut tables = Vec::new();
    for child in Boxes::new(&moov, path) {
        let (kind, body) = child?;
        if kind != Trak::KIND {
            continue;
        }
        let video = Trak::decode_body(&mut &body[..])
            .ok()
            .filter(|track| track.mdia.hdlr.handler == FourCC::new(b"vide"));
        let Some(track) = video else { continue };
        match sample_table(file, file_bytes, &moov, &track, path, limits) {
            Ok(table) => tables.push((track.tkhd.track_id, table)),
            // Figures that no file of this size can hold: FFmpeg would set memory aside for them.
            Err(error @ (DataError::BrokenVideo { .. } | DataError::OverLimit { .. })) => {
                return Err(error);
            }
            Err(_) => {}
        }
    }
    Ok(tables)
}

/// Units of a second in which the durations of an edit list are given; zero where it is not said.
fn movie_timescale(moov: &[u8], path: &Path) -> Result<u32, DataError> {
    for child in Boxes::new(moov, path) {
        let (kind, body) = child?;
        if kind == Mvhd::KIND {
            let header =
                Mvhd::decode_body(&mut &body[..]).map_err(|source| unreadable(path, source))?;
            return Ok(header.timescale);
        }
    }
    Ok(0)
}

/// The H.264 track with the most pixels.
fn best_track(moov: &[u8], path: &Path) -> Result<Trak, DataError> {
    let mut best: Option<(u64, Trak)> = None;
    let mut unknown_codec = None;
    let mut first_fault = None;
    for child in Boxes::new(moov, path) {
        let (kind, body) = child?;
        if kind != Trak::KIND {
            continue;
        }
        // A track nobody needs may be broken.
        let track = match Trak::decode_body(&mut &body[..]) {
            Ok(track) => track,
            Err(source) => {
                first_fault.get_or_insert(source);
                continue;
            }
        };
        match h264(&track) {
            Some((pixels, _)) if best.as_ref().is_none_or(|(most, _)| pixels > *most) => {
                best = Some((pixels, track));
            }
            Some(_) => {}
            None => unknown_codec = unknown_codec.or_else(|| video_codec(&track)),
        }
    }
    match (best, unknown_codec, first_fault) {
        (Some((_, track)), ..) => Ok(track),
        (None, Some(codec), _) => Err(DataError::UnknownCodec {
            path: path.to_path_buf(),
            codec,
        }),
        (None, None, Some(source)) => Err(unreadable(path, source)),
        (None, None, None) => Err(broken(path, "it has no video")),
    }
}

/// Pixels of a frame and the parameter sets, if the track is H.264.
fn h264(track: &Trak) -> Option<(u64, &Avcc)> {
    let (visual, parameters) = match track.mdia.minf.stbl.stsd.codecs.first()? {
        Codec::Avc1(codec) => (&codec.visual, &codec.avcc),
        Codec::Avc3(codec) => (&codec.visual, &codec.avcc),
        _ => return None,
    };
    Some((
        u64::from(visual.width) * u64::from(visual.height),
        parameters,
    ))
}

fn pixel_aspect(track: &Trak) -> PixelAspect {
    let pixel = match track.mdia.minf.stbl.stsd.codecs.first() {
        Some(Codec::Avc1(codec)) => codec.pasp.as_ref(),
        Some(Codec::Avc3(codec)) => codec.pasp.as_ref(),
        _ => None,
    };
    PixelAspect::of(pixel.map(|pixel| [pixel.h_spacing, pixel.v_spacing]))
}

fn colour(track: &Trak) -> ContainerColour {
    let colour = match track.mdia.minf.stbl.stsd.codecs.first() {
        Some(Codec::Avc1(codec)) => codec.colr.as_ref(),
        Some(Codec::Avc3(codec)) => codec.colr.as_ref(),
        _ => None,
    };
    let (matrix, full_range) = match colour {
        Some(Colr::Nclx {
            matrix_coefficients,
            full_range_flag,
            ..
        }) => (Some(*matrix_coefficients), Some(*full_range_flag)),
        Some(Colr::Nclc {
            matrix_coefficients,
            ..
        }) => (Some(*matrix_coefficients), None),
        _ => (None, None),
    };
    ContainerColour {
        matrix: matrix.map(Matrix::of_h273),
        full_range,
    }
}

fn units(parameters: &Avcc) -> AccessUnit {
    let mut units = AccessUnit::default();
    let sequence = parameters.sequence_parameter_sets.iter();
    for unit in sequence.chain(&parameters.picture_parameter_sets) {
        units.push(unit);
    }
    units
}

/// The name of the codec, if the track is video.
fn video_codec(track: &Trak) -> Option<String> {
    if track.mdia.hdlr.handler != FourCC::new(b"vide") {
        return None;
    }
    Some(match track.mdia.minf.stbl.stsd.codecs.first() {
        Some(Codec::Unknown(name, _)) => name.to_string(),
        Some(Codec::Hev1(_) | Codec::Hvc1(_)) => "H.265".to_owned(),
        Some(Codec::Vp08(_)) => "VP8".to_owned(),
        Some(Codec::Vp09(_)) => "VP9".to_owned(),
        Some(Codec::Av01(_)) => "AV1".to_owned(),
        Some(Codec::Jpeg(_)) => "motion JPEG".to_owned(),
        _ => "an unknown codec".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(contents: &[u8]) -> DataError {
        let mut file = Media::from(contents.to_vec());
        let (bytes, limits) = (contents.len() as u64, DecodeLimits::default());
        VideoTrack::read(&mut file, bytes, Path::new("a.mp4"), &limits).unwrap_err()
    }

    #[test]
    fn a_box_of_size_zero_reaches_to_the_end_and_the_walk_ends() {
        let error = read(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\0free\0\0\0\0");

        assert!(
            error.to_string().starts_with("a.mp4: it has no moov box"),
            "{error}"
        );
    }

    #[test]
    fn a_box_smaller_than_its_own_header_is_an_error() {
        let error = read(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x04free\0\0\0\0");

        assert!(matches!(error, DataError::Mp4Box { .. }), "{error}");
    }

    #[test]
    fn a_moov_box_that_claims_more_than_the_file_is_refused() {
        let error = read(b"\x7f\0\0\0moov\0\0\0\0");

        assert!(error.to_string().contains("cut short"), "{error}");
    }

    #[test]
    fn a_video_without_tracks_has_no_video() {
        let error = read(b"\0\0\0\x08moov");

        assert_eq!(error.to_string(), "a.mp4: it has no video");
    }
}
