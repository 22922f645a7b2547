//! Changing the size of a frame.

use std::borrow::Cow;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use super::region::Region;
use crate::video::decoded_frame::DecodedFrame;

/// Columns whose colours are worked out at a time: a strip of a large frame stays in the cache.
const STRIP: usize = 256;

/// How pixels between pixels are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::video) enum Interpolation {
    /// Between the two nearest pixels of each axis, even when shrinking: what OpenCV does, and
    /// so the published video pipeline. Nothing is averaged away, fine patterns alias.
    Bilinear,
    /// Over as many pixels as become one: what Pillow's bicubic does, and so the published
    /// pipeline for still images.
    Bicubic,
}

/// Resizes a frame of `[height, width, 3]` bytes; sizes are width and height.
///
/// # Panics
///
/// Panics if the pixels differ from the size.
pub(in crate::video) fn resize(
    pixels: &[u8],
    from: [usize; 2],
    to: [usize; 2],
    interpolation: Interpolation,
) -> Vec<u8> {
    let [width, height] = from.map(|side| side as u32);
    let [out_width, out_height] = to.map(|side| side as u32);
    let mut out = vec![0; to[0] * to[1] * 3];
    let algorithm = match interpolation {
        Interpolation::Bilinear => ResizeAlg::Interpolation(FilterType::Bilinear),
        Interpolation::Bicubic => ResizeAlg::Convolution(FilterType::CatmullRom),
    };
    let options = ResizeOptions::new().resize_alg(algorithm);
    // The typed form: the untyped one compiles the resampling of all 13 kinds of pixels into this crate.
    let image = TypedImageRef::<U8x3>::from_buffer(width, height, pixels).ok();
    let target = TypedImage::<U8x3>::from_buffer(out_width, out_height, &mut out).ok();
    let resized = image.zip(target).and_then(|(image, mut target)| {
        Resizer::new()
            .resize_typed(&image, &mut target, &options)
            .ok()
    });
    assert!(resized.is_some(), "resize: the pixels differ from the size");
    out
}

/// Resizes a region of a decoded frame to the width and height `to`: the same pixels as [`resize`]
/// makes of the region in RGB, of which only a strip is held at a time.
///
/// Rows are resampled before columns, as `resize` does. To resample luma and chroma instead is not
/// the same: a chroma sample belongs to two columns and rows, and colours out of range are cut off
/// before they are mixed. It moved 6 % of a video's values by more than 3 of 255, some by 120.
pub(in crate::video) fn resize_region<'a>(
    frame: &'a DecodedFrame<'_>,
    region: Region,
    to: [usize; 2],
    interpolation: Interpolation,
) -> Cow<'a, [u8]> {
    let from = region.size();
    if from == to {
        return frame.region(region);
    }
    if from[1] == to[1] || from[0] <= STRIP {
        return resize(&frame.region(region), from, to, interpolation).into();
    }
    let mut low = vec![0; from[0] * to[1] * 3];
    for start in (0..from[0]).step_by(STRIP) {
        let strip = Region {
            left: region.left + start,
            width: STRIP.min(from[0] - start),
            ..region
        };
        let size = [strip.width, to[1]];
        let pixels = resize(&frame.region(strip), strip.size(), size, interpolation);
        let rows = low.chunks_exact_mut(from[0] * 3);
        for (row, pixels) in rows.zip(pixels.chunks_exact(strip.width * 3)) {
            row[start * 3..(start + strip.width) * 3].copy_from_slice(pixels);
        }
    }
    if from[0] == to[0] {
        return low.into();
    }
    resize(&low, [from[0], to[1]], to, interpolation).into()
}

/// The size at which the shorter side is `short_side` and the sides keep their ratio.
pub(in crate::video) fn with_short_side(
    [width, height]: [usize; 2],
    short_side: usize,
) -> [usize; 2] {
    let scale = short_side as f64 / width.min(height) as f64;
    [width, height].map(|side| (side as f64 * scale + 0.5) as usize)
}

/// As [`with_short_side`], but the longer side is cut off to a whole number, as torchvision does.
pub(super) fn with_short_side_as_torchvision(size: [usize; 2], short_side: usize) -> [usize; 2] {
    let shorter = size[0].min(size[1]).max(1);
    size.map(|side| short_side * side / shorter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::pixel_aspect::PixelAspect;
    use crate::video::rotation::Rotation;
    use crate::video::yuv::{Colour, Layout, Matrix, Planes, Subsampling};

    /// A row of grey pixels.
    fn grey(values: &[u8]) -> Vec<u8> {
        values.iter().flat_map(|value| [*value; 3]).collect()
    }

    fn resized(values: &[u8], width: usize, interpolation: Interpolation) -> Vec<u8> {
        let from = [values.len(), 1];
        let out = resize(&grey(values), from, [width, 1], interpolation);
        out.chunks(3).map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn pixels_lie_at_their_centres_and_edges_are_repeated() {
        // Twice as many pixels: new centres lie a quarter before and after the old ones.
        assert_eq!(
            resized(&[0, 100], 4, Interpolation::Bilinear),
            [0, 25, 75, 100]
        );
    }

    #[test]
    fn bilinear_shrinking_looks_at_two_pixels_only() {
        // A third of the pixels: each new centre falls on an old one, neighbours do not count.
        assert_eq!(
            resized(&[0, 90, 0, 0, 30, 255], 2, Interpolation::Bilinear),
            [90, 30]
        );
    }

    #[test]
    fn bicubic_shrinking_averages_what_becomes_one_pixel() {
        let stripes: Vec<u8> = (0..32).map(|column| (column % 2) * 200).collect();

        let shrunk = resized(&stripes, 4, Interpolation::Bicubic);

        assert!(
            shrunk[1..3].iter().all(|value| value.abs_diff(100) <= 5),
            "{shrunk:?}"
        );
    }

    #[test]
    fn strips_give_the_pixels_of_the_whole() {
        let (width, height) = (601, 97);
        let noise = |count: u32| {
            let level = |at: u32| (at.wrapping_mul(2_654_435_761) >> 21) as u8;
            (0..count).map(level).collect::<Vec<u8>>()
        };
        let layout = Layout {
            subsampling: Subsampling {
                columns: 2,
                rows: 2,
            },
            depth: 8,
        };
        let chroma = 301 * 49;
        let samples = [noise(601 * 97), noise(chroma), noise(chroma + 9)];
        let planes = Planes::new([width, height], layout, samples).unwrap();
        let colour = Colour {
            matrix: Matrix::Bt709,
            full_range: false,
        };
        let region = Region {
            left: 3,
            top: 5,
            width: 590,
            height: 90,
        };
        for rotation in [Rotation::None, Rotation::Quarter] {
            let frame = DecodedFrame::of_planes(&planes, colour, PixelAspect::SQUARE, rotation);
            for (region, to) in [
                (Region::whole(frame.size()), [224, 61]),
                (Region::whole(frame.size()), [99, frame.size()[1]]),
                (Region::whole(frame.size()), [frame.size()[0], 40]),
                (Region::whole(frame.size()), [411, 130]),
                (
                    Region {
                        width: region.width.min(frame.size()[0] - 3),
                        height: region.height.min(frame.size()[1] - 5),
                        ..region
                    },
                    [64, 64],
                ),
            ] {
                for interpolation in [Interpolation::Bilinear, Interpolation::Bicubic] {
                    let whole = resize(&frame.region(region), region.size(), to, interpolation);

                    let strips = resize_region(&frame, region, to, interpolation);

                    assert!(strips == whole, "{rotation:?} {to:?} {interpolation:?}");
                }
            }
        }
    }

    #[test]
    fn the_long_side_is_rounded_half_up() {
        assert_eq!(with_short_side([340, 256], 224), [298, 224]);
        assert_eq!(with_short_side([3, 2], 1), [2, 1]);
        assert_eq!(with_short_side([1, 1], 256), [256, 256]);
    }

    #[test]
    fn torchvision_cuts_the_long_side_off() {
        assert_eq!(with_short_side_as_torchvision([320, 240], 224), [298, 224]);
        assert_eq!(with_short_side_as_torchvision([3, 2], 1), [1, 1]);
    }
}
