//! From 8-bit colours to the numbers a model sees.
//!
//! The published model was trained on blue, green, red with the ImageNet means and deviations of
//! these colours. Weights trained elsewhere may expect red first, and other figures; the figures go
//! with the colour.

use serde::{Deserialize, Serialize};

use super::colours::ColourStatistics;

/// Which colour comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelOrder {
    /// Blue, green, red: as published.
    #[default]
    Bgr,
    /// Red, green, blue.
    Rgb,
}

impl ChannelOrder {
    /// For each channel, the colour's place in an RGB pixel.
    fn colours(self) -> [usize; 3] {
        match self {
            Self::Bgr => [2, 1, 0],
            Self::Rgb => [0, 1, 2],
        }
    }
}

/// What each of the 256 levels of each channel becomes.
struct Levels([[f32; 256]; 3]);

impl Levels {
    fn of(order: ChannelOrder, colours: ColourStatistics) -> Self {
        let channel = |colour: usize| {
            let figures = [colours.mean[colour], colours.deviation[colour]];
            let [mean, deviation] = figures.map(|figure| (figure * 255.0) as f32);
            std::array::from_fn(|value| (value as f32 - mean) / deviation)
        };
        Self(order.colours().map(channel))
    }
}

/// A clip as a model sees it, kept as the 8-bit colours it comes from: a quarter of the memory, and
/// the samples of a large batch wait for their turn together.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalizedClip {
    pixels: Pixels,
    dims: [usize; 4],
}

/// The last axis varies fastest.
#[derive(Debug, Clone, PartialEq)]
enum Pixels {
    Normalized(Vec<f32>),
    Bytes {
        bytes: Vec<u8>,
        order: ChannelOrder,
        colours: ColourStatistics,
    },
}

impl NormalizedClip {
    /// Wraps normalised values.
    ///
    /// # Shapes
    ///
    /// - values: `[channels, frames, height, width]`
    ///
    /// # Panics
    ///
    /// Panics if the values are not as many as the axes say.
    pub fn new(values: Vec<f32>, dims: [usize; 4]) -> Self {
        assert_eq!(
            values.len(),
            dims.iter().product::<usize>(),
            "normalized clip: the values differ from the axes"
        );
        Self {
            pixels: Pixels::Normalized(values),
            dims,
        }
    }

    /// The axes: `[channels, frames, height, width]`.
    pub fn dims(&self) -> [usize; 4] {
        self.dims
    }

    /// All values, the last axis varying fastest.
    pub fn values(&self) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.dims.iter().product());
        self.append_to(&mut values);
        values
    }

    /// Cuts the clip into clips of `frames` frames each, in order.
    ///
    /// # Panics
    ///
    /// Panics if `frames` is zero or does not divide the number of frames.
    #[must_use]
    pub fn split(&self, frames: usize) -> Vec<Self> {
        let [channels, all, height, width] = self.dims;
        assert!(
            frames > 0 && all.is_multiple_of(frames),
            "normalized clip: {all} frames are no clips of {frames}"
        );
        let (bytes, clip) = (all * height * width, frames * height * width);
        let starts = (0..all / frames).map(|clip_index| clip_index * clip);
        starts
            .map(|start| {
                let own = (0..channels).map(|channel| {
                    let start = channel * bytes + start;
                    start..start + clip
                });
                let pixels = match &self.pixels {
                    Pixels::Normalized(all) => {
                        Pixels::Normalized(own.flat_map(|own| all[own].iter().copied()).collect())
                    }
                    Pixels::Bytes {
                        bytes,
                        order,
                        colours,
                    } => Pixels::Bytes {
                        bytes: own.flat_map(|own| bytes[own].iter().copied()).collect(),
                        order: *order,
                        colours: *colours,
                    },
                };
                Self {
                    pixels,
                    dims: [channels, frames, height, width],
                }
            })
            .collect()
    }

    /// Adds all values, the last axis varying fastest, to those of other clips.
    pub fn append_to(&self, values: &mut Vec<f32>) {
        match &self.pixels {
            Pixels::Normalized(own) => values.extend_from_slice(own),
            Pixels::Bytes {
                bytes,
                order,
                colours,
            } => {
                let Levels(levels) = Levels::of(*order, *colours);
                let channels = bytes.chunks_exact((bytes.len() / 3).max(1));
                for (bytes, levels) in channels.zip(&levels) {
                    values.extend(bytes.iter().map(|&byte| levels[usize::from(byte)]));
                }
            }
        }
    }
}

/// Turns frames into a clip, one frame after the other.
#[derive(Debug)]
pub(super) struct Normalizer {
    bytes: Vec<u8>,
    frames: usize,
    size: usize,
    order: ChannelOrder,
    colours: ColourStatistics,
}

impl Normalizer {
    /// Makes room for `frames` square frames with sides of `size`.
    pub(super) fn new(
        frames: usize,
        size: usize,
        order: ChannelOrder,
        colours: ColourStatistics,
    ) -> Self {
        Self {
            bytes: vec![0; 3 * frames * size * size],
            frames,
            size,
            order,
            colours,
        }
    }

    /// Fills in a frame of `[height, width, 3]` bytes of red, green and blue.
    pub(super) fn fill(&mut self, frame: usize, rgb: &[u8]) {
        let area = self.size * self.size;
        for (channel, colour) in self.order.colours().into_iter().enumerate() {
            let start = (channel * self.frames + frame) * area;
            let out = &mut self.bytes[start..start + area];
            for (byte, pixel) in out.iter_mut().zip(rgb.chunks_exact(3)) {
                *byte = pixel[colour];
            }
        }
    }

    /// The finished clip.
    pub(super) fn finish(self) -> NormalizedClip {
        NormalizedClip {
            pixels: Pixels::Bytes {
                bytes: self.bytes,
                order: self.order,
                colours: self.colours,
            },
            dims: [3, self.frames, self.size, self.size],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(order: ChannelOrder) -> Vec<f32> {
        let mut normalizer = Normalizer::new(2, 1, order, ColourStatistics::IMAGENET);
        normalizer.fill(0, &[255, 0, 0]);
        normalizer.fill(1, &[0, 0, 255]);
        normalizer.finish().values()
    }

    #[test]
    fn blue_comes_first_and_keeps_its_own_mean() {
        let values = normalized(ChannelOrder::Bgr);

        // Blue of both frames, then green, then red.
        let wanted = [
            (0.0 - 103.53) / 57.375,
            (255.0 - 103.53) / 57.375,
            -116.28 / 57.12,
            -116.28 / 57.12,
            (255.0 - 123.675) / 58.395,
            -123.675 / 58.395,
        ];
        for (value, wanted) in values.iter().zip(wanted) {
            assert!((value - wanted).abs() < 1e-6_f32, "{value} {wanted}");
        }
    }

    #[test]
    fn the_published_levels_are_to_the_last_bit_those_of_figures_in_levels() {
        let Levels(levels) = Levels::of(ChannelOrder::Rgb, ColourStatistics::IMAGENET);

        let figures = [(123.675, 58.395), (116.28, 57.12), (103.53, 57.375_f32)];
        for (levels, (mean, deviation)) in levels.iter().zip(figures) {
            for (value, level) in levels.iter().enumerate() {
                let expected = (value as f32 - mean) / deviation;
                assert_eq!(level.to_bits(), expected.to_bits());
            }
        }
    }

    #[test]
    fn red_first_exchanges_whole_channels() {
        let (bgr, rgb) = (normalized(ChannelOrder::Bgr), normalized(ChannelOrder::Rgb));

        assert_eq!([&bgr[4..], &bgr[2..4], &bgr[..2]].concat(), rgb);
    }

    #[test]
    fn a_clip_is_cut_along_its_frames() {
        let clip = NormalizedClip::new((0..8_u8).map(f32::from).collect(), [2, 4, 1, 1]);

        let halves = clip.split(2);

        assert_eq!(halves[0].values(), [0.0, 1.0, 4.0, 5.0]);
        assert_eq!(halves[1].values(), [2.0, 3.0, 6.0, 7.0]);
    }

    #[test]
    #[should_panic(expected = "the values differ from the axes")]
    fn missing_values_are_refused() {
        NormalizedClip::new(vec![0.0; 5], [3, 1, 1, 2]);
    }
}
