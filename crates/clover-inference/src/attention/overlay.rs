//! Attention over regions and frames, laid over the frames that the model saw.
//!
//! A time step of the video encoder is shown over each of its frames, and regions over the part of a
//! frame that the model saw; what it did not see is dark.

use std::io::Cursor;
use std::path::Path;

use clover_data::dataset::ClipReading;
use clover_data::video::transform::Geometry;
use clover_data::video::{Clip, ClipSource, FrameSelection, Span};
use clover_model::CloverConfig;
use image::imageops;
use image::{ImageFormat, Rgb, RgbImage};

use super::AttentionMap;
use crate::InferenceError;
use crate::bundle::write_whole;
use crate::frame_strip::{GAP, frame_strip, frames_of, scale};

/// Frames side by side.
const ROW: usize = 8;
/// How much of a pixel is heat; the rest is the frame without its colours.
const HEAT: f32 = 0.6;
/// How bright what the model did not see remains.
const UNSEEN: f32 = 0.35;
/// The colours of none, a quarter, half, three quarters and all of the brightest share.
pub const HEAT_COLORS: [[u8; 3]; 5] = [
    [4, 4, 24],
    [87, 16, 110],
    [188, 55, 84],
    [249, 142, 9],
    [252, 255, 164],
];

/// What is needed to lay attention over frames.
#[derive(Clone, Debug)]
pub struct AttentionOverlay {
    /// How the model saw the clips: which frames, and which part of them.
    pub reading: ClipReading,
    /// Pixels along a side of a region, of the size that the model saw frames at. Regions begin at the
    /// upper left; the last of a row or column may reach beyond the frame.
    pub region_side: usize,
    /// Frames of a time step.
    pub frames_a_step: usize,
}

impl AttentionOverlay {
    /// For clips that a model of this configuration sees as the reading says.
    #[must_use]
    pub fn new(reading: ClipReading, config: &CloverConfig) -> Self {
        Self {
            reading,
            region_side: config.video.region_side(),
            frames_a_step: config.video.frames_a_step(),
        }
    }

    /// The frames that a model saw of a clip, or of a span of it, as rows of images: as they are, and
    /// with the attention of an answer over them. Each view begins a row.
    ///
    /// # Errors
    ///
    /// The clip cannot be read or has no such span, or its images cannot be made.
    pub fn rows(
        &self,
        (clip, span): (ClipSource, Option<Span>),
        map: &AttentionMap,
        height: u32,
    ) -> Result<Vec<[RgbImage; 2]>, InferenceError> {
        let reading = &self.reading;
        let selection = FrameSelection {
            span,
            fps: reading.fps,
        };
        let choose = |total| reading.sampling.test(total);
        let clip = clip.decode_selected(&reading.limits, &selection, choose)?;
        let seen = Seen::of(&clip, reading.pixels.geometry);
        // How many regions fit beside each other into what the model saw; not always a whole number.
        let across = reading.pixels.size as f32 / self.region_side.max(1) as f32;
        // Scaled one by one: a whole clip of large frames stands in memory once already.
        let frames: Vec<_> = frames_of(&clip)
            .map(|frame| scale(&frame, height))
            .collect();
        let view = (reading.sampling.len() / reading.sampling.views().max(1)).max(1);
        let (frames_a_step, brightest) = (self.frames_a_step.max(1), map.brightest_share());
        let mut rows = Vec::new();
        for view in frames.chunks(view) {
            for (row, plain) in view.chunks(ROW).enumerate() {
                let heated = (row * ROW..).zip(plain).map(|(place, frame)| {
                    let heat = Heat {
                        values: map.step(place / frames_a_step),
                        rows: map.grid[1],
                        columns: map.grid[2],
                        brightest,
                    };
                    heat.over(frame, seen, across)
                });
                let heated: Vec<_> = heated.collect();
                rows.push([frame_strip(plain, height)?, frame_strip(&heated, height)?]);
            }
        }
        Ok(rows)
    }

    /// [Rows](Self::rows) as one PNG, each with the frames above and the attention below.
    ///
    /// # Errors
    ///
    /// As [`rows`](Self::rows).
    pub fn png(
        &self,
        clip: (ClipSource, Option<Span>),
        map: &AttentionMap,
        height: u32,
    ) -> Result<Vec<u8>, InferenceError> {
        let strips: Vec<_> = self
            .rows(clip, map, height)?
            .into_iter()
            .flatten()
            .collect();
        let image = one_above_another(&strips);
        let mut png = Cursor::new(Vec::new());
        image
            .write_to(&mut png, ImageFormat::Png)
            .map_err(|error| InferenceError::Image {
                reason: error.to_string(),
            })?;
        Ok(png.into_inner())
    }

    /// Writes that [PNG](Self::png), whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`rows`](Self::rows); or the file cannot be written.
    pub fn write_png(
        &self,
        path: &Path,
        clip: (ClipSource, Option<Span>),
        map: &AttentionMap,
        height: u32,
    ) -> Result<(), InferenceError> {
        write_whole(path, &self.png(clip, map, height)?)
    }
}

/// Images in a column.
fn one_above_another(strips: &[RgbImage]) -> RgbImage {
    let width = strips.iter().map(RgbImage::width).max().unwrap_or(0);
    let heights = strips.iter().map(|strip| strip.height() + GAP);
    let mut image = RgbImage::new(width, heights.sum::<u32>().saturating_sub(GAP));
    let mut top = 0;
    for strip in strips {
        imageops::replace(&mut image, strip, 0, i64::from(top));
        top += strip.height() + GAP;
    }
    image
}

/// The part of a frame that the model saw, in shares of its width and height.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seen {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

impl Seen {
    fn of(clip: &Clip, geometry: Geometry) -> Self {
        let [width, height] = [clip.width(), clip.height()].map(|side| side.max(1) as f32);
        let [width, height] = match geometry {
            Geometry::CenterCrop | Geometry::Clip => {
                [width, height].map(|side| width.min(height) / side)
            }
            // Tests crop at no random place.
            Geometry::Resize | Geometry::TrainVideo | Geometry::TrainImage => [1.0; 2],
        };
        Self {
            left: (1.0 - width) / 2.0,
            top: (1.0 - height) / 2.0,
            width,
            height,
        }
    }

    /// Where a point of the frame lies in it, both ways from 0 to 1; nothing outside.
    fn place(self, x: f32, y: f32) -> Option<[f32; 2]> {
        let place = [(x - self.left) / self.width, (y - self.top) / self.height];
        place
            .iter()
            .all(|share| (0.0..=1.0).contains(share))
            .then_some(place)
    }
}

/// The attention of a time step.
#[derive(Clone, Copy, Debug)]
struct Heat<'m> {
    /// `[rows, columns]`.
    values: &'m [f32],
    rows: usize,
    columns: usize,
    /// The share that is shown brightest.
    brightest: f32,
}

impl Heat<'_> {
    /// The frame without its colours, under the heat of its regions.
    fn over(self, frame: &RgbImage, seen: Seen, across: f32) -> RgbImage {
        let [width, height] = [frame.width(), frame.height()].map(|side| side.max(1) as f32);
        RgbImage::from_fn(frame.width(), frame.height(), |x, y| {
            let grey = grey(*frame.get_pixel(x, y));
            let place = seen.place((x as f32 + 0.5) / width, (y as f32 + 0.5) / height);
            let Some([x, y]) = place else {
                return Rgb([(grey * UNSEEN) as u8; 3]);
            };
            let heat = color(self.at(x * across, y * across) / self.brightest);
            Rgb(heat.map(|heat| (HEAT * heat + (1.0 - HEAT) * grey) as u8))
        })
    }

    /// The attention at a place in units of regions, between the centres of the nearest four.
    fn at(self, x: f32, y: f32) -> f32 {
        let [(left, right, x), (top, bottom, y)] = [(x, self.columns), (y, self.rows)].map(between);
        let value = |row: usize, column: usize| {
            let value = self.values.get(row * self.columns + column);
            value.copied().unwrap_or_default()
        };
        let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
        let [upper, lower] = [top, bottom].map(|row| mix(value(row, left), value(row, right), x));
        mix(upper, lower, y)
    }
}

/// The two of `count` regions whose centres a place lies between, and how near it is to the second.
fn between((place, count): (f32, usize)) -> (usize, usize, f32) {
    let last = count.saturating_sub(1);
    let place = (place - 0.5).clamp(0.0, last as f32);
    let first = (place as usize).min(last);
    (first, (first + 1).min(last), place - first as f32)
}

/// The colour of a share of the brightest.
fn color(share: f32) -> [f32; 3] {
    // A map without any attention to the video divides by zero.
    let share = if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let last = HEAT_COLORS.len() - 1;
    let (from, to, mix) = between((share * last as f32 + 0.5, HEAT_COLORS.len()));
    std::array::from_fn(|channel| {
        let [a, b] = [from, to].map(|stop| f32::from(HEAT_COLORS[stop][channel]));
        a + (b - a) * mix
    })
}

/// The brightness of a pixel, of ITU-R BT.601.
fn grey(Rgb([red, green, blue]): Rgb<u8>) -> f32 {
    0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue)
}

#[cfg(test)]
mod tests;
