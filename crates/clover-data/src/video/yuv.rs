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
mod tests;
