//! From the planes of a decoded picture to 8-bit RGB.
//!
//! BT.601 in limited range unless the stream says otherwise, which is what decoders assume for
//! streams that say nothing. A chroma sample colours all luma samples it belongs to.

/// The equations of a stream's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matrix {
    /// ITU-R BT.601, of standard-definition video.
    Bt601,
    /// ITU-R BT.709, of high-definition video.
    Bt709,
}

/// What a stream says about its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour {
    /// From colour differences to colours.
    pub(super) matrix: Matrix,
    /// Luma from 0 to 255 instead of from 16 to 235.
    pub(super) full_range: bool,
}

/// One picture as it was decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Planes {
    /// Columns of the luma plane.
    pub(super) width: usize,
    /// Rows of the luma plane.
    pub(super) height: usize,
    /// Columns of luma that share a column of chroma: 2, or 1 for 4:4:4.
    pub(super) columns_per_chroma: usize,
    /// Rows of luma that share a row of chroma: 2, or 1 for 4:2:2 and 4:4:4.
    pub(super) rows_per_chroma: usize,
    /// Luma.
    pub(super) y: Vec<u8>,
    /// Blue difference.
    pub(super) u: Vec<u8>,
    /// Red difference.
    pub(super) v: Vec<u8>,
}

/// Fixed-point digits after the point.
const SHIFT: u32 = 16;

/// The conversion, scaled by `1 << SHIFT`.
struct Coefficients {
    luma: i32,
    black: i32,
    red_v: i32,
    green_u: i32,
    green_v: i32,
    blue_u: i32,
}

impl Coefficients {
    fn of(colour: Colour) -> Self {
        let (red, blue) = match colour.matrix {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
        };
        let green = 1.0 - red - blue;
        let (luma, chroma, black) = if colour.full_range {
            (1.0, 1.0, 0)
        } else {
            (255.0 / 219.0, 255.0 / 224.0, 16)
        };
        let fixed = |value: f64| (value * f64::from(1 << SHIFT)).round() as i32;
        Self {
            luma: fixed(luma),
            black,
            red_v: fixed(chroma * 2.0 * (1.0 - red)),
            green_u: fixed(-chroma * 2.0 * (1.0 - blue) * blue / green),
            green_v: fixed(-chroma * 2.0 * (1.0 - red) * red / green),
            blue_u: fixed(chroma * 2.0 * (1.0 - blue)),
        }
    }
}

/// Appends the picture's pixels to `rgb`: `[height, width, 3]`.
///
/// # Panics
///
/// Panics if a plane is smaller than the picture.
pub(super) fn append_rgb(planes: &Planes, colour: Colour, rgb: &mut Vec<u8>) {
    let c = Coefficients::of(colour);
    let start = rgb.len();
    rgb.resize(start + planes.width * planes.height * 3, 0);
    let chroma_width = planes.width.div_ceil(planes.columns_per_chroma);
    // What a row of chroma adds to red, green and blue, for each column of luma.
    let mut added = vec![[0; 3]; chroma_width * planes.columns_per_chroma];
    let mut added_of = None;
    let rows = rgb[start..].chunks_exact_mut(planes.width * 3);
    for (row, (out, y)) in rows.zip(planes.y.chunks_exact(planes.width)).enumerate() {
        let chroma_row = row / planes.rows_per_chroma;
        if added_of != Some(chroma_row) {
            let at = chroma_row * chroma_width..(chroma_row + 1) * chroma_width;
            let chroma = planes.u[at.clone()].iter().zip(&planes.v[at]);
            for (added, (u, v)) in added
                .chunks_exact_mut(planes.columns_per_chroma)
                .zip(chroma)
            {
                let (u, v) = (i32::from(*u) - 128, i32::from(*v) - 128);
                let green = c.green_u * u + c.green_v * v;
                added.fill([c.red_v * v, green, c.blue_u * u]);
            }
            added_of = Some(chroma_row);
        }
        for ((pixel, y), added) in out.chunks_exact_mut(3).zip(y).zip(&added) {
            let y = (i32::from(*y) - c.black) * c.luma + (1 << (SHIFT - 1));
            pixel[0] = clamp(y + added[0]);
            pixel[1] = clamp(y + added[1]);
            pixel[2] = clamp(y + added[2]);
        }
    }
}

fn clamp(value: i32) -> u8 {
    (value >> SHIFT).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(yuv: [u8; 3], matrix: Matrix, full_range: bool) -> Vec<u8> {
        let planes = Planes {
            width: 2,
            height: 2,
            columns_per_chroma: 2,
            rows_per_chroma: 2,
            y: vec![yuv[0]; 4],
            u: vec![yuv[1]],
            v: vec![yuv[2]],
        };
        let mut rgb = Vec::new();
        append_rgb(&planes, Colour { matrix, full_range }, &mut rgb);
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
    fn each_pair_of_columns_and_rows_has_its_own_chroma() {
        let planes = Planes {
            width: 4,
            height: 2,
            columns_per_chroma: 2,
            rows_per_chroma: 1,
            y: vec![128; 8],
            u: vec![128, 255, 128, 128],
            v: vec![128; 4],
        };
        let colour = Colour {
            matrix: Matrix::Bt601,
            full_range: true,
        };
        let mut rgb = Vec::new();

        append_rgb(&planes, colour, &mut rgb);

        let blue: Vec<u8> = rgb.chunks(3).map(|pixel| pixel[2]).collect();
        assert_eq!(blue, [128, 128, 255, 255, 128, 128, 128, 128]);
    }
}
