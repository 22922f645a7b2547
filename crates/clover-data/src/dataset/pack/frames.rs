//! The frames of one clip as small JPEG images.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use super::config::PackConfig;
use crate::DataError;
use crate::video::{Clip, ClipSource, FrameSelection, Span};

/// Decoded pixels held at a time, so that a long clip of large frames is never whole in memory.
const AT_A_TIME_BYTES: usize = 256 << 20;

/// The stored frames of a clip and where they come from.
#[derive(Debug)]
pub(super) struct StoredFrames {
    /// The encoded images.
    pub(super) images: Vec<Vec<u8>>,
    /// Columns and rows of each image.
    pub(super) size: [usize; 2],
    /// Columns and rows of a frame of the clip.
    pub(super) original_size: [usize; 2],
    /// The numbers of the frames in the clip.
    pub(super) indices: Vec<usize>,
    /// Frames of the clip.
    pub(super) original_frames: usize,
}

/// Decodes, shrinks and encodes the frames that are stored.
pub(super) fn store(
    clip: ClipSource,
    span: Option<Span>,
    config: &PackConfig,
) -> Result<StoredFrames, DataError> {
    let path = clip.name().to_path_buf();
    let name = path.display().to_string();
    let mut decoder = clip.open(&config.limits)?;
    let original_size = decoder.size();
    let original_frames = decoder.frame_count();
    let selection = FrameSelection { span, fps: None };
    let indices = match selection.frames(&*decoder, &path, &config.limits)? {
        Some(selected) => {
            let places = config.frames.indices(selected.len());
            places.into_iter().map(|place| selected[place]).collect()
        }
        None => config.frames.indices(original_frames),
    };
    let frame_bytes = original_size[0].saturating_mul(original_size[1]).max(1);
    let at_a_time = (AT_A_TIME_BYTES / 3 / frame_bytes).max(1);
    let mut stored = StoredFrames {
        images: Vec::with_capacity(indices.len()),
        size: original_size,
        original_size,
        indices: Vec::new(),
        original_frames,
    };
    for some in indices.chunks(at_a_time) {
        let clip = decoder.decode(some)?.shrunk_to(config.short_side);
        stored.size = [clip.width(), clip.height()];
        for frame in 0..clip.frames() {
            stored
                .images
                .push(encode(&clip, frame, config.quality, &name)?);
        }
    }
    stored.indices = indices;
    Ok(stored)
}

fn encode(clip: &Clip, frame: usize, quality: u8, name: &str) -> Result<Vec<u8>, DataError> {
    let failed = |source| DataError::Encode {
        name: name.to_owned(),
        source,
    };
    // A JPEG image has at most 65,535 pixels along a side; the encoder refuses more.
    let [width, height] = [clip.width(), clip.height()].map(|side| side as u32);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, quality)
        .encode(clip.frame(frame), width, height, ExtendedColorType::Rgb8)
        .map_err(failed)?;
    Ok(jpeg)
}
