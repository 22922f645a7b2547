//! From the planes of a decoded picture to 8-bit RGB.
//!
//! The equations are those of ITU-T H.273, section 8.3, chosen as FFmpeg chooses them: BT.601 in
//! limited range where a stream says nothing or something unknown. YCgCo, which FFmpeg 5 reads as
//! BT.601, follows H.273. A chroma sample colours all luma samples it belongs to.

use std::ops::Range;

/// The equations of a stream's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matrix {
    /// The planes are green, blue and red.
    Identity,
    /// ITU-R BT.601, of standard-definition video.
    Bt601,
    /// ITU-R BT.709, of high-definition video.
    Bt709,
    /// ITU-R BT.2020, of ultra-high-definition video; as in FFmpeg also where luminance is constant.
    Bt2020,
    /// SMPTE 240M, of early high-definition video.
    Smpte240m,
    /// The United States' rules of 1953.
    Fcc,
    /// Differences to green and orange.
    YCgCo,
}

impl Matrix {
    /// The matrix with this number in H.273, table 4.
    pub(super) fn of_h273(number: u16) -> Self {
        match number {
            0 => Self::Identity,
            1 => Self::Bt709,
            4 => Self::Fcc,
            7 => Self::Smpte240m,
            8 => Self::YCgCo,
            9 | 10 => Self::Bt2020,
            _ => Self::Bt601,
        }
    }

    /// The shares of red and blue in luma.
    fn luma_shares(self) -> (f64, f64) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
            Self::Bt2020 => (0.2627, 0.0593),
            Self::Smpte240m => (0.212, 0.087),
            Self::Fcc => (0.30, 0.11),
            // Neither is made of shares; `Coefficients::of` and `Planes::write_rgb` know them.
            Self::Identity | Self::YCgCo => (0.0, 0.0),
        }
    }
}

/// What a stream says about its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour {
    /// From colour differences to colours.
    pub(super) matrix: Matrix,
    /// Luma from 0 to 255 instead of from 16 to 235.
    pub(super) full_range: bool,
}

/// What a container says about the samples of a stream, which counts where the stream is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ContainerColour {
    pub(super) matrix: Option<Matrix>,
    pub(super) full_range: Option<bool>,
}

/// How many luma samples share a chroma sample, across and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subsampling {
    /// 2, or 1 for 4:4:4.
    pub(super) columns: usize,
    /// 2, or 1 for 4:2:2 and 4:4:4.
    pub(super) rows: usize,
}

/// How the samples of a picture are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) subsampling: Subsampling,
    /// Bits of a sample, 8 to 16: above 8 each takes two bytes, the lower one first.
    pub(super) depth: u32,
}

/// One picture as it was decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Planes {
    size: [usize; 2],
    layout: Layout,
    /// Luma, blue difference, red difference; rows follow each other without a gap.
    samples: [Vec<u8>; 3],
}

/// Fixed-point digits after the point.
const SHIFT: u32 = 16;

/// The conversion, scaled by `1 << SHIFT`.
struct Coefficients {
    luma: i32,
    /// The samples of black and of no colour.
    black: i32,
    grey: i32,
    /// What the two colour differences add to red, green and blue.
    chroma: [[i32; 2]; 3],
}

impl Coefficients {
    fn of(colour: Colour, depth: u32) -> Self {
        // Levels of 8 bits that one step of a sample is worth.
        let steps = f64::from(1_u32 << (depth - 8));
        let full = 255.0 / f64::from((1_u32 << depth) - 1);
        let (luma, chroma, black) = match (colour.full_range, colour.matrix) {
            (true, _) => (full, full, 0),
            // H.273 scales the colours themselves, so that all three samples have luma's range.
            (false, Matrix::YCgCo) => (255.0 / 219.0 / steps, 255.0 / 219.0 / steps, 16),
            (false, _) => (255.0 / 219.0 / steps, 255.0 / 224.0 / steps, 16),
        };
        let (red, blue) = colour.matrix.luma_shares();
        let green = 1.0 - red - blue;
        let (of_blue, of_red) = (2.0 * (1.0 - blue), 2.0 * (1.0 - red));
        let differences = match colour.matrix {
            Matrix::YCgCo => [[-1.0, 1.0], [1.0, 0.0], [-1.0, -1.0]],
            _ => [
                [0.0, of_red],
                [-of_blue * blue / green, -of_red * red / green],
                [of_blue, 0.0],
            ],
        };
        let fixed = |value: f64| (value * f64::from(1 << SHIFT)).round() as i32;
        Self {
            luma: fixed(luma),
            black: black << (depth - 8),
            grey: 1 << (depth - 1),
            chroma: differences.map(|pair| pair.map(|value| fixed(chroma * value))),
        }
    }
}

impl Planes {
    /// Puts planes together; `None` if one is smaller than `size`, width and height, asks for.
    pub(super) fn new(size: [usize; 2], layout: Layout, mut samples: [Vec<u8>; 3]) -> Option<Self> {
        let [width, height] = size;
        let Subsampling { columns, rows } = layout.subsampling;
        let bytes = match layout.depth {
            8 => 1,
            9..=16 => 2,
            _ => return None,
        };
        let chroma = width.div_ceil(columns) * height.div_ceil(rows);
        for (plane, needed) in samples.iter_mut().zip([width * height, chroma, chroma]) {
            if plane.len() < needed * bytes || needed == 0 {
                return None;
            }
            plane.truncate(needed * bytes);
        }
        Some(Self {
            size,
            layout,
            samples,
        })
    }

    /// Width and height.
    pub(super) fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Writes the pixels of a block into `rgb`: `[rows, columns, 3]`.
    ///
    /// # Panics
    ///
    /// Panics if the block reaches beyond the picture or `rgb` has another size than it.
    pub(super) fn write_rgb(
        &self,
        colour: Colour,
        columns: Range<usize>,
        rows: Range<usize>,
        rgb: &mut [u8],
    ) {
        let [width, height] = self.size;
        assert!(
            columns.end <= width && rows.end <= height,
            "planes: the block reaches beyond the picture"
        );
        assert_eq!(
            rgb.len(),
            columns.len() * rows.len() * 3,
            "planes: the room differs from the block"
        );
        if rgb.is_empty() {
            return;
        }
        let whole = Subsampling {
            columns: 1,
            rows: 1,
        };
        let identity = colour.matrix == Matrix::Identity;
        if identity && self.layout.subsampling == whole {
            self.write_identity(columns, rows, rgb);
        } else {
            self.convert(colour, columns, rows, rgb);
        }
    }

    fn convert(
        &self,
        mut colour: Colour,
        columns: Range<usize>,
        rows: Range<usize>,
        rgb: &mut [u8],
    ) {
        if colour.matrix == Matrix::Identity {
            // Without a colour for each pixel: FFmpeg reads it like a stream that says nothing.
            colour.matrix = Matrix::Bt601;
        }
        let c = Coefficients::of(colour, self.layout.depth);
        let [luma, u, v] = &self.samples;
        let [width, _] = self.size;
        let Subsampling {
            columns: across,
            rows: down,
        } = self.layout.subsampling;
        let chroma_columns = columns.start / across..columns.end.div_ceil(across);
        let cut = columns.start - chroma_columns.start * across;
        // One loop a step and one array a channel: the compiler makes vectors of these.
        let mut differences = [(); 2].map(|()| vec![0; chroma_columns.len()]);
        let mut added = [(); 3].map(|()| vec![0; chroma_columns.len() * across]);
        let mut scaled = vec![0; columns.len()];
        let mut levels = [(); 3].map(|()| vec![0_u8; columns.len()]);
        let mut added_of = None;
        for (row, out) in rows.zip(rgb.chunks_exact_mut(columns.len() * 3)) {
            let chroma_row = row / down;
            if added_of != Some(chroma_row) {
                let start = chroma_row * width.div_ceil(across);
                let at = start + chroma_columns.start..start + chroma_columns.end;
                for (values, plane) in differences.iter_mut().zip([u, v]) {
                    self.load(plane, at.clone(), c.grey, values);
                }
                for (added, shares) in added.iter_mut().zip(c.chroma) {
                    add_differences(&differences, shares, across, added);
                }
                added_of = Some(chroma_row);
            }
            self.load(
                luma,
                row * width + columns.start..row * width + columns.end,
                c.black,
                &mut scaled,
            );
            for value in &mut scaled {
                *value *= c.luma;
            }
            for (levels, added) in levels.iter_mut().zip(&added) {
                for (level, (y, added)) in levels.iter_mut().zip(scaled.iter().zip(&added[cut..])) {
                    *level = clamp(y + added);
                }
            }
            let [red, green, blue] = &levels;
            let levels = red.iter().zip(green).zip(blue);
            for (pixel, ((red, green), blue)) in out.chunks_exact_mut(3).zip(levels) {
                pixel[0] = *red;
                pixel[1] = *green;
                pixel[2] = *blue;
            }
        }
    }

    /// Samples of a plane above `zero`.
    fn load(&self, plane: &[u8], at: Range<usize>, zero: i32, values: &mut [i32]) {
        if self.layout.depth == 8 {
            for (value, sample) in values.iter_mut().zip(&plane[at]) {
                *value = i32::from(*sample) - zero;
            }
        } else {
            let samples = plane[2 * at.start..2 * at.end].chunks_exact(2);
            for (value, sample) in values.iter_mut().zip(samples) {
                *value = i32::from(u16::from_le_bytes([sample[0], sample[1]])) - zero;
            }
        }
    }

    /// As FFmpeg does whatever range the stream gives: such samples are colours already.
    fn write_identity(&self, columns: Range<usize>, rows: Range<usize>, rgb: &mut [u8]) {
        let shift = self.layout.depth - 8;
        let mut values = vec![0; columns.len()];
        for (row, out) in rows.zip(rgb.chunks_exact_mut(columns.len() * 3)) {
            let start = row * self.size[0];
            // Green, blue, red.
            for (plane, place) in self.samples.iter().zip([1, 2, 0]) {
                self.load(
                    plane,
                    start + columns.start..start + columns.end,
                    0,
                    &mut values,
                );
                for (pixel, value) in out.chunks_exact_mut(3).zip(&values) {
                    pixel[place] = ((value + (1 << shift >> 1)) >> shift).min(255) as u8;
                }
            }
        }
    }
}

/// What a row of chroma adds to a colour, each value for `across` columns of luma.
fn add_differences(
    [u, v]: &[Vec<i32>; 2],
    [of_u, of_v]: [i32; 2],
    across: usize,
    added: &mut [i32],
) {
    let value = |(u, v): (&i32, &i32)| of_u * u + of_v * v + (1 << (SHIFT - 1));
    let values = u.iter().zip(v).map(value);
    if across == 2 {
        // By far the most frequent, and much faster when the compiler knows it.
        for (added, value) in added.chunks_exact_mut(2).zip(values) {
            added[0] = value;
            added[1] = value;
        }
    } else {
        for (added, value) in added.chunks_exact_mut(across).zip(values) {
            added.fill(value);
        }
    }
}

fn clamp(value: i32) -> u8 {
    // Sixteen bits are enough here, and more of them fit a vector.
    ((value >> SHIFT) as i16).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(columns: usize, rows: usize, depth: u32) -> Layout {
        Layout {
            subsampling: Subsampling { columns, rows },
            depth,
        }
    }

    fn rgb_of(planes: &Planes, colour: Colour) -> Vec<u8> {
        let [width, height] = planes.size();
        let mut rgb = vec![0; width * height * 3];
        planes.write_rgb(colour, 0..width, 0..height, &mut rgb);
        rgb
    }

    fn convert(yuv: [u8; 3], matrix: Matrix, full_range: bool) -> Vec<u8> {
        let samples = [vec![yuv[0]; 4], vec![yuv[1]], vec![yuv[2]]];
        let planes = Planes::new([2, 2], layout(2, 2, 8), samples).unwrap();
        let rgb = rgb_of(&planes, Colour { matrix, full_range });
        assert!(rgb.chunks(3).all(|pixel| pixel == &rgb[..3]));
        rgb[..3].to_vec()
    }

    #[test]
    fn limited_range_stretches_luma_from_16_to_235() {
        assert_eq!(convert([16, 128, 128], Matrix::Bt601, false), [0, 0, 0]);
        assert_eq!(
            convert([235, 128, 128], Matrix::Bt601, false),
            [255, 255, 255]
        );
        assert_eq!(
            convert([235, 128, 128], Matrix::Bt601, true),
            [235, 235, 235]
        );
    }

    #[test]
    fn pure_colours_come_back_through_their_own_matrix() {
        // Red, green and blue in 8-bit BT.601 and BT.709, limited range.
        for (yuv, matrix, rgb) in [
            ([81, 90, 240], Matrix::Bt601, [255, 0, 0]),
            ([145, 54, 34], Matrix::Bt601, [0, 255, 0]),
            ([41, 240, 110], Matrix::Bt601, [0, 0, 255]),
            ([63, 102, 240], Matrix::Bt709, [255, 0, 0]),
            ([173, 42, 26], Matrix::Bt709, [0, 255, 0]),
            ([32, 240, 118], Matrix::Bt709, [0, 0, 255]),
        ] {
            let found = convert(yuv, matrix, false);

            // 8-bit rounding of Y, U and V is worth up to two levels.
            for (found, wanted) in found.iter().zip(rgb) {
                assert!(found.abs_diff(wanted) <= 2, "{matrix:?} {yuv:?}: {found}");
            }
        }
    }

    #[test]
    fn every_number_of_h273_gives_the_colours_ffmpeg_gives() {
        // Y, U, V of 91, 104, 198 as FFmpeg 5.1 shows them under each number, limited and full.
        let unknown = ([199, 40, 39], [189, 49, 48]);
        for (number, (limited, full)) in [
            (0, unknown),
            (1, ([213, 55, 37], [201, 63, 46])),
            (2, unknown),
            (3, unknown),
            (4, unknown),
            (5, unknown),
            (6, unknown),
            (7, ([213, 56, 37], [201, 63, 47])),
            (9, ([205, 46, 36], [194, 55, 46])),
            (10, ([205, 46, 36], [194, 55, 46])),
            (11, unknown),
            (14, unknown),
            (255, unknown),
        ] {
            for (full_range, expected) in [(false, limited), (true, full)] {
                let found = convert([91, 104, 198], Matrix::of_h273(number), full_range);

                for (found, expected) in found.iter().zip(expected) {
                    assert!(
                        found.abs_diff(expected) <= 1,
                        "{number}: {found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn green_and_orange_differences_come_back_exactly() {
        // Red 200, green 40, blue 80: Y = 50 + 20 + 20, Cg = 20 - 70, Co = (200 - 80) / 2.
        let full = convert([90, 128 - 50, 128 + 60], Matrix::YCgCo, true);
        // Black and white in limited range.
        let black = convert([16, 128, 128], Matrix::YCgCo, false);
        let green = convert([126, 238, 128], Matrix::YCgCo, false);

        assert_eq!(full, [200, 40, 80]);
        assert_eq!(black, [0, 0, 0]);
        assert_eq!(green, [0, 255, 0]);
    }

    #[test]
    fn planes_of_green_blue_and_red_are_put_in_order_whatever_the_range() {
        let planes = Planes::new([1, 1], layout(1, 1, 8), [vec![40], vec![80], vec![200]]).unwrap();

        for full_range in [false, true] {
            let matrix = Matrix::Identity;

            assert_eq!(
                rgb_of(&planes, Colour { matrix, full_range }),
                [200, 40, 80]
            );
        }
    }

    #[test]
    fn each_pair_of_columns_and_rows_has_its_own_chroma() {
        let samples = [vec![128; 8], vec![128, 255, 128, 128], vec![128; 4]];
        let planes = Planes::new([4, 2], layout(2, 1, 8), samples).unwrap();
        let colour = Colour {
            matrix: Matrix::Bt601,
            full_range: true,
        };

        let rgb = rgb_of(&planes, colour);

        let blue: Vec<u8> = rgb.chunks(3).map(|pixel| pixel[2]).collect();
        assert_eq!(blue, [128, 128, 255, 255, 128, 128, 128, 128]);
    }

    #[test]
    fn a_block_is_cut_out_of_the_whole_at_odd_places_too() {
        let (width, height) = (7, 5);
        let samples = |count: usize, step: usize| (0..count).map(|i| (i * step) as u8).collect();
        let planes = [samples(35, 7), samples(12, 19), samples(12, 23)];
        let planes = Planes::new([width, height], layout(2, 2, 8), planes).unwrap();
        let colour = Colour {
            matrix: Matrix::Bt709,
            full_range: false,
        };
        let whole = rgb_of(&planes, colour);

        let mut block = vec![0; 4 * 3 * 3];
        planes.write_rgb(colour, 3..7, 1..4, &mut block);

        for (row, line) in block.chunks(4 * 3).enumerate() {
            let start = ((row + 1) * width + 3) * 3;
            assert_eq!(line, &whole[start..start + 4 * 3]);
        }
    }

    #[test]
    fn planes_smaller_than_their_size_are_none() {
        let planes = |size, samples| Planes::new(size, layout(2, 2, 8), samples);

        assert!(planes([3, 3], [vec![0; 9], vec![0; 4], vec![0; 4]]).is_some());
        assert!(planes([3, 3], [vec![0; 9], vec![0; 4], vec![0; 3]]).is_none());
        assert!(planes([3, 3], [vec![0; 8], vec![0; 4], vec![0; 4]]).is_none());
        assert!(planes([0, 3], [vec![], vec![], vec![]]).is_none());
    }

    #[test]
    fn longer_samples_are_the_same_colours_without_steps() {
        let long = |value: u16| value.to_le_bytes().to_vec();
        let pixel = |yuv: [u16; 3], depth, matrix, full_range| {
            let planes = Planes::new([1, 1], layout(1, 1, depth), yuv.map(long)).unwrap();
            rgb_of(&planes, Colour { matrix, full_range })
        };

        let red = pixel([63 << 2, 102 << 2, 240 << 2], 10, Matrix::Bt709, false);
        let white = pixel([4095, 2048, 2048], 12, Matrix::Bt601, true);
        let grey = pixel([16_383, 8192, 8192], 14, Matrix::Bt2020, true);
        let between = pixel([802, 512, 512], 10, Matrix::Bt601, true);
        let rgb = pixel([162, 1023, 801], 10, Matrix::Identity, false);

        assert_eq!(red, convert([63, 102, 240], Matrix::Bt709, false));
        assert_eq!(white, [255, 255, 255]);
        assert_eq!(grey, [255, 255, 255]);
        // 802 of 1023 is 199.9 of 255.
        assert_eq!(between, [200, 200, 200]);
        // 801 and 162 of four steps a level, in the order red, green, blue.
        assert_eq!(rgb, [200, 41, 255]);
    }

    #[test]
    fn the_brightest_samples_of_any_depth_do_not_overflow() {
        for depth in [9, 10, 12, 14, 16] {
            let most = ((1_u32 << depth) - 1) as u16;
            for yuv in [[most; 3], [most, 0, 0], [0, most, 0], [most, 0, most]] {
                let samples = yuv.map(|value| value.to_le_bytes().to_vec());
                let planes = Planes::new([1, 1], layout(1, 1, depth), samples).unwrap();
                for number in 0..12 {
                    let matrix = Matrix::of_h273(number);
                    for full_range in [false, true] {
                        assert_eq!(rgb_of(&planes, Colour { matrix, full_range }).len(), 3);
                    }
                }
            }
        }
    }
}
