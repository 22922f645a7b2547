//! Frames on their way from a decoder to whoever asked for them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use super::pixel_aspect::PixelAspect;
use super::rotation::Rotation;
use super::transform::Region;
use super::yuv::{Colour, Planes};
use crate::DataError;

/// A decoded frame, upright and with square pixels.
///
/// Its colours are worked out block by block as they are asked for, so that nobody has to hold a
/// large frame in RGB.
#[derive(Debug)]
pub struct DecodedFrame<'a> {
    pixels: Pixels<'a>,
    rotation: Rotation,
}

#[derive(Debug)]
enum Pixels<'a> {
    Rgb(Cow<'a, [u8]>, [usize; 2]),
    Planes(&'a Planes, Colour),
}

impl<'a> DecodedFrame<'a> {
    /// A frame of `[height, width, 3]` bytes; `size` is width and height.
    pub(super) fn of_rgb(rgb: &'a [u8], size: [usize; 2]) -> Self {
        Self {
            pixels: Pixels::Rgb(rgb.into(), size),
            rotation: Rotation::None,
        }
    }

    /// A frame whose pixels have `aspect` and which is shown turned by `rotation`.
    pub(super) fn of_planes(
        planes: &'a Planes,
        colour: Colour,
        aspect: PixelAspect,
        rotation: Rotation,
    ) -> Self {
        let size = planes.size();
        let shown = aspect.size(size);
        let pixels = Pixels::Planes(planes, colour);
        if shown == size {
            return Self { pixels, rotation };
        }
        let lying = Self {
            pixels,
            rotation: Rotation::None,
        };
        let stretched = aspect.stretch(lying.rgb(), size);
        Self {
            pixels: Pixels::Rgb(stretched.into(), shown),
            rotation,
        }
    }

    /// Width and height.
    pub fn size(&self) -> [usize; 2] {
        match self.pixels {
            Pixels::Rgb(_, size) => self.rotation.size(size),
            Pixels::Planes(planes, _) => self.rotation.size(planes.size()),
        }
    }

    /// All pixels: `[height, width, 3]`, the last axis red, green, blue.
    pub fn rgb(&self) -> Vec<u8> {
        let whole = Region::whole(self.size());
        let mut rgb = vec![0; whole.width * whole.height * 3];
        self.write(whole, &mut rgb);
        rgb
    }

    /// The pixels of a region, without a copy where they are there already.
    pub(super) fn region(&self, region: Region) -> Cow<'_, [u8]> {
        if let (Pixels::Rgb(rgb, _), Rotation::None) = (&self.pixels, self.rotation)
            && region == Region::whole(self.size())
        {
            return Cow::Borrowed(&rgb[..]);
        }
        let mut out = vec![0; region.width * region.height * 3];
        self.write(region, &mut out);
        out.into()
    }

    /// Writes the pixels of a region into `out`.
    ///
    /// # Panics
    ///
    /// Panics if the region reaches beyond the frame or `out` has another size than it.
    pub(super) fn write(&self, region: Region, out: &mut [u8]) {
        if self.rotation == Rotation::None {
            return self.write_lying(region, out);
        }
        let lying = self.rotation.region_before(region, self.size());
        let mut block = vec![0; out.len()];
        self.write_lying(lying, &mut block);
        out.copy_from_slice(&self.rotation.turn(block, [lying.width, lying.height]));
    }

    /// The same before the frame is turned.
    fn write_lying(&self, region: Region, out: &mut [u8]) {
        match &self.pixels {
            Pixels::Rgb(rgb, size) => region.copy(rgb, size[0], out),
            Pixels::Planes(planes, colour) => {
                planes.write_rgb(*colour, region.columns(), region.rows(), out);
            }
        }
    }
}

/// Takes frames: the places in the list that was asked for, and the frame.
pub type FrameSink<'a> = dyn FnMut(&[usize], &DecodedFrame<'_>) + 'a;

/// The frames that were asked for and have not come yet.
pub(super) struct WantedFrames<'a> {
    missing: BTreeMap<usize, Vec<usize>>,
    take: &'a mut FrameSink<'a>,
}

impl<'a> WantedFrames<'a> {
    /// Hands the frames `indices` on to `take`.
    pub(super) fn new(indices: &[usize], take: &'a mut FrameSink<'_>) -> Self {
        let mut missing: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, index) in indices.iter().enumerate() {
            missing.entry(*index).or_default().push(place);
        }
        Self { missing, take }
    }

    /// Tells whether a frame is still missing.
    pub(super) fn wants(&self, frame: usize) -> bool {
        self.missing.contains_key(&frame)
    }

    /// Tells whether every frame has come.
    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// Hands a frame on; those nobody asked for are dropped.
    pub(super) fn place(&mut self, index: usize, frame: &DecodedFrame<'_>) {
        if let Some(places) = self.missing.remove(&index) {
            (self.take)(&places, frame);
        }
    }

    /// Fails if a frame has not come.
    pub(super) fn finish(self, path: &Path) -> Result<(), DataError> {
        match self.missing.into_keys().next() {
            None => Ok(()),
            Some(frame) => Err(DataError::Frame {
                path: path.to_path_buf(),
                frame,
                source: "the file ends before it".into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::yuv::{Layout, Matrix, Subsampling};

    #[test]
    fn frames_are_handed_on_once_with_all_their_places() {
        let mut taken = Vec::new();
        let mut take = |places: &[usize], frame: &DecodedFrame<'_>| {
            taken.push((places.to_vec(), frame.rgb()[0]));
        };
        let mut wanted = WantedFrames::new(&[7, 2, 7], &mut take);

        wanted.place(2, &DecodedFrame::of_rgb(&[2; 3], [1, 1]));
        wanted.place(5, &DecodedFrame::of_rgb(&[5; 3], [1, 1]));
        assert!(wanted.wants(7) && !wanted.is_complete());
        wanted.place(7, &DecodedFrame::of_rgb(&[7; 3], [1, 1]));
        wanted.place(7, &DecodedFrame::of_rgb(&[9; 3], [1, 1]));

        wanted.finish(Path::new("a")).unwrap();
        assert_eq!(taken, [(vec![1], 2), (vec![0, 2], 7)]);
    }

    #[test]
    fn a_frame_that_never_came_is_an_error_and_not_black() {
        let mut take = |_: &[usize], _: &DecodedFrame<'_>| {};

        let error = WantedFrames::new(&[3], &mut take)
            .finish(Path::new("a.gif"))
            .unwrap_err();

        assert_eq!(error.to_string(), "a.gif: frame 3 cannot be decoded");
    }

    #[test]
    fn blocks_of_a_turned_frame_are_those_of_the_whole() {
        let layout = Layout {
            subsampling: Subsampling {
                columns: 2,
                rows: 2,
            },
            depth: 8,
        };
        let plane = |count: usize, step: usize| (0..count).map(|i| (i * step) as u8).collect();
        let samples = [plane(35, 7), plane(12, 19), plane(12, 23)];
        let planes = Planes::new([7, 5], layout, samples).unwrap();
        let colour = Colour {
            matrix: Matrix::Bt601,
            full_range: true,
        };
        for rotation in [
            Rotation::None,
            Rotation::Quarter,
            Rotation::Half,
            Rotation::ThreeQuarters,
        ] {
            let lying =
                DecodedFrame::of_planes(&planes, colour, PixelAspect::SQUARE, Rotation::None);
            let expected = rotation.turn(lying.rgb(), [7, 5]);
            let frame = DecodedFrame::of_planes(&planes, colour, PixelAspect::SQUARE, rotation);
            let turned = DecodedFrame::of_rgb(&expected, frame.size());
            let region = Region {
                left: 1,
                top: 2,
                width: 4,
                height: 2,
            };

            assert_eq!(frame.rgb(), expected);
            assert_eq!(frame.region(region), turned.region(region));
        }
    }
}
