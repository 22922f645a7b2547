//! Weights of another shape than the model's: another window, clip or text length than they were
//! trained with.
//!
//! Tables of positions are resampled as Swin and Video Swin load theirs: bicubic over height and
//! width, linear over time. Longer tables of text positions and of word pieces are cut to their first
//! rows.

use super::resample::{Kernel, resample};
use crate::video_encoder::relative_position_bias::relative_positions;

/// Values brought to another shape, and how.
pub(super) type Brought = (Vec<f32>, &'static str);

/// What the file said of its windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SourceWindow {
    /// Tokens of a full window, if the file holds the index of its positions.
    pub(super) tokens: Option<usize>,
    /// Whether the weights are those of a 2-D Swin.
    pub(super) flat: bool,
}

/// Red, green and blue.
const COLOURS: usize = 3;

/// Largest extent of a window that is looked for.
const LARGEST: usize = 64;

impl SourceWindow {
    /// The window whose bias table has `rows` rows. Height and width of a window are equal; among
    /// several that fit, those nearest to `like` are taken.
    pub(super) fn of_rows(self, rows: usize, like: [usize; 3]) -> Option<[usize; 3]> {
        let preferred = [like[1], 7, 8, 12];
        let sides = preferred.into_iter().chain(1..=LARGEST);
        sides
            .filter(|side| *side > 0)
            .filter_map(|side| {
                let area = (2 * side - 1) * (2 * side - 1);
                let times = rows / area;
                let fits = rows.is_multiple_of(area) && times % 2 == 1;
                fits.then(|| [times.div_ceil(2), side, side])
            })
            .filter(|window| !self.flat || window[0] == 1)
            .find(|window| {
                let tokens: usize = window.iter().product();
                self.tokens.is_none_or(|known| known == tokens)
            })
    }
}

/// A bias table `[offsets, heads]` for another window.
pub(super) fn bias_table(
    values: &[f32],
    shape: &[usize],
    target: [usize; 3],
    source: SourceWindow,
) -> Option<Brought> {
    let [rows, heads] = *shape else { return None };
    let window = source.of_rows(rows, target)?;
    let [frames, height, width] = window.map(|extent| 2 * extent - 1);
    let [new_frames, new_height, new_width] = target.map(|extent| 2 * extent - 1);
    let kernel = Kernel::Cubic;
    let table = resample(values, [frames * height, width, heads], new_width, kernel);
    let row = new_width * heads;
    let table = resample(&table, [frames, height, row], new_height, kernel);
    let plane = new_height * row;
    let table = resample(&table, [1, frames, plane], new_frames, Kernel::Linear);
    debug_assert_eq!(table.len(), relative_positions(target) * heads);
    let how = if source.flat {
        "bicubic, and repeated over time offsets"
    } else {
        "bicubic over height and width, linear over time"
    };
    Some((table, how))
}

/// Positions `[.., rows, .., dim]` of a square of regions for another square.
pub(super) fn space_positions(values: &[f32], shape: [usize; 2], target: usize) -> Option<Brought> {
    let table = square(values, shape, target, Kernel::Cubic)?;
    Some((table, "bicubic"))
}

/// Positions `[1 + rows, dim]` of CLIP's class token and a square of patches, for another square; as open_clip
/// resizes them.
pub(super) fn patch_positions(
    values: &[f32],
    [rows, dim]: [usize; 2],
    target: usize,
) -> Option<Brought> {
    let (class, patches) = values.split_at_checked(dim)?;
    let (from, to) = (rows.checked_sub(1)?, target.checked_sub(1)?);
    let patches = square(patches, [from, dim], to, Kernel::CubicAntialiased)?;
    Some(([class, &patches].concat(), "bicubic, antialiased"))
}

/// Values `[side * side, dim]` of a square, for one of `target` regions.
fn square(
    values: &[f32],
    [rows, dim]: [usize; 2],
    target: usize,
    kernel: Kernel,
) -> Option<Vec<f32>> {
    let side = |area: usize| Some(area.isqrt()).filter(|side| side * side == area);
    let (from, to) = (side(rows)?, side(target)?);
    let wide = resample(values, [from, from, dim], to, kernel);
    Some(resample(&wide, [1, from, to * dim], to, kernel))
}

/// Positions `[.., rows, .., dim]` of time steps for another number of them.
pub(super) fn time_positions(values: &[f32], [rows, dim]: [usize; 2], target: usize) -> Brought {
    (
        resample(values, [1, rows, dim], target, Kernel::Linear),
        "linear",
    )
}

/// Positions `[rows, dim]` of word pieces for shorter or longer texts.
pub(super) fn text_positions(values: &[f32], [rows, dim]: [usize; 2], target: usize) -> Brought {
    if target <= rows {
        (values[..target * dim].to_vec(), "the first rows")
    } else {
        (
            resample(values, [1, rows, dim], target, Kernel::Linear),
            "linear",
        )
    }
}

/// A table of word pieces that is filled up to a round number: what stands behind the `expected`
/// rows stands for no piece.
pub(super) fn word_pieces(
    path: &str,
    values: &[f32],
    shape: &[usize],
    expected: &[usize],
) -> Option<Brought> {
    let values = match (path, shape, expected) {
        ("text_encoder.embeddings.word.weight", [rows, dim], [to, same])
            if to < rows && dim == same =>
        {
            values[..to * dim].to_vec()
        }
        ("mlm_head.decoder.bias", [rows], [to]) if to < rows => values[..*to].to_vec(),
        ("mlm_head.decoder.weight", [dim, rows], [same, to]) if to < rows && dim == same => {
            let pieces = values.chunks(*rows).flat_map(|row| &row[..*to]);
            pieces.copied().collect()
        }
        _ => return None,
    };
    Some((
        values,
        "the first ones, of which each stands for a word piece",
    ))
}

/// The kernel `[channels, colours, height, width]` of 2-D patches spread over `depth` frames: each
/// gets the same share, so that a clip of equal frames gives what its one frame gave.
pub(super) fn inflated(values: &[f32], shape: &[usize], depth: usize) -> (Vec<f32>, Vec<usize>) {
    let plane = shape[2..].iter().product::<usize>().max(1);
    let spread = values
        .chunks(plane)
        .flat_map(|plane| {
            (0..depth).flat_map(move |_| plane.iter().map(move |value| value / depth as f32))
        })
        .collect();
    (spread, vec![shape[0], shape[1], depth, shape[2], shape[3]])
}

/// A first convolution for colours in the opposite order: a kernel `[channels, colours, ..]`, or a matrix
/// `[colours * patch * patch, channels]`.
pub(super) fn with_colours_reversed(values: &mut [f32], shape: &[usize]) {
    let (colours, plane) = match shape {
        [_, colours, plane @ ..] if !plane.is_empty() => (*colours, plane.iter().product()),
        _ => (COLOURS, values.len() / COLOURS),
    };
    for kernel in values.chunks_mut(colours * plane) {
        for colour in 0..colours / 2 {
            let (front, back) = kernel.split_at_mut((colours - 1 - colour) * plane);
            front[colour * plane..(colour + 1) * plane].swap_with_slice(&mut back[..plane]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_found_from_the_rows_of_its_table() {
        let known = SourceWindow {
            tokens: Some(16 * 7 * 7),
            flat: false,
        };
        let flat = SourceWindow {
            tokens: None,
            flat: true,
        };

        assert_eq!(
            SourceWindow::default().of_rows(2535, [8, 7, 7]),
            Some([8, 7, 7])
        );
        assert_eq!(known.of_rows(31 * 169, [8, 7, 7]), Some([16, 7, 7]));
        assert_eq!(flat.of_rows(23 * 23, [8, 7, 7]), Some([1, 12, 12]));
        assert_eq!(SourceWindow::default().of_rows(2534, [8, 7, 7]), None);
    }

    #[test]
    fn a_flat_table_is_the_same_at_every_time_offset() {
        let source = SourceWindow {
            tokens: None,
            flat: true,
        };

        let (table, how) = bias_table(&[7.0], &[1, 1], [2, 1, 1], source).unwrap();

        assert_eq!(table, [7.0, 7.0, 7.0]);
        assert!(how.contains("repeated"));
    }

    #[test]
    fn time_offsets_lie_on_straight_lines() {
        // A window of 2 x 1 x 1 has offsets -1, 0 and 1; one of 3 frames has five.
        let (table, _) = bias_table(
            &[0.0, 10.0, 20.0],
            &[3, 1],
            [3, 1, 1],
            SourceWindow::default(),
        )
        .unwrap();

        let expected = [0.0, 4.0, 10.0, 16.0, 20.0];
        assert!(
            table
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-5),
            "{table:?}"
        );
    }

    #[test]
    fn positions_of_regions_grow_in_both_directions() {
        // interpolate(tensor([[0., 1.], [2., 3.]])[None, None], (4, 4), mode="bicubic")
        let (table, _) = space_positions(&[0.0, 1.0, 2.0, 3.0], [4, 1], 16).unwrap();

        // One axis from 0 to 1, at -0.25, 0.25, 0.75 and 1.25 of it.
        let along = [-0.105_468_75, 0.226_562_5, 0.773_437_5, 1.105_468_75];
        for (row, down) in along.iter().enumerate() {
            for (column, across) in along.iter().enumerate() {
                let found = f64::from(table[4 * row + column]);
                assert!((found - (2.0 * down + across)).abs() < 1e-5, "{table:?}");
            }
        }
        assert!(space_positions(&[0.0; 5], [5, 1], 4).is_none());
    }

    #[test]
    fn the_positions_of_patches_are_resized_as_open_clip_does_and_the_class_token_keeps_its_own() {
        // A class token, then 4 x 4 patches whose positions are (4 * row + column)^2.
        let squares = (0..16_u8).map(|patch| f32::from(patch).powi(2));
        let table: Vec<f32> = [-7.0].into_iter().chain(squares).collect();

        let (smaller, how) = patch_positions(&table, [17, 1], 5).unwrap();

        // Of places and of their squares along one axis, by the shares 111, 111, 29 and -9 of 242.
        let place = [142.0, 584.0].map(|sum| sum / 242.0);
        let square = [146.0, 1_472.0].map(|sum| sum / 242.0);
        let cell = |row: usize, column: usize| {
            16.0 * square[row] + 8.0 * place[row] * place[column] + square[column]
        };
        let expected = [-7.0, cell(0, 0), cell(0, 1), cell(1, 0), cell(1, 1)];
        assert_eq!(how, "bicubic, antialiased");
        for (found, expected) in smaller.iter().zip(expected) {
            let found = f64::from(*found);
            assert!(
                (found - expected).abs() < 1e-4,
                "{smaller:?} is not {expected:?}"
            );
        }
        assert_eq!(smaller.len(), 5);
        assert!(patch_positions(&table, [17, 1], 6).is_none());
    }

    #[test]
    fn positions_of_patches_come_back_from_a_larger_square() {
        // A slope, which a cubic keeps but at its borders.
        let slope = (0..49_u8).map(|patch| f32::from(patch / 7) + 2.0 * f32::from(patch % 7));
        let table: Vec<f32> = [3.0].into_iter().chain(slope).collect();

        let (larger, _) = patch_positions(&table, [50, 1], 197).unwrap();
        let (back, _) = patch_positions(&larger, [197, 1], 50).unwrap();

        for row in 2..5 {
            for column in 2..5 {
                let at = 1 + 7 * row + column;
                assert!(
                    (back[at] - table[at]).abs() < 0.01,
                    "{row} {column}: {back:?}"
                );
            }
        }
        assert!((back[0] - 3.0).abs() < 1e-9);
    }

    #[test]
    fn texts_are_cut_or_stretched() {
        let table = [0.0, 1.0, 2.0];

        assert_eq!(text_positions(&table, [3, 1], 2).0, [0.0, 1.0]);
        let (longer, how) = text_positions(&table, [3, 1], 6);
        assert_eq!((longer.len(), how), (6, "linear"));
        assert!((longer[1] - 0.25).abs() < 1e-6 && longer[5] > 1.99);
    }

    #[test]
    fn reversing_colours_twice_changes_nothing() {
        let shape = [2, 3, 1, 1, 2];
        let kernel: Vec<f32> = (0..12_u8).map(f32::from).collect();
        let mut reversed = kernel.clone();

        with_colours_reversed(&mut reversed, &shape);

        assert_eq!(reversed[..6], [4.0, 5.0, 2.0, 3.0, 0.0, 1.0]);
        with_colours_reversed(&mut reversed, &shape);
        assert_eq!(reversed, kernel);
    }

    #[test]
    fn a_kernel_is_spread_evenly_over_time() {
        let (spread, shape) = inflated(&[2.0, 4.0], &[1, 2, 1, 1], 2);

        assert_eq!(shape, [1, 2, 2, 1, 1]);
        assert_eq!(spread, [1.0, 1.0, 2.0, 2.0]);
    }
}
