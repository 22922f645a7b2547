//! Numbered pictures as the frames of a clip: a folder of them, or encoded pictures in memory.
//!
//! Frames extracted by other programs come this way (`00001.jpg`, `frame_12.png`). Only the frames
//! that are asked for are decoded.

use std::fs;
use std::path::{Path, PathBuf};

use super::DecodeLimits;
use super::decoded_frame::{FrameSink, WantedFrames};
use super::decoder::{VideoDecoder, check_indices, open, open_bytes, unreadable};
use crate::DataError;

/// Endings of the files in a folder that are taken for frames; their content decides how they are
/// decoded.
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// Pictures of one size, in order.
#[derive(Debug)]
pub(super) struct PictureSequence {
    path: PathBuf,
    limits: DecodeLimits,
    pictures: Pictures,
    size: [usize; 2],
}

#[derive(Debug)]
enum Pictures {
    Files(Vec<PathBuf>),
    Encoded(Vec<Vec<u8>>),
}

impl VideoDecoder for PictureSequence {
    fn coding(&self) -> &'static str {
        "pictures"
    }

    fn frame_count(&self) -> usize {
        self.pictures.len()
    }

    fn size(&self) -> [usize; 2] {
        self.size
    }

    fn decode_each(
        &mut self,
        indices: &[usize],
        take: &mut FrameSink<'_>,
    ) -> Result<(), DataError> {
        let deadline = self.limits.start();
        let frames = self.frame_count();
        check_indices(&self.path, &self.limits, indices, frames, self.size)?;
        let mut wanted = WantedFrames::new(indices, take);
        for &frame in indices {
            if wanted.wants(frame) {
                deadline.check(&self.path)?;
                let mut picture = self.pictures.open(frame, &self.path, &self.limits)?;
                if picture.size() != self.size {
                    return Err(DataError::Frame {
                        path: self.path.clone(),
                        frame,
                        source: "its size is not that of the first frame".into(),
                    });
                }
                picture.decode_each(&[0], &mut |_, picture| wanted.place(frame, picture))?;
            }
        }
        wanted.finish(&self.path)
    }
}

impl PictureSequence {
    /// Lists the pictures of a folder in the order of the last number in their names.
    pub(super) fn open_folder(path: &Path, limits: &DecodeLimits) -> Result<Self, DataError> {
        let mut numbered = Vec::new();
        for entry in fs::read_dir(path).map_err(|source| unreadable(path, source))? {
            let file = entry.map_err(|source| unreadable(path, source))?.path();
            if is_picture(&file) {
                numbered.push((frame_number(&file), file));
            }
            limits.check_frames(path, numbered.len().max(1))?;
        }
        numbered.sort();
        let broken = |fault| DataError::BrokenVideo {
            path: path.to_path_buf(),
            fault,
        };
        if numbered.is_empty() {
            return Err(broken("the folder holds no pictures"));
        }
        if numbered.iter().any(|(number, _)| number.is_none()) && numbered.len() > 1 {
            return Err(broken("a picture of the folder has no number in its name"));
        }
        if numbered.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(broken("two pictures of the folder have the same number"));
        }
        let files = numbered.into_iter().map(|(_, file)| file).collect();
        Self::of(Pictures::Files(files), path, limits)
    }

    /// Takes encoded pictures for frames.
    pub(super) fn of_encoded(
        pictures: Vec<Vec<u8>>,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Self, DataError> {
        limits.check_frames(path, pictures.len())?;
        Self::of(Pictures::Encoded(pictures), path, limits)
    }

    fn of(pictures: Pictures, path: &Path, limits: &DecodeLimits) -> Result<Self, DataError> {
        let size = pictures.open(0, path, limits)?.size();
        Ok(Self {
            path: path.to_path_buf(),
            limits: limits.clone(),
            pictures,
            size,
        })
    }
}

impl Pictures {
    fn len(&self) -> usize {
        match self {
            Self::Files(files) => files.len(),
            Self::Encoded(pictures) => pictures.len(),
        }
    }

    fn open(
        &self,
        frame: usize,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Box<dyn VideoDecoder>, DataError> {
        match self {
            Self::Files(files) => open(&files[frame], limits),
            Self::Encoded(pictures) => open_bytes(pictures[frame].clone(), path, limits),
        }
    }
}

fn is_picture(file: &Path) -> bool {
    let ending = file.extension().and_then(|ending| ending.to_str());
    let hidden = file
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !hidden && ending.is_some_and(|ending| ENDINGS.contains(&&*ending.to_ascii_lowercase()))
}

/// The last number in the name of a file.
fn frame_number(file: &Path) -> Option<u64> {
    let stem = file.file_stem()?.to_str()?;
    let mut numbers = stem.rsplit(|letter: char| !letter.is_ascii_digit());
    numbers.find(|digits| !digits.is_empty())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::decode_clip;

    fn write(folder: &Path, name: &str, side: u32, level: u8) {
        image::RgbImage::from_pixel(side, side, image::Rgb([level; 3]))
            .save(folder.join(name))
            .unwrap();
    }

    fn error(folder: &Path) -> String {
        let error = decode_clip(folder, &DecodeLimits::default(), |frames| {
            (0..frames).collect()
        });
        error.unwrap_err().to_string()
    }

    #[test]
    fn frames_come_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        for (name, level) in [
            ("frame_10.png", 30),
            ("frame_9.png", 20),
            ("frame_1.png", 10),
        ] {
            write(folder.path(), name, 1, level);
        }
        fs::write(folder.path().join("notes.txt"), "none of them").unwrap();

        let clip = decode_clip(folder.path(), &DecodeLimits::default(), |frames| {
            assert_eq!(frames, 3);
            vec![0, 2, 1, 2]
        });

        let levels: Vec<u8> = clip.unwrap().pixels().iter().step_by(3).copied().collect();
        assert_eq!(levels, [10, 30, 20, 30]);
    }

    #[test]
    fn pictures_of_another_size_or_the_same_number_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(error(folder.path()).ends_with("holds no pictures"));

        write(folder.path(), "a1.png", 1, 0);
        write(folder.path(), "b2.png", 2, 0);
        assert!(error(folder.path()).contains("frame 1 cannot be decoded"));

        write(folder.path(), "b01.png", 1, 0);
        assert!(error(folder.path()).contains("same number"));

        write(folder.path(), "cover.png", 1, 0);
        assert!(error(folder.path()).contains("no number"));
    }

    #[test]
    fn a_number_follows_letters_of_any_alphabet() {
        assert_eq!(frame_number(Path::new("büro-é007.jpg")), Some(7));
        assert_eq!(frame_number(Path::new("clip3_frame12b.jpg")), Some(12));
        assert_eq!(frame_number(Path::new("cover.jpg")), None);
    }
}
