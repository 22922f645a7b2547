//! Where a clip comes from: a file, a folder, or bytes that were read from an archive.

use std::path::{Path, PathBuf};

use super::decoder::{VideoDecoder, open, open_bytes};
use super::image_sequence::ImageSequence;
use super::{Clip, DecodeLimits, FrameSelection};
use crate::DataError;

/// A clip that has not been opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClipSource {
    /// A video, an image, or a folder of numbered images.
    Path(PathBuf),
    /// The contents of a video or an image.
    Bytes {
        /// What errors call it.
        name: PathBuf,
        /// The contents.
        bytes: Vec<u8>,
    },
    /// One encoded image a frame, in order.
    Images {
        /// What errors call them.
        name: PathBuf,
        /// The contents of each.
        images: Vec<Vec<u8>>,
    },
}

impl ClipSource {
    /// What errors call the clip.
    pub fn name(&self) -> &Path {
        match self {
            Self::Path(name) | Self::Bytes { name, .. } | Self::Images { name, .. } => name,
        }
    }

    /// Opens the clip.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is nothing that can be decoded, or claims more than `limits`.
    pub fn open(self, limits: &DecodeLimits) -> Result<Box<dyn VideoDecoder>, DataError> {
        match self {
            Self::Path(path) => open(&path, limits),
            Self::Bytes { name, bytes } => open_bytes(bytes, &name, limits),
            Self::Images { name, images } => {
                Ok(Box::new(ImageSequence::of_encoded(images, &name, limits)?))
            }
        }
    }

    /// Opens the clip, lets `choose` pick frames from their number, and decodes them.
    ///
    /// # Errors
    ///
    /// When it cannot be read or decoded within `limits`, or `choose` picks a frame that is not
    /// there or none at all.
    pub fn decode(
        self,
        limits: &DecodeLimits,
        choose: impl FnOnce(usize) -> Vec<usize>,
    ) -> Result<Clip, DataError> {
        self.decode_selected(limits, &FrameSelection::default(), choose)
    }

    /// Opens the clip, lets `choose` pick among the frames of a selection from their number, and
    /// decodes them.
    ///
    /// # Errors
    ///
    /// When it cannot be read or decoded within `limits`, it has no such selection, or `choose`
    /// picks a frame that is not there or none at all.
    pub fn decode_selected(
        self,
        limits: &DecodeLimits,
        selection: &FrameSelection,
        choose: impl FnOnce(usize) -> Vec<usize>,
    ) -> Result<Clip, DataError> {
        let (mut decoder, indices) = self.open_selected(limits, selection, choose)?;
        decoder.decode(&indices)
    }

    /// Opens the clip and lets `choose` pick among the frames of a selection from their number: the
    /// decoder, and what to ask it for.
    pub(crate) fn open_selected(
        self,
        limits: &DecodeLimits,
        selection: &FrameSelection,
        choose: impl FnOnce(usize) -> Vec<usize>,
    ) -> Result<(Box<dyn VideoDecoder>, Vec<usize>), DataError> {
        let name = self.name().to_path_buf();
        let decoder = self.open(limits)?;
        let Some(selected) = selection.frames(&*decoder, &name, limits)? else {
            let indices = choose(decoder.frame_count());
            return Ok((decoder, indices));
        };
        let chosen = choose(selected.len()).into_iter().map(|index| {
            selected
                .get(index)
                .copied()
                .ok_or_else(|| DataError::Frame {
                    path: name.clone(),
                    frame: index,
                    source: format!("{} frames are selected", selected.len()).into(),
                })
        });
        let indices = chosen.collect::<Result<Vec<_>, _>>()?;
        Ok((decoder, indices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn png(level: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        image::RgbImage::from_pixel(1, 1, image::Rgb([level; 3]))
            .write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png)
            .unwrap();
        bytes
    }

    #[test]
    fn bytes_are_a_clip_like_the_file_they_came_from() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(&path, png(7)).unwrap();
        let name = PathBuf::from("shard.tar/a.png");
        let limits = DecodeLimits::default();

        let file = ClipSource::Path(path).decode(&limits, |_| vec![0]).unwrap();
        let bytes = ClipSource::Bytes {
            name,
            bytes: png(7),
        };

        assert_eq!(bytes.decode(&limits, |_| vec![0]).unwrap(), file);
    }

    #[test]
    fn encoded_images_are_the_frames_of_a_clip() {
        let source = ClipSource::Images {
            name: PathBuf::from("shard.tar/a"),
            images: vec![png(1), png(2), b"broken, and not asked for".to_vec()],
        };

        let clip = source
            .decode(&DecodeLimits::default(), |_| vec![1, 0])
            .unwrap();

        assert_eq!(clip.pixels(), [2, 2, 2, 1, 1, 1]);
    }

    #[test]
    fn no_images_are_an_error_with_a_name() {
        let source = ClipSource::Images {
            name: PathBuf::from("shard.tar/a"),
            images: Vec::new(),
        };

        let error = source.open(&DecodeLimits::default()).err().unwrap();

        assert!(error.to_string().starts_with("shard.tar/a: "), "{error}");
    }
}
