//! Every other codec and container, through FFmpeg's libraries (feature `ffmpeg`).
//!
//! All coded pictures are read first, so that their number is counted and never believed. Then, as
//! with the built-in decoders, decoding jumps to the picture a wanted frame's group begins with and
//! drops what no other picture refers to. Every error that the libraries report ends the file:
//! going on after one yields wrong pictures.

mod convert;
mod packets;

use std::collections::BTreeSet;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ffmpeg_next as ffmpeg;

use ffmpeg::codec::decoder::{Check, Conceal};
use ffmpeg::format::context::{Input, StreamIo};
use ffmpeg::{Discard, Error, Rational, codec, media};

use self::convert::Converter;
use self::packets::{Edited, Packets};
use super::DecodeLimits;
use super::decoded_frame::{DecodedFrame, FrameSink, WantedFrames};
use super::decoder::{VideoDecoder, check_indices};
use super::limits::Deadline;
use super::pixel_aspect::PixelAspect;
use super::rotation::Rotation;
use super::sample_table::SampleTable;
use crate::DataError;

/// What a stream's decoder needs, and its coded pictures.
pub(super) struct FfmpegVideo {
    path: PathBuf,
    limits: DecodeLimits,
    parameters: codec::Parameters,
    packets: Packets,
    coded_size: [usize; 2],
    aspect: PixelAspect,
    rotation: Rotation,
    /// Seconds of the unit that times are given in.
    tick: f64,
    /// Frames a second on average, where the file says so.
    rate: Option<f64>,
    /// What an mp4 file's edit list shows of the packets.
    edited: Option<Edited>,
}

/// How frames are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    /// From the picture their group begins with, leaving out what is not needed.
    Jump,
    /// From the beginning of the file, one after the other.
    Plain,
}

impl VideoDecoder for FfmpegVideo {
    fn coding(&self) -> &'static str {
        self.parameters.id().name()
    }

    fn frame_count(&self) -> usize {
        match &self.edited {
            Some(edited) => edited.packets.len(),
            None => self.packets.len(),
        }
    }

    fn size(&self) -> [usize; 2] {
        self.rotation.size(self.aspect.size(self.coded_size))
    }

    fn seconds(&self) -> Option<f64> {
        if let Some(edited) = &self.edited {
            return edited.seconds;
        }
        match self.packets.duration() {
            Some(ticks) => Some(ticks * self.tick),
            None => Some(self.packets.len() as f64 / self.rate?),
        }
    }

    fn times(&self) -> Option<Vec<Duration>> {
        if let Some(edited) = &self.edited {
            return (!edited.times.is_empty()).then(|| edited.times.clone());
        }
        self.packets.times(self.tick, self.rate)
    }

    fn decode_each(
        &mut self,
        indices: &[usize],
        take: &mut FrameSink<'_>,
    ) -> Result<(), DataError> {
        let deadline = self.limits.start();
        let (frames, size) = (self.frame_count(), self.size());
        check_indices(&self.path, &self.limits, indices, frames, size)?;
        let packets: Vec<usize> = match &self.edited {
            Some(edited) => indices.iter().map(|at| edited.packets[*at]).collect(),
            None => indices.to_vec(),
        };
        let indices = &packets[..];
        let mut wanted = WantedFrames::new(indices, take);
        if self.packets.are_timed() {
            self.run(Method::Jump, indices, &mut wanted, deadline)?;
        }
        // A group may begin with a picture that shows whole frames only later.
        if !wanted.is_complete() {
            self.run(Method::Plain, indices, &mut wanted, deadline)?;
        }
        wanted.finish(&self.path)
    }
}

impl FfmpegVideo {
    /// Reads all coded pictures of the best video stream. Of an mp4 file `tables` has what is shown
    /// of each track; FFmpeg would not tell which packets its edit list hides.
    pub(super) fn open(
        media: impl Read + Seek + Send + 'static,
        tables: Vec<(u32, SampleTable)>,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Self, DataError> {
        let failed = |source: Error| DataError::Ffmpeg {
            path: path.to_path_buf(),
            source: source.into(),
        };
        ffmpeg::init().map_err(failed)?;
        ffmpeg::log::set_level(ffmpeg::log::Level::Quiet);
        let deadline = limits.start();
        let stream = StreamIo::from_read_seek(media).map_err(failed)?;
        let options = (!tables.is_empty()).then(|| {
            let mut options = ffmpeg::Dictionary::new();
            options.set("ignore_editlist", "1");
            options
        });
        let mut input =
            ffmpeg::format::input_from_stream_with_interrupt(stream, None, options, move || {
                deadline.is_over()
            })
            .map_err(|source| match deadline.check(path) {
                Err(slow) => slow,
                Ok(()) => failed(source),
            })?;
        let best =
            input
                .streams()
                .best(media::Type::Video)
                .ok_or_else(|| DataError::BrokenVideo {
                    path: path.to_path_buf(),
                    fault: "it has no video",
                })?;
        let (index, parameters) = (best.index(), best.parameters());
        let track = u32::try_from(best.id()).ok();
        let rotation = rotation(&best);
        let tick = f64::from(best.time_base());
        let rate = ratio(best.avg_frame_rate());
        let rate = rate.map(|[frames, seconds]| f64::from(frames) / f64::from(seconds));
        let decoder = open_decoder(&parameters, limits).map_err(failed)?;
        let coded_size = [decoder.width() as usize, decoder.height() as usize];
        limits.check_size(path, coded_size.map(|side| side as u64))?;
        let aspect = PixelAspect::of(ratio(decoder.aspect_ratio()));
        limits.check_size(path, aspect.size(coded_size).map(|side| side as u64))?;
        let packets = read_packets(&mut input, index, path, limits, deadline)?;
        let mut tables = tables.into_iter();
        let table = tables.find(|(number, _)| track == Some(*number));
        Ok(Self {
            path: path.to_path_buf(),
            limits: limits.clone(),
            edited: table.and_then(|(_, table)| packets.edited(table)),
            parameters,
            packets,
            coded_size,
            aspect,
            rotation,
            tick,
            rate,
        })
    }

    fn run(
        &self,
        method: Method,
        indices: &[usize],
        frames: &mut WantedFrames<'_>,
        deadline: Deadline,
    ) -> Result<(), DataError> {
        let failed = |source| self.undecodable(indices[0], source);
        let mut decoder = open_decoder(&self.parameters, &self.limits).map_err(failed)?;
        let mut output = Output {
            video: self,
            converter: Converter::default(),
            frames,
            shown: 0,
        };
        let wanted: BTreeSet<usize> = indices
            .iter()
            .map(|frame| self.packets.packet_of_frame(*frame))
            .collect();
        let mut next = 0;
        for &packet in &wanted {
            if output.frames.is_complete() {
                return Ok(());
            }
            let start = match method {
                Method::Jump => self.packets.group_start(packet).max(next),
                Method::Plain => next,
            };
            if start > next {
                output.drain(&mut decoder)?;
                decoder.flush();
            }
            for at in start..=packet {
                deadline.check(&self.path)?;
                let dropped = method == Method::Jump && !wanted.contains(&at);
                decoder.skip_frame(if dropped {
                    Discard::NonReference
                } else {
                    Discard::Default
                });
                let sent = decoder.send_packet(self.packets.get(at));
                sent.map_err(|source| self.undecodable(self.packets.frame_of_packet(at), source))?;
                output.receive(&mut decoder)?;
            }
            next = packet + 1;
        }
        // Files without times show their frames in an order only decoding tells.
        if !self.packets.are_timed() {
            for at in next..self.packets.len() {
                if output.frames.is_complete() {
                    return Ok(());
                }
                deadline.check(&self.path)?;
                let sent = decoder.send_packet(self.packets.get(at));
                sent.map_err(|source| self.undecodable(at, source))?;
                output.receive(&mut decoder)?;
            }
        }
        output.drain(&mut decoder)
    }

    fn undecodable(&self, frame: usize, source: Error) -> DataError {
        DataError::Frame {
            path: self.path.clone(),
            frame,
            source: source.into(),
        }
    }
}

impl std::fmt::Debug for FfmpegVideo {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("FfmpegVideo")
            .field("path", &self.path)
            .field("packets", &self.packets.len())
            .field("coded_size", &self.coded_size)
            .finish_non_exhaustive()
    }
}

/// Takes the frames that come out of a decoder.
struct Output<'a, 'b> {
    video: &'a FfmpegVideo,
    converter: Converter,
    frames: &'a mut WantedFrames<'b>,
    /// Frames that came out.
    shown: usize,
}

impl Output<'_, '_> {
    /// Everything that is left in the decoder.
    fn drain(&mut self, decoder: &mut ffmpeg::decoder::Video) -> Result<(), DataError> {
        match decoder.send_eof() {
            Ok(()) | Err(Error::Eof) => self.receive(decoder),
            Err(source) => Err(self.video.undecodable(self.shown, source)),
        }
    }

    /// Everything that can be had without another packet.
    fn receive(&mut self, decoder: &mut ffmpeg::decoder::Video) -> Result<(), DataError> {
        let video = self.video;
        let mut picture = ffmpeg::frame::Video::empty();
        loop {
            match decoder.receive_frame(&mut picture) {
                Ok(()) => {}
                Err(Error::Eof) => return Ok(()),
                Err(Error::Other { errno }) if errno == ffmpeg::error::EAGAIN => return Ok(()),
                Err(source) => return Err(video.undecodable(self.shown, source)),
            }
            let frame = match picture.timestamp().or(picture.pts()) {
                Some(time) if video.packets.are_timed() => video.packets.frame_at(time),
                _ => Some(self.shown),
            };
            self.shown += 1;
            let Some(frame) = frame.filter(|frame| self.frames.wants(*frame)) else {
                continue;
            };
            let damaged = picture.is_corrupt() || picture.has_decode_errors();
            let size = [picture.width() as usize, picture.height() as usize];
            if damaged || size != video.coded_size {
                return Err(video.undecodable(frame, Error::InvalidData));
            }
            let (planes, colour) = self
                .converter
                .planes(&picture)
                .map_err(|source| video.undecodable(frame, source))?;
            let shown = DecodedFrame::of_planes(&planes, colour, video.aspect, video.rotation);
            self.frames.place(frame, &shown);
        }
    }
}

/// Opens a decoder that reports what it finds wrong, on this thread.
fn open_decoder(
    parameters: &codec::Parameters,
    limits: &DecodeLimits,
) -> Result<ffmpeg::decoder::Video, Error> {
    let mut context = codec::Context::from_parameters(parameters.clone())?;
    context.set_threading(codec::threading::Config::count(1));
    let mut decoder = context.decoder();
    decoder.check(Check::CRC | Check::BITSTREAM | Check::BUFFER | Check::EXPLODE);
    decoder.conceal(Conceal::empty());
    let codec = ffmpeg::decoder::find(parameters.id()).ok_or(Error::DecoderNotFound)?;
    let mut options = ffmpeg::Dictionary::new();
    options.set("max_pixels", &limits.max_pixels_per_frame.to_string());
    decoder.open_as_with(codec, options)?.video()
}

/// Reads the coded pictures of one stream.
fn read_packets(
    input: &mut Input,
    stream: usize,
    path: &Path,
    limits: &DecodeLimits,
    deadline: Deadline,
) -> Result<Packets, DataError> {
    let mut read = Vec::new();
    let mut bytes = 0_u64;
    loop {
        deadline.check(path)?;
        let mut packet = ffmpeg::Packet::empty();
        match packet.read(input) {
            Ok(()) => {}
            Err(Error::Eof) => break,
            Err(source) => {
                return Err(DataError::Ffmpeg {
                    path: path.to_path_buf(),
                    source: source.into(),
                });
            }
        }
        if packet.stream() != stream || packet.size() == 0 {
            continue;
        }
        if packet.is_corrupt() {
            return Err(DataError::BrokenVideo {
                path: path.to_path_buf(),
                fault: "a coded frame is cut short",
            });
        }
        bytes += packet.size() as u64;
        let held = "the size of the coded frames in bytes, held in memory";
        super::limits::at_most(path, held, bytes, limits.max_decoded_bytes)?;
        read.push(packet);
        super::limits::at_most(
            path,
            "the number of frames",
            read.len() as u64,
            limits.max_frames,
        )?;
    }
    limits.check_frames(path, read.len())?;
    Ok(Packets::new(read))
}

fn rotation(stream: &ffmpeg::Stream<'_>) -> Rotation {
    let matrix = stream
        .side_data()
        .find(|data| data.kind() == codec::packet::side_data::Type::DisplayMatrix);
    let Some(matrix) = matrix else {
        return Rotation::None;
    };
    let entries: Vec<i32> = matrix
        .data()
        .chunks_exact(4)
        .map(|bytes| i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect();
    match entries[..] {
        [a, b, _, c, d, ..] => Rotation::of_entries([a, b, c, d]),
        _ => Rotation::None,
    }
}

/// Numerator and denominator, where both say something.
fn ratio(ratio: Rational) -> Option<[u32; 2]> {
    let part = |part: i32| u32::try_from(part).ok().filter(|part| *part > 0);
    Some([part(ratio.numerator())?, part(ratio.denominator())?])
}
