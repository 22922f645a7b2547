//! A rectangle of a frame.

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Region {
    /// Cuts the rectangle out of a frame of `[height, frame_width, 3]` bytes.
    ///
    /// # Panics
    ///
    /// Panics if the rectangle reaches beyond the frame.
    pub(super) fn cut(self, pixels: &[u8], frame_width: usize) -> Vec<u8> {
        assert!(
            self.left + self.width <= frame_width,
            "crop: the region is wider than the frame"
        );
        let mut out = Vec::with_capacity(self.width * self.height * 3);
        for row in self.top..self.top + self.height {
            let start = (row * frame_width + self.left) * 3;
            out.extend_from_slice(&pixels[start..start + self.width * 3]);
        }
        out
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

        assert_eq!(region.cut(&pixels, 3), [12, 13, 14, 15, 16, 17]);
    }
}
