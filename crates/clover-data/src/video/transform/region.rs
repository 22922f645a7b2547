//! A rectangle of a frame.

use std::ops::Range;

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::video) struct Region {
    pub(in crate::video) left: usize,
    pub(in crate::video) top: usize,
    pub(in crate::video) width: usize,
    pub(in crate::video) height: usize,
}

impl Region {
    /// All of a frame of this width and height.
    pub(in crate::video) fn whole([width, height]: [usize; 2]) -> Self {
        Self {
            left: 0,
            top: 0,
            width,
            height,
        }
    }

    /// Width and height.
    pub(in crate::video) fn size(self) -> [usize; 2] {
        [self.width, self.height]
    }

    /// The columns it covers.
    pub(in crate::video) fn columns(self) -> Range<usize> {
        self.left..self.left + self.width
    }

    /// The rows it covers.
    pub(in crate::video) fn rows(self) -> Range<usize> {
        self.top..self.top + self.height
    }

    /// The same share of a frame of another size.
    pub(super) fn stretched(self, from: [usize; 2], to: [usize; 2]) -> Self {
        let [columns, rows] =
            [0, 1].map(|side| move |pixels: usize| pixels * to[side] / from[side].max(1));
        Self {
            left: columns(self.left),
            top: rows(self.top),
            width: columns(self.width).max(1),
            height: rows(self.height).max(1),
        }
    }

    /// Copies the rectangle out of a frame of `[height, frame_width, 3]` bytes into `out`.
    ///
    /// # Panics
    ///
    /// Panics if the rectangle reaches beyond the frame or `out` has another size than it.
    pub(in crate::video) fn copy(self, pixels: &[u8], frame_width: usize, out: &mut [u8]) {
        assert!(
            self.left + self.width <= frame_width,
            "crop: the region is wider than the frame"
        );
        assert_eq!(
            out.len(),
            self.width * self.height * 3,
            "crop: the room differs from the region"
        );
        if out.is_empty() {
            return;
        }
        for (row, out) in self.rows().zip(out.chunks_exact_mut(self.width * 3)) {
            let start = (row * frame_width + self.left) * 3;
            out.copy_from_slice(&pixels[start..start + self.width * 3]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_outside_are_left_out() {
        // Three columns, two rows; every byte is its own number.
        let pixels: Vec<u8> = (0..18).collect();
        let region = Region {
            left: 1,
            top: 1,
            width: 2,
            height: 1,
        };
        let mut out = [0; 6];

        region.copy(&pixels, 3, &mut out);

        assert_eq!(out, [12, 13, 14, 15, 16, 17]);
    }
}
