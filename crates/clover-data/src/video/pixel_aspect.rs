//! Pixels that are not square: old television formats store fewer columns than they show.
//!
//! The side that would shrink is kept and the other is stretched, so that nothing is thrown away.

use super::transform::{Interpolation, resize};

/// More is a mistake of the file; such a ratio is ignored, as players do.
const MAX_RATIO: u32 = 16;

/// Width over height of one pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PixelAspect {
    width: u32,
    height: u32,
}

impl PixelAspect {
    /// Square pixels.
    pub(super) const SQUARE: Self = Self {
        width: 1,
        height: 1,
    };

    /// Takes up what a file says, if it says anything sensible.
    pub(super) fn of(ratio: Option<[u32; 2]>) -> Self {
        match ratio {
            Some([width, height])
                if width > 0
                    && height > 0
                    && width / height <= MAX_RATIO
                    && height / width <= MAX_RATIO =>
            {
                Self { width, height }
            }
            _ => Self::SQUARE,
        }
    }

    /// Width and height of a frame as it is shown.
    pub(super) fn size(self, [width, height]: [usize; 2]) -> [usize; 2] {
        let stretched = |side: usize, by: u32, over: u32| {
            (side as f64 * f64::from(by) / f64::from(over)).round() as usize
        };
        if self.width >= self.height {
            [stretched(width, self.width, self.height), height]
        } else {
            [width, stretched(height, self.height, self.width)]
        }
    }

    /// Makes the pixels of a frame of `[height, width, 3]` bytes square.
    pub(super) fn stretch(self, rgb: Vec<u8>, size: [usize; 2]) -> Vec<u8> {
        let shown = self.size(size);
        if shown == size {
            return rgb;
        }
        resize(&rgb, size, shown, Interpolation::Bilinear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_pixels_make_a_wide_image() {
        let aspect = PixelAspect::of(Some([16, 11]));

        assert_eq!(aspect.size([352, 288]), [512, 288]);
        assert_eq!(PixelAspect::of(Some([1, 2])).size([4, 3]), [4, 6]);
    }

    #[test]
    fn square_pixels_and_nonsense_leave_a_frame_alone() {
        for ratio in [
            None,
            Some([1, 1]),
            Some([0, 1]),
            Some([1, 0]),
            Some([500, 1]),
        ] {
            let aspect = PixelAspect::of(ratio);

            assert_eq!(aspect.size([5, 3]), [5, 3]);
            assert_eq!(aspect.stretch(vec![7; 45], [5, 3]), vec![7; 45]);
        }
    }

    #[test]
    fn columns_are_doubled_between_their_neighbours() {
        let aspect = PixelAspect::of(Some([2, 1]));

        let shown = aspect.stretch(vec![0, 0, 0, 100, 100, 100], [2, 1]);

        let grey: Vec<u8> = shown.into_iter().step_by(3).collect();
        assert_eq!(grey, [0, 25, 75, 100]);
    }
}
