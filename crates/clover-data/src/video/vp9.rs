//! VP9, as WebM files hold it.
//!
//! Decoding jumps to the key picture before a wanted frame. Nothing on the way is dropped: VP9
//! predicts motion from the picture decoded before, whether or not that was meant to be referred to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusty_vp9::{BitReader, DecodedFrame as Picture, Error, FrameHeader, Vp9Decoder};

use super::DecodeLimits;
use super::decoded_frame::{DecodedFrame, FrameSink, WantedFrames};
use super::decoder::{VideoDecoder, check_indices};
use super::matroska::CodedPictures;
use super::pixel_aspect::PixelAspect;
use super::rotation::Rotation;
use super::sample_table::Sample;
use super::yuv::{Colour, Layout, Matrix, Planes, Subsampling};
use crate::DataError;
use crate::catch_panic;

/// A VP9 video whose coded pictures are in memory.
#[derive(Debug)]
pub(super) struct Vp9Video {
    path: PathBuf,
    limits: DecodeLimits,
    pictures: CodedPictures,
    /// The packets that show a frame, in order.
    shown: Vec<usize>,
    /// Whether decoding can begin at a packet.
    begins: Vec<bool>,
    coded_size: [usize; 2],
    aspect: PixelAspect,
    colour: Colour,
}

impl VideoDecoder for Vp9Video {
    fn coding(&self) -> &'static str {
        "VP9"
    }

    fn frame_count(&self) -> usize {
        self.shown.len()
    }

    fn size(&self) -> [usize; 2] {
        self.aspect.size(self.coded_size)
    }

    fn seconds(&self) -> Option<f64> {
        self.pictures.seconds
    }

    fn times(&self) -> Option<Vec<Duration>> {
        let packets = self.shown.iter();
        Some(packets.map(|packet| self.pictures.times[*packet]).collect())
    }

    fn decode_each(
        &mut self,
        indices: &[usize],
        take: &mut FrameSink<'_>,
    ) -> Result<(), DataError> {
        let deadline = self.limits.start();
        let (count, size) = (self.frame_count(), self.size());
        check_indices(&self.path, &self.limits, indices, count, size)?;
        let mut wanted = WantedFrames::new(indices, take);
        let mut decoder = Vp9Decoder::new();
        let mut frames = indices.to_vec();
        frames.sort_unstable();
        frames.dedup();
        let mut next = 0;
        for frame in frames {
            let packet = self.shown[frame];
            let key = (next..=packet).rev().find(|at| self.begins[*at]);
            if let Some(key) = key.filter(|key| *key > next) {
                decoder = Vp9Decoder::new();
                next = key;
            }
            for at in next..=packet {
                deadline.check(&self.path)?;
                let picture = self.decode_packet(&mut decoder, at, frame)?;
                if at == packet {
                    let picture = picture.ok_or_else(|| {
                        self.undecodable(frame, "its packet shows no picture".into())
                    })?;
                    let planes = self.planes(picture, frame)?;
                    let upright = Rotation::None;
                    let shown = DecodedFrame::of_planes(&planes, self.colour, self.aspect, upright);
                    wanted.place(frame, &shown);
                }
            }
            next = packet + 1;
        }
        wanted.finish(&self.path)
    }
}

impl Vp9Video {
    /// Reads the headers of all pictures.
    pub(super) fn open(
        pictures: CodedPictures,
        aspect: PixelAspect,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Self, DataError> {
        let mut video = Self {
            path: path.to_path_buf(),
            limits: limits.clone(),
            shown: Vec::new(),
            begins: Vec::new(),
            coded_size: [0; 2],
            aspect,
            colour: Colour {
                matrix: Matrix::Bt601,
                full_range: false,
            },
            pictures,
        };
        for at in 0..video.pictures.samples.len() {
            let headers = video.headers(at)?;
            for header in &headers {
                let size = [header.width.into(), header.height.into()];
                if size != [0; 2] {
                    // Checked for every picture: each may ask for memory of its own.
                    limits.check_size(path, size)?;
                }
            }
            let is_key = |header: &FrameHeader| header.key_frame && !header.show_existing_frame;
            let key = headers.first().filter(|header| is_key(header));
            if let Some(key) = key.filter(|_| video.coded_size == [0; 2]) {
                video.coded_size = [key.width as usize, key.height as usize];
                video.colour = colour(key, parts(video.packet(at))[0]);
            }
            video.begins.push(key.is_some());
            if headers
                .iter()
                .any(|header| header.show_frame || header.show_existing_frame)
            {
                video.shown.push(at);
            }
        }
        if video.coded_size == [0; 2] {
            return Err(DataError::BrokenVideo {
                path: path.to_path_buf(),
                fault: "it has no picture that decoding could begin at",
            });
        }
        limits.check_frames(path, video.shown.len())?;
        limits.check_size(path, aspect.size(video.coded_size).map(|side| side as u64))?;
        Ok(video)
    }

    fn decode_packet(
        &self,
        decoder: &mut Vp9Decoder,
        at: usize,
        frame: usize,
    ) -> Result<Option<Picture>, DataError> {
        let bytes = self.packet(at);
        // The decoder trusts its input more than it should; a panic costs this file only.
        let decoded = catch_panic(|| {
            decoder.push(bytes, None)?;
            let mut shown = None;
            // A packet holds eight pictures at most.
            for _ in 0..=8 {
                match decoder.next_frame() {
                    Ok(picture) => shown = Some(picture),
                    Err(Error::Again) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(shown)
        });
        match decoded {
            Ok(Ok(shown)) => Ok(shown),
            Ok(Err(error)) => Err(self.undecodable(frame, Box::new(error))),
            Err(_) => Err(self.undecodable(frame, "the decoder panicked".into())),
        }
    }

    /// The samples of a picture.
    fn planes(&self, picture: Picture, frame: usize) -> Result<Planes, DataError> {
        let size = [picture.width as usize, picture.height as usize];
        let planes: Option<[Vec<u8>; 3]> = picture.planes.try_into().ok();
        let samples = planes.filter(|_| size == self.coded_size);
        let layout = Layout {
            subsampling: Subsampling {
                columns: 1 << picture.subsampling_x,
                rows: 1 << picture.subsampling_y,
            },
            depth: picture.bit_depth,
        };
        let planes = samples.and_then(|samples| Planes::new(size, layout, samples));
        planes
            .ok_or_else(|| self.undecodable(frame, "its size is not the one the file gives".into()))
    }

    fn packet(&self, at: usize) -> &[u8] {
        let Sample { offset, size } = self.pictures.samples[at];
        &self.pictures.bytes[offset as usize..offset as usize + size as usize]
    }

    /// What the pictures of a packet say of themselves.
    fn headers(&self, at: usize) -> Result<Vec<FrameHeader>, DataError> {
        parts(self.packet(at))
            .into_iter()
            .map(header)
            .collect::<Result<_, _>>()
            .map_err(|source| self.undecodable(self.shown.len(), Box::new(source)))
    }

    fn undecodable(
        &self,
        frame: usize,
        source: Box<dyn std::error::Error + Send + Sync>,
    ) -> DataError {
        DataError::Frame {
            path: self.path.clone(),
            frame,
            source,
        }
    }
}

fn header(part: &[u8]) -> Result<FrameHeader, Error> {
    // Sizes taken over from earlier pictures are none here: those were checked themselves.
    rusty_vp9::parse_uncompressed_header(&mut BitReader::new(part), &[(0, 0); 8])
}

/// How the colours of a key picture are coded. As in FFmpeg, the picture alone decides, whatever its
/// container says.
fn colour(key: &FrameHeader, picture: &[u8]) -> Colour {
    // VP9 specification, section 7.2.2.
    let matrix = match key.color_space {
        2 => Matrix::Bt709,
        4 => Matrix::Smpte240m,
        5 => Matrix::Bt2020,
        7 => Matrix::Identity,
        _ => Matrix::Bt601,
    };
    Colour {
        matrix,
        full_range: color_range(key, picture).unwrap_or(false),
    }
}

/// The bit behind the colour space, which the library reads and does not hand on.
fn color_range(key: &FrameHeader, picture: &[u8]) -> Result<bool, Error> {
    let mut bits = BitReader::new(picture);
    // Frame marker and profile, a reserved bit of profile 3, four flags, the sync code.
    bits.f(4 + u32::from(key.profile == 3) + 4)?;
    bits.f(24)?;
    // The depth where there is a choice, the colour space.
    bits.f(u32::from(key.profile >= 2) + 3)?;
    Ok(bits.f1()? == 1)
}

/// The pictures of a packet: an index at its end says how long each is (VP9 specification,
/// annex B).
fn parts(packet: &[u8]) -> Vec<&[u8]> {
    indexed_parts(packet).unwrap_or_else(|| vec![packet])
}

fn indexed_parts(packet: &[u8]) -> Option<Vec<&[u8]>> {
    let marker = *packet.last()?;
    if marker & 0xe0 != 0xc0 {
        return None;
    }
    let count = usize::from(marker & 7) + 1;
    let width = usize::from(marker >> 3 & 3) + 1;
    let (mut rest, index) =
        packet.split_at_checked(packet.len().checked_sub(2 + count * width)?)?;
    if index[0] != marker {
        return None;
    }
    let mut parts = Vec::with_capacity(count);
    for length in index[1..=count * width].chunks_exact(width) {
        let length = length
            .iter()
            .rev()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (part, after) = rest.split_at_checked(length)?;
        if !part.is_empty() {
            parts.push(part);
        }
        rest = after;
    }
    (!parts.is_empty()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_at_the_end_cuts_a_packet() {
        let packet = [1, 2, 3, 0xc1, 1, 2, 0xc1];

        assert_eq!(parts(&packet), [&[1][..], &[2, 3]]);
    }

    #[test]
    fn an_index_that_claims_too_much_is_none() {
        let packet = [1, 2, 3, 0xc1, 1, 9, 0xc1];

        assert_eq!(parts(&packet), [&packet[..]]);
        assert_eq!(parts(&[0xc7]), [&[0xc7][..]]);
    }
}
