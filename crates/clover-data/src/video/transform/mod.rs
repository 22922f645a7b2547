//! What becomes of decoded frames: the published pipelines, and the steps they are made of.

mod center_crop;
mod colours;
mod flip;
mod normalize;
mod random_resized_crop;
mod region;
mod resize;

use rand::Rng;
use serde::{Deserialize, Serialize};

use center_crop::{center_crop, center_crop_as_torchvision};
pub use colours::ColourStatistics;
use flip::flip;
use normalize::Normalizer;
pub use normalize::{ChannelOrder, NormalizedClip};
pub(super) use region::Region;
pub(super) use resize::{Interpolation, resize, resize_region, with_short_side};
use resize::{resize_as_pillow, with_short_side_as_torchvision};

use super::Clip;
use super::decoded_frame::DecodedFrame;
use super::decoder::VideoDecoder;
use crate::DataError;

/// How a frame of any size becomes a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Geometry {
    /// Shorter side to 256 (for 224), a random resized crop, bilinear.
    TrainVideo,
    /// A random resized crop of the whole image, bicubic.
    TrainImage,
    /// Shorter side to the size, the middle of it, bilinear.
    CenterCrop,
    /// Both sides to the size without keeping their ratio, bilinear.
    Resize,
    /// Shorter side to the size, the middle of it, bicubic, as Pillow and torchvision do: CLIP's.
    ///
    /// The pixels are those of Pillow within 2 of 255. Frames of a video become RGB before they are
    /// resized, so the same holds for them, given the decoder's colours.
    Clip,
}

/// From decoded frames to a normalised clip of square frames.
///
/// One draw serves all frames of a clip; photos of other sizes than the first are cropped in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PixelPipeline {
    /// How frames become squares.
    pub geometry: Geometry,
    /// The side of a square.
    pub size: usize,
    /// How often left and right are exchanged, between 0 and 1.
    pub flip_probability: f64,
    /// Which colour comes first.
    pub channels: ChannelOrder,
    /// What colours are normalised by; a file that says nothing means ImageNet's.
    #[serde(default, skip_serializing_if = "ColourStatistics::are_usual")]
    pub colours: ColourStatistics,
}

/// What was drawn for a clip.
struct Plan {
    /// Of the frames it was drawn for.
    size: [usize; 2],
    scaled: Option<[usize; 2]>,
    region: Option<Region>,
    flipped: bool,
}

impl PixelPipeline {
    /// Training on videos; MSRVTT retrieval also flips, with probability 0.5.
    pub fn train_video(size: usize) -> Self {
        Self::new(Geometry::TrainVideo, size)
    }

    /// Training on still images.
    pub fn train_image(size: usize) -> Self {
        Self::new(Geometry::TrainImage, size)
    }

    /// Testing retrieval, MSRVTT multiple choice and TGIF-Frame.
    pub fn test_center_crop(size: usize) -> Self {
        Self::new(Geometry::CenterCrop, size)
    }

    /// Testing the other tasks; MSVD question answering trains this way, too.
    pub fn test_resize(size: usize) -> Self {
        Self::new(Geometry::Resize, size)
    }

    /// What CLIP sees of an image or a frame, without any randomness.
    pub fn clip(size: usize) -> Self {
        Self::of_clip(Geometry::Clip, size)
    }

    /// What CLIP is trained on: a random resized crop, bicubic, of an image or of all frames of a clip.
    pub fn train_clip(size: usize) -> Self {
        Self::of_clip(Geometry::TrainImage, size)
    }

    fn of_clip(geometry: Geometry, size: usize) -> Self {
        Self {
            channels: ChannelOrder::Rgb,
            colours: ColourStatistics::CLIP,
            ..Self::new(geometry, size)
        }
    }

    /// The same with another probability of exchanging left and right.
    #[must_use]
    pub fn with_flip(self, flip_probability: f64) -> Self {
        Self {
            flip_probability,
            ..self
        }
    }

    /// The same with another order of colours.
    #[must_use]
    pub fn with_channels(self, channels: ChannelOrder) -> Self {
        Self { channels, ..self }
    }

    /// Prepares a clip; all randomness comes from `rng`.
    ///
    /// # Panics
    ///
    /// Panics if the size is zero.
    pub fn apply(&self, clip: &Clip, rng: &mut impl Rng) -> NormalizedClip {
        let size = [clip.width(), clip.height()];
        let plan = self.plan(size, rng);
        let mut normalizer = Normalizer::new(clip.frames(), self.size, self.channels, self.colours);
        for index in 0..clip.frames() {
            let frame = DecodedFrame::of_rgb(clip.frame(index), size);
            normalizer.fill(index, &self.square(&frame, &plan));
        }
        normalizer.finish()
    }

    /// Decodes the frames with these numbers and prepares each as it comes: what [`apply`](Self::apply)
    /// makes of the whole clip, which is never in memory. A frame of another size than the first, as
    /// photos may have, is resized by itself.
    ///
    /// # Errors
    ///
    /// Those of [`VideoDecoder::decode`].
    ///
    /// # Panics
    ///
    /// Panics if the size is zero.
    pub fn read(
        &self,
        video: &mut dyn VideoDecoder,
        indices: &[usize],
        rng: &mut impl Rng,
    ) -> Result<NormalizedClip, DataError> {
        let plan = self.plan(video.size(), rng);
        let mut normalizer = Normalizer::new(indices.len(), self.size, self.channels, self.colours);
        video.decode_each(indices, &mut |places, frame| {
            let square = match frame.size() == plan.size {
                true => self.square(frame, &plan),
                false => self.square(frame, &self.plan_for(frame.size(), &plan)),
            };
            for place in places {
                normalizer.fill(*place, &square);
            }
        })?;
        Ok(normalizer.finish())
    }

    fn new(geometry: Geometry, size: usize) -> Self {
        Self {
            geometry,
            size,
            flip_probability: 0.0,
            channels: ChannelOrder::default(),
            colours: ColourStatistics::default(),
        }
    }

    fn plan(&self, size: [usize; 2], rng: &mut impl Rng) -> Plan {
        assert!(self.size > 0, "pixel pipeline: the size is zero");
        let scaled = self.scaled(size);
        let crops_from = scaled.unwrap_or(size);
        let region = match self.geometry {
            Geometry::TrainVideo => Some(random_resized_crop::for_video(crops_from, rng)),
            Geometry::TrainImage => Some(random_resized_crop::for_image(crops_from, rng)),
            Geometry::CenterCrop => Some(center_crop(crops_from, [self.size; 2])),
            Geometry::Clip => Some(center_crop_as_torchvision(crops_from, self.size)),
            Geometry::Resize => None,
        };
        Plan {
            size,
            scaled,
            region,
            // No number is drawn where nothing depends on it.
            flipped: self.flip_probability > 0.0 && rng.random::<f64>() < self.flip_probability,
        }
    }

    /// The same for a frame of another size: the same share of its width and height.
    fn plan_for(&self, size: [usize; 2], plan: &Plan) -> Plan {
        let scaled = self.scaled(size);
        let (from, to) = (plan.scaled.unwrap_or(plan.size), scaled.unwrap_or(size));
        let region = match self.geometry {
            Geometry::CenterCrop => Some(center_crop(to, [self.size; 2])),
            Geometry::Clip => Some(center_crop_as_torchvision(to, self.size)),
            _ => plan.region.map(|region| region.stretched(from, to)),
        };
        Plan {
            size,
            scaled,
            region,
            flipped: plan.flipped,
        }
    }

    /// What a frame is resized to before it is cropped.
    fn scaled(&self, size: [usize; 2]) -> Option<[usize; 2]> {
        match self.geometry {
            // 256 for 224, and in proportion for other sizes.
            Geometry::TrainVideo => Some(with_short_side(size, (256 * self.size + 112) / 224)),
            Geometry::CenterCrop => Some(with_short_side(size, self.size)),
            Geometry::Clip => Some(with_short_side_as_torchvision(size, self.size)),
            Geometry::TrainImage | Geometry::Resize => None,
        }
    }

    fn square(&self, frame: &DecodedFrame<'_>, plan: &Plan) -> Vec<u8> {
        let interpolation = match self.geometry {
            Geometry::TrainImage | Geometry::Clip => Interpolation::Bicubic,
            Geometry::TrainVideo | Geometry::CenterCrop | Geometry::Resize => {
                Interpolation::Bilinear
            }
        };
        let whole = Region::whole(frame.size());
        let scaled = plan.scaled.filter(|scaled| *scaled != whole.size());
        let scaled = scaled.map(|size| match self.geometry {
            Geometry::Clip => (resize_as_pillow(frame, size), size),
            _ => (resize_region(frame, whole, size, interpolation), size),
        });
        let scaled = scaled
            .as_ref()
            .map(|(pixels, size)| DecodedFrame::of_rgb(pixels, *size));
        let frame = scaled.as_ref().unwrap_or(frame);
        let region = plan.region.unwrap_or(Region::whole(frame.size()));
        let mut pixels = resize_region(frame, region, [self.size; 2], interpolation).into_owned();
        if plan.flipped {
            flip(&mut pixels, self.size);
        }
        pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Two frames of 4 columns and 2 rows; red is the column, green the row, blue the frame.
    fn clip() -> Clip {
        let mut pixels = Vec::new();
        for frame in 0..2 {
            for row in 0..2 {
                for column in 0..4 {
                    pixels.extend([column * 10, row * 10, frame * 10]);
                }
            }
        }
        Clip::new(2, 2, 4, pixels)
    }

    fn apply(pipeline: PixelPipeline, seed: u64) -> NormalizedClip {
        pipeline.apply(&clip(), &mut ChaCha8Rng::seed_from_u64(seed))
    }

    /// Channel values turned back into levels.
    fn levels(values: &[f32], mean: f32, deviation: f32) -> Vec<f32> {
        values
            .iter()
            .map(|value| (value * deviation + mean).round())
            .collect()
    }

    #[test]
    fn the_center_crop_keeps_the_middle_columns() {
        let out = apply(PixelPipeline::test_center_crop(2), 0);

        assert_eq!(out.dims(), [3, 2, 2, 2]);
        let blue = levels(&out.values()[..8], 103.53, 57.375);
        let red = levels(&out.values()[16..], 123.675, 58.395);
        assert_eq!(blue, [0.0, 0.0, 0.0, 0.0, 10.0, 10.0, 10.0, 10.0]);
        assert_eq!(red, [10.0, 20.0, 10.0, 20.0, 10.0, 20.0, 10.0, 20.0]);
    }

    #[test]
    fn a_direct_resize_squeezes_all_columns_in() {
        let out = apply(PixelPipeline::test_resize(2), 0);

        let red = levels(&out.values()[16..20], 123.675, 58.395);
        assert_eq!(red, [5.0, 25.0, 5.0, 25.0]);
    }

    #[test]
    fn a_certain_flip_mirrors_every_frame() {
        let out = apply(PixelPipeline::test_center_crop(2).with_flip(1.0), 0);

        let red = levels(&out.values()[16..20], 123.675, 58.395);
        assert_eq!(red, [20.0, 10.0, 20.0, 10.0]);
    }

    #[test]
    fn red_comes_first_for_clip_with_its_own_figures() {
        let out = apply(PixelPipeline::clip(2), 0);

        let [mean, deviation] = [0.481_454_66, 0.268_629_54].map(|figure: f32| figure * 255.0);
        let red = levels(&out.values()[..4], mean, deviation);
        assert_eq!(red, [10.0, 20.0, 10.0, 20.0]);
    }

    #[test]
    fn files_say_what_colours_are_normalised_by_unless_it_is_the_usual() {
        let usual = serde_json::to_string(&PixelPipeline::test_resize(8)).unwrap();
        assert!(!usual.contains("colours"), "{usual}");
        let clip = serde_json::to_string(&PixelPipeline::clip(8)).unwrap();

        for pipeline in [PixelPipeline::test_resize(8), PixelPipeline::clip(8)] {
            let text = serde_json::to_string(&pipeline).unwrap();
            let read: PixelPipeline = serde_json::from_str(&text).unwrap();
            assert_eq!(read, pipeline);
        }
        let broken = clip.replace("0.26862954", "0.0");
        let error = serde_json::from_str::<PixelPipeline>(&broken).unwrap_err();
        assert!(error.to_string().contains("deviations"), "{error}");
    }

    #[test]
    fn all_frames_are_cropped_alike_and_the_seed_decides_where() {
        let pipeline = PixelPipeline::train_video(16);

        let out = apply(pipeline, 7);

        assert_eq!(out.dims(), [3, 2, 16, 16]);
        let red = &out.values()[2 * 512..].to_vec();
        assert_eq!(red[..256], red[256..]);
        assert_eq!(out, apply(pipeline, 7));
        assert_ne!(out, apply(pipeline, 8));
    }

    #[test]
    fn one_pixel_fills_every_pipeline() {
        let clip = Clip::new(1, 1, 1, vec![124, 116, 104]);
        let mut rng = ChaCha8Rng::seed_from_u64(1);

        for pipeline in [
            PixelPipeline::train_video(32),
            PixelPipeline::train_image(32),
            PixelPipeline::test_center_crop(32),
            PixelPipeline::test_resize(32),
            PixelPipeline {
                geometry: Geometry::Clip,
                ..PixelPipeline::test_resize(32)
            },
        ] {
            let out = pipeline.apply(&clip, &mut rng);

            assert_eq!(out.dims(), [3, 1, 32, 32]);
            assert!(
                out.values().iter().all(|value| value.abs() < 0.02),
                "{pipeline:?}"
            );
        }
    }
}
