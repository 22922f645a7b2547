//! The video track of an mp4, m4v or mov file.
//!
//! Of several H.264 tracks the one with the most pixels is taken, as other readers do. Boxes are
//! walked here, each step over at least its header, so that no size can make the walk stand still.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use mp4_atom::{Atom, Avcc, Codec, Colr, Decode, FourCC, Header, Moov, ReadFrom, Trak};

use super::DecodeLimits;
use super::access_unit::AccessUnit;
use super::limits::at_most;
use super::media::Media;
use super::parameter_sets::is_arithmetically_coded;
use super::pixel_aspect::PixelAspect;
use super::rotation::Rotation;
use super::sample_table::SampleTable;
use super::yuv::{ContainerColour, Matrix};
use crate::DataError;

/// More boxes than any film has at its top level.
const MAX_BOXES: usize = 100_000;
/// More than the boxes of any film take.
const MAX_MOOV_BYTES: u64 = 256 << 20;

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
    /// How long it is shown.
    pub(super) seconds: Option<f64>,
}

impl VideoTrack {
    /// Finds the best H.264 track of a file of `file_bytes` bytes.
    pub(super) fn read(
        file: &mut Media,
        file_bytes: u64,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Self, DataError> {
        let moov = read_moov(file, file_bytes, path)?;
        let track = best_track(&moov, path)?;
        let boxes = &track.mdia.minf.stbl;
        if boxes
            .stsc
            .entries
            .iter()
            .any(|run| run.sample_description_index != 1)
        {
            return Err(broken(path, "it changes its coding half way"));
        }
        let Some((_, parameters)) = h264(&track) else {
            return Err(broken(path, "it has no video"));
        };
        let table = SampleTable::read(boxes, file_bytes, path, limits)?;
        let rotation = Rotation::of(&track.tkhd.matrix);
        Ok(Self {
            seconds: seconds(&track),
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
            seconds: None,
        }
    }
}

/// The contents of the box that describes the film.
fn read_moov(file: &mut Media, file_bytes: u64, path: &Path) -> Result<Vec<u8>, DataError> {
    let unreadable = |source| DataError::Read {
        path: path.to_path_buf(),
        source,
    };
    let mut at = 0;
    for _ in 0..MAX_BOXES {
        file.seek(SeekFrom::Start(at)).map_err(unreadable)?;
        let Some(header) =
            Option::<Header>::read_from(file).map_err(|source| mp4_box(path, source))?
        else {
            return Err(broken(
                path,
                "it has no moov box: the file is cut short or no film",
            ));
        };
        let body = file.stream_position().map_err(unreadable)?;
        let rest = file_bytes.saturating_sub(body);
        // A size of zero means: to the end of the file.
        let size = header.size.map_or(rest, |size| size as u64);
        if header.kind == Moov::KIND {
            if size > rest {
                return Err(broken(
                    path,
                    "its moov box lies beyond its end: the file is cut short",
                ));
            }
            at_most(
                path,
                "the size of the moov box in bytes",
                size,
                MAX_MOOV_BYTES,
            )?;
            let mut moov = vec![0; size as usize];
            file.read_exact(&mut moov).map_err(unreadable)?;
            return Ok(moov);
        }
        at = body.saturating_add(size);
    }
    Err(broken(path, "it has more boxes than any film"))
}

/// The H.264 track with the most pixels.
fn best_track(mut moov: &[u8], path: &Path) -> Result<Trak, DataError> {
    let mut best: Option<(u64, Trak)> = None;
    let mut unknown_codec = None;
    let mut unreadable = None;
    while moov.len() >= 8 {
        let header = Header::decode(&mut moov).map_err(|source| mp4_box(path, source))?;
        let size = header.size.unwrap_or(moov.len());
        let Some((body, rest)) = moov.split_at_checked(size) else {
            return Err(broken(path, "a box is longer than the box it lies in"));
        };
        moov = rest;
        if header.kind != Trak::KIND {
            continue;
        }
        // A track nobody needs may be broken.
        let track = match Trak::decode_body(&mut &body[..]) {
            Ok(track) => track,
            Err(source) => {
                unreadable.get_or_insert(source);
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
    match (best, unknown_codec, unreadable) {
        (Some((_, track)), ..) => Ok(track),
        (None, Some(codec), _) => Err(DataError::UnknownCodec {
            path: path.to_path_buf(),
            codec,
        }),
        (None, None, Some(source)) => Err(mp4_box(path, source)),
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

/// The sum of all durations.
fn seconds(track: &Trak) -> Option<f64> {
    let timescale = track.mdia.mdhd.timescale;
    let runs = &track.mdia.minf.stbl.stts.entries;
    let sum: f64 = runs
        .iter()
        .map(|run| f64::from(run.sample_count) * f64::from(run.sample_delta))
        .sum();
    (timescale > 0 && sum > 0.0).then(|| sum / f64::from(timescale))
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

fn broken(path: &Path, fault: &'static str) -> DataError {
    DataError::BrokenVideo {
        path: path.to_path_buf(),
        fault,
    }
}

fn mp4_box(path: &Path, source: mp4_atom::Error) -> DataError {
    DataError::Mp4Box {
        path: path.to_path_buf(),
        source,
    }
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
    fn a_film_without_tracks_has_no_video() {
        let error = read(b"\0\0\0\x08moov");

        assert_eq!(error.to_string(), "a.mp4: it has no video");
    }
}
