//! Smaller frames for storage: nothing that a model looks at needs the full size of a video.

use super::Clip;
use super::transform::{Interpolation, resize, with_short_side};

impl Clip {
    /// The clip with its shorter side at `short_side`; one that is not larger is left as it is.
    ///
    /// Over as many pixels as become one, so that fine patterns do not alias.
    ///
    /// # Panics
    ///
    /// Panics if `short_side` is zero.
    #[must_use]
    pub fn shrunk_to(self, short_side: usize) -> Self {
        assert!(short_side > 0, "shrink: the shorter side is zero");
        let size = [self.width(), self.height()];
        if size[0].min(size[1]) <= short_side {
            return self;
        }
        let to = with_short_side(size, short_side);
        let mut pixels = Vec::with_capacity(self.frames() * to[0] * to[1] * 3);
        for frame in 0..self.frames() {
            pixels.extend(resize(self.frame(frame), size, to, Interpolation::Bicubic));
        }
        Self::new(self.frames(), to[1], to[0], pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_side_shrinks_and_never_grows() {
        let clip = Clip::new(2, 4, 8, vec![9; 2 * 4 * 8 * 3]);

        let small = clip.clone().shrunk_to(2);

        assert_eq!([small.frames(), small.height(), small.width()], [2, 2, 4]);
        assert!(small.pixels().iter().all(|level| *level == 9));
        assert_eq!(clip.clone().shrunk_to(5), clip);
    }
}
