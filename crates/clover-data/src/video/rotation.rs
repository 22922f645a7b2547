//! How a camera was held: quarter turns that an mp4 track asks its player to make.

use mp4_atom::Matrix;

use super::transform::Region;

/// Quarter turns clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rotation {
    None,
    Quarter,
    Half,
    ThreeQuarters,
}

/// 1 in the matrix's fixed-point numbers.
const ONE: i32 = 1 << 16;

impl Rotation {
    /// Reads the turn off a track's matrix; whatever is not a quarter turn is not made.
    pub(super) fn of(matrix: &Matrix) -> Self {
        Self::of_entries([matrix.a, matrix.b, matrix.c, matrix.d])
    }

    /// The same from the four entries that turn: a, b, c, d.
    pub(super) fn of_entries(entries: [i32; 4]) -> Self {
        match entries.map(|entry| (entry % ONE, entry / ONE)) {
            [(0, 0), (0, 1), (0, -1), (0, 0)] => Self::Quarter,
            [(0, -1), (0, 0), (0, 0), (0, -1)] => Self::Half,
            [(0, 0), (0, -1), (0, 1), (0, 0)] => Self::ThreeQuarters,
            _ => Self::None,
        }
    }

    /// Width and height after the turn.
    pub(super) fn size(self, [width, height]: [usize; 2]) -> [usize; 2] {
        match self {
            Self::None | Self::Half => [width, height],
            Self::Quarter | Self::ThreeQuarters => [height, width],
        }
    }

    /// Where the pixels of a region lie before the turn; `size` is the frame's after it.
    pub(super) fn region_before(self, region: Region, [width, height]: [usize; 2]) -> Region {
        let right = width - region.left - region.width;
        let below = height - region.top - region.height;
        let (left, top) = match self {
            Self::None => (region.left, region.top),
            Self::Quarter => (region.top, right),
            Self::Half => (right, below),
            Self::ThreeQuarters => (below, region.left),
        };
        let [width, height] = self.size(region.size());
        Region {
            left,
            top,
            width,
            height,
        }
    }

    /// Turns a frame of `[height, width, 3]` bytes.
    pub(super) fn turn(self, rgb: Vec<u8>, [width, height]: [usize; 2]) -> Vec<u8> {
        if self == Self::None {
            return rgb;
        }
        let [out_width, out_height] = self.size([width, height]);
        let mut out = Vec::with_capacity(rgb.len());
        for row in 0..out_height {
            for column in 0..out_width {
                let (x, y) = match self {
                    Self::None => (column, row),
                    Self::Quarter => (row, height - 1 - column),
                    Self::Half => (width - 1 - column, height - 1 - row),
                    Self::ThreeQuarters => (width - 1 - row, column),
                };
                let pixel = (y * width + x) * 3;
                out.extend_from_slice(&rgb[pixel..pixel + 3]);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two columns and one row: a, b.
    fn turned(rotation: Rotation) -> Vec<u8> {
        let rgb = vec![b'a', 0, 0, b'b', 0, 0];
        rotation.turn(rgb, [2, 1]).into_iter().step_by(3).collect()
    }

    #[test]
    fn a_quarter_turn_puts_the_left_on_top() {
        assert_eq!(Rotation::Quarter.size([2, 1]), [1, 2]);
        assert_eq!(turned(Rotation::Quarter), b"ab");
        assert_eq!(turned(Rotation::Half), b"ba");
        assert_eq!(turned(Rotation::ThreeQuarters), b"ba");
    }

    #[test]
    fn four_quarter_turns_are_none() {
        let rgb: Vec<u8> = (0..18).collect();
        let mut size = [3, 2];
        let mut turned = rgb.clone();
        for _ in 0..4 {
            turned = Rotation::Quarter.turn(turned, size);
            size = Rotation::Quarter.size(size);
        }

        assert_eq!(turned, rgb);
    }

    #[test]
    fn only_quarter_turns_are_read_off_a_matrix() {
        let matrix = |a, b, c, d| Matrix {
            a,
            b,
            u: 0,
            c,
            d,
            v: 0,
            x: 0,
            y: 0,
            w: 1 << 30,
        };

        assert_eq!(Rotation::of(&matrix(ONE, 0, 0, ONE)), Rotation::None);
        assert_eq!(Rotation::of(&matrix(0, ONE, -ONE, 0)), Rotation::Quarter);
        assert_eq!(Rotation::of(&matrix(-ONE, 0, 0, -ONE)), Rotation::Half);
        assert_eq!(
            Rotation::of(&matrix(0, -ONE, ONE, 0)),
            Rotation::ThreeQuarters
        );
        assert_eq!(Rotation::of(&matrix(0, ONE + 9, -ONE, 0)), Rotation::None);
    }
}
