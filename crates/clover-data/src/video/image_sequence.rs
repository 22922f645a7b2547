//! Numbered images as the frames of a clip: a folder of them, or encoded images in memory.
//!
//! Frames extracted by other programs come this way (`00001.jpg`, `frame_12.png`). Only the frames
//! that are asked for are decoded.

use std::fs;
use std::path::{Path, PathBuf};

use super::DecodeLimits;
use super::decoded_frame::{FrameSink, WantedFrames};
use super::decoder::{VideoDecoder, check_indices, open, open_bytes, unreadable};
use crate::DataError;

/// Extensions of the files in a folder that are taken for frames; their content decides how they are
/// decoded.
const EXTENSIONS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// Images in order; photos may differ in size.
#[derive(Debug)]
pub(super) struct ImageSequence {
    path: PathBuf,
    limits: DecodeLimits,
    images: Images,
    /// Of the first.
    size: [usize; 2],
}

#[derive(Debug)]
enum Images {
    Files(Vec<PathBuf>),
    Encoded(Vec<Vec<u8>>),
}

impl VideoDecoder for ImageSequence {
    fn coding(&self) -> &'static str {
        "images"
    }

    fn frame_count(&self) -> usize {
        self.images.len()
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
                let mut image = self.images.open(frame, &self.path, &self.limits)?;
                image.decode_each(&[0], &mut |_, image| wanted.place(frame, image))?;
            }
        }
        wanted.finish(&self.path)
    }
}

impl ImageSequence {
    /// Lists the images of a folder in the order of the last number in their names.
    pub(super) fn open_folder(path: &Path, limits: &DecodeLimits) -> Result<Self, DataError> {
        let mut numbered = Vec::new();
        for entry in fs::read_dir(path).map_err(|source| unreadable(path, source))? {
            let file = entry.map_err(|source| unreadable(path, source))?.path();
            if is_image(&file) {
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
            return Err(broken("the folder holds no images"));
        }
        if numbered.iter().any(|(number, _)| number.is_none()) && numbered.len() > 1 {
            return Err(broken("an image of the folder has no number in its name"));
        }
        if numbered.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(broken("two images of the folder have the same number"));
        }
        let files = numbered.into_iter().map(|(_, file)| file).collect();
        Self::of(Images::Files(files), path, limits)
    }

    /// Takes encoded images for frames.
    pub(super) fn of_encoded(
        images: Vec<Vec<u8>>,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Self, DataError> {
        limits.check_frames(path, images.len())?;
        Self::of(Images::Encoded(images), path, limits)
    }

    fn of(images: Images, path: &Path, limits: &DecodeLimits) -> Result<Self, DataError> {
        let size = images.open(0, path, limits)?.size();
        Ok(Self {
            path: path.to_path_buf(),
            limits: limits.clone(),
            images,
            size,
        })
    }
}

impl Images {
    fn len(&self) -> usize {
        match self {
            Self::Files(files) => files.len(),
            Self::Encoded(images) => images.len(),
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
            Self::Encoded(images) => open_bytes(images[frame].clone(), path, limits),
        }
    }
}

fn is_image(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    let hidden = file
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !hidden
        && extension.is_some_and(|extension| EXTENSIONS.contains(&&*extension.to_ascii_lowercase()))
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
    use crate::video::{PixelPipeline, decode_clip};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

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
    fn photos_may_differ_in_size_and_a_clip_of_them_has_that_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a1.png", 2, 50);
        write(folder.path(), "a2.png", 3, 200);

        let clip = decode_clip(folder.path(), &DecodeLimits::default(), |_| vec![0, 1]).unwrap();

        assert_eq!((clip.width(), clip.height()), (2, 2));
        assert_eq!(clip.pixels()[..12], [50; 12]);
        assert_eq!(clip.pixels()[12..], [200; 12]);
    }

    #[test]
    fn photos_of_differing_sizes_are_each_cropped_and_resized_by_themselves() {
        let folder = tempfile::tempdir().unwrap();
        // Left black, right white: once lying, once standing.
        for (name, [width, height]) in [("1.png", [8, 4]), ("2.png", [4, 8])] {
            let level = |x| if x < width / 2 { 0 } else { 255 };
            image::RgbImage::from_fn(width, height, |x, _| image::Rgb([level(x); 3]))
                .save(folder.path().join(name))
                .unwrap();
        }
        let frames = |pixels: PixelPipeline, seed| {
            let mut video = open(folder.path(), &DecodeLimits::default()).unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let clip = pixels.read(video.as_mut(), &[0, 1], &mut rng).unwrap();
            let blue = clip.values()[..32].to_vec();
            (blue[..16].to_vec(), blue[16..].to_vec())
        };

        for pixels in [
            PixelPipeline::test_resize(4),
            PixelPipeline::test_center_crop(4),
        ] {
            let (lying, standing) = frames(pixels, 0);
            assert_eq!(lying, standing, "{pixels:?}");
        }
        for seed in 0..20 {
            for pixels in [PixelPipeline::train_video(4), PixelPipeline::train_image(4)] {
                let (_, standing) = frames(pixels, seed);
                assert!(standing.iter().all(|value| value.is_finite()), "{pixels:?}");
            }
        }
    }

    #[test]
    fn no_image_and_images_of_the_same_number_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(error(folder.path()).ends_with("holds no images"));

        write(folder.path(), "a1.png", 1, 0);
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
