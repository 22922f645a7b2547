//! H.264 in mp4, m4v, mov and Matroska.
//!
//! Most of a video is never decoded: for each wanted frame the decoder jumps to the picture its
//! group begins with, and pictures on the way that no other picture refers to are dropped. On
//! ordinary clips this is worth as much as the decoder itself.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::DecodeLimits;
use super::access_unit::AccessUnit;
use super::decoded_frame::{DecodedFrame, FrameSink, WantedFrames};
use super::decoder::{VideoDecoder, check_indices};
use super::limits::Deadline;
use super::media::Media;
use super::mp4::VideoTrack;
use super::parameter_sets::ParameterSets;
use super::picture_decoder::{Fault, PictureDecoder, Reason, RustH264, RustyH264};
use super::yuv::{Colour, Planes};
use crate::DataError;

/// An H.264 video whose boxes have been read.
#[derive(Debug)]
pub(super) struct H264Video {
    path: PathBuf,
    limits: DecodeLimits,
    file: Media,
    track: VideoTrack,
    parameters: ParameterSets,
    colour: Colour,
}

/// Why a decoder did not deliver all frames.
enum Stop {
    /// Another decoder may know how to decode them.
    Refused(Reason),
    Failed(DataError),
}

impl From<DataError> for Stop {
    fn from(error: DataError) -> Self {
        Self::Failed(error)
    }
}

impl VideoDecoder for H264Video {
    fn coding(&self) -> &'static str {
        "H.264"
    }

    fn frame_count(&self) -> usize {
        self.track.table.sample_of_frame.len()
    }

    fn size(&self) -> [usize; 2] {
        let shown = self.track.aspect.size(self.parameters.size);
        self.track.rotation.size(shown)
    }

    fn seconds(&self) -> Option<f64> {
        self.track.table.seconds
    }

    fn times(&self) -> Option<Vec<Duration>> {
        let times = &self.track.table.times;
        (!times.is_empty()).then(|| times.clone())
    }

    fn decode_each(
        &mut self,
        indices: &[usize],
        take: &mut FrameSink<'_>,
    ) -> Result<(), DataError> {
        let deadline = self.limits.start();
        let (frames, size) = (self.frame_count(), self.size());
        check_indices(&self.path, &self.limits, indices, frames, size)?;
        if !self.parameters.cropped_at_origin {
            match self.decode_with(&mut RustyH264::default(), indices, take, deadline) {
                Ok(()) => return Ok(()),
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Refused(_)) => {}
            }
        }
        self.decode_with(&mut RustH264::default(), indices, take, deadline)
            .map_err(|stop| match stop {
                Stop::Failed(error) => error,
                Stop::Refused(reason) => {
                    let chroma = self.parameters.chroma;
                    self.unknown(format!("H.264 like this ({chroma} chroma, {reason})"))
                }
            })
    }
}

impl H264Video {
    /// Reads the boxes and the parameter sets of a file of `bytes` bytes.
    pub(super) fn open(
        mut file: Media,
        bytes: u64,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Self, DataError> {
        let track = VideoTrack::read(&mut file, bytes, path, limits)?;
        Self::of_track(file, track, path, limits)
    }

    /// Reads the parameter sets of a track whose pictures lie in `file`.
    pub(super) fn of_track(
        mut file: Media,
        track: VideoTrack,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Self, DataError> {
        // Some writers store the parameters with the first picture instead of ahead of it.
        let ahead = ParameterSets::read(&track.parameters, path, limits)?;
        let parameters = match ahead {
            Some(parameters) => Some(parameters),
            None => {
                let first = read_sample(&mut file, &track, 0, path)?;
                ParameterSets::read(&first, path, limits)?
            }
        };
        let Some(parameters) = parameters else {
            return Err(DataError::BrokenVideo {
                path: path.to_path_buf(),
                fault: "it lacks the parameters of its frames",
            });
        };
        let shown = track.aspect.size(parameters.size);
        limits.check_size(path, shown.map(|side| side as u64))?;
        let video = Self {
            path: path.to_path_buf(),
            limits: limits.clone(),
            file,
            colour: parameters.colour(track.colour),
            track,
            parameters,
        };
        match parameters.unknown {
            Some(codec) => Err(video.unknown(codec.to_owned())),
            None => Ok(video),
        }
    }

    fn decode_with(
        &mut self,
        decoder: &mut dyn PictureDecoder,
        indices: &[usize],
        take: &mut FrameSink<'_>,
        deadline: Deadline,
    ) -> Result<(), Stop> {
        // A picture may be shown as several frames, so pictures are what is asked for.
        let samples: Vec<usize> = indices
            .iter()
            .map(|frame| self.track.table.sample_of_frame[*frame])
            .collect();
        let mut wanted = WantedFrames::new(&samples, take);
        let samples: BTreeSet<usize> = samples.into_iter().collect();
        decoder
            .decode(&self.track.parameters)
            .map_err(|fault| self.stop(0, fault))?;
        let mut next = 0;
        for sample in samples {
            for at in self.group_start(next, sample, deadline)?..=sample {
                deadline.check(&self.path)?;
                let unit = self.sample(at)?;
                if at == sample {
                    let planes = self.decode_sample(decoder, &unit, at)?;
                    let (aspect, rotation) = (self.track.aspect, self.track.rotation);
                    let frame = DecodedFrame::of_planes(&planes, self.colour, aspect, rotation);
                    wanted.place(at, &frame);
                } else if unit.is_reference() {
                    self.decode_sample(decoder, &unit, at)?;
                }
            }
            next = sample + 1;
        }
        Ok(wanted.finish(&self.path)?)
    }

    /// The last sample from `next` to `sample` that decoding can begin at; `next` if none can,
    /// where the decoder stands already.
    fn group_start(
        &mut self,
        next: usize,
        sample: usize,
        deadline: Deadline,
    ) -> Result<usize, DataError> {
        for at in (next + 1..=sample).rev() {
            // Files mark pictures of open groups, too; only the picture itself is to be trusted.
            if self.track.table.begins[at] {
                deadline.check(&self.path)?;
                if self.sample(at)?.begins_group() {
                    return Ok(at);
                }
            }
        }
        Ok(next)
    }

    fn decode_sample(
        &self,
        decoder: &mut dyn PictureDecoder,
        unit: &AccessUnit,
        at: usize,
    ) -> Result<Planes, Stop> {
        let damaged = |reason: &str| self.stop(at, Fault::Damaged(reason.into()));
        let parameters = ParameterSets::read(unit, &self.path, &self.limits)?;
        if parameters.is_some_and(|parameters| parameters != self.parameters) {
            return Err(damaged("the size or the colours of the frames change"));
        }
        let planes = decoder
            .decode(unit)
            .map_err(|fault| self.stop(at, fault))?
            .ok_or_else(|| damaged("a part of the picture is missing"))?;
        if planes.size() != self.parameters.size {
            return Err(damaged("its size is not the one the file gives"));
        }
        Ok(planes)
    }

    fn sample(&mut self, at: usize) -> Result<AccessUnit, DataError> {
        read_sample(&mut self.file, &self.track, at, &self.path)
    }

    fn stop(&self, sample: usize, fault: Fault) -> Stop {
        let frame = self.track.table.frame_of_sample[sample];
        match fault {
            Fault::Refused(reason) => Stop::Refused(reason),
            Fault::Damaged(reason) => Stop::Failed(self.undecodable(frame, reason)),
        }
    }

    fn unknown(&self, codec: String) -> DataError {
        DataError::UnknownCodec {
            path: self.path.clone(),
            codec,
        }
    }

    fn undecodable(&self, frame: usize, source: Reason) -> DataError {
        DataError::Frame {
            path: self.path.clone(),
            frame,
            source,
        }
    }
}

fn read_sample(
    file: &mut Media,
    track: &VideoTrack,
    at: usize,
    path: &Path,
) -> Result<AccessUnit, DataError> {
    let unreadable = |source| DataError::Read {
        path: path.to_path_buf(),
        source,
    };
    let sample = track.table.samples[at];
    file.seek(SeekFrom::Start(sample.offset))
        .map_err(unreadable)?;
    let mut bytes = vec![0; sample.size as usize];
    file.read_exact(&mut bytes).map_err(unreadable)?;
    AccessUnit::of_sample(&bytes, track.length_bytes, track.arithmetic).map_err(|reason| {
        DataError::Frame {
            path: path.to_path_buf(),
            frame: track.table.frame_of_sample[at],
            source: reason.into(),
        }
    })
}
