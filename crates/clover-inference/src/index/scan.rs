//! The similarity of a query to every row, exactly: a blocked product on all cores.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::segment::Segment;
use super::settings::RowPrecision;

/// Rows that one thread takes in one go.
const BLOCK: usize = 4_096;
/// The same for rows that lie anywhere.
const SOME: usize = 512;
/// Sums that are kept apart: several registers of the widest kind, so that additions need not wait for
/// each other.
const LANES: usize = 64;

/// The product of a query with every row of the segments, in their order.
pub(super) fn scan(segments: &[Segment], query: &[f32]) -> Vec<f32> {
    let rows: Vec<usize> = segments.iter().map(Segment::rows).collect();
    let mut scores = vec![0.0; rows.iter().sum()];
    let mut rest = scores.as_mut_slice();
    for (segment, rows) in segments.iter().zip(rows) {
        let (own, others) = rest.split_at_mut(rows);
        rest = others;
        scan_segment(segment, query, own);
    }
    scores
}

fn scan_segment(segment: &Segment, query: &[f32], scores: &mut [f32]) {
    let dim = query.len().max(1);
    let arch = Arch::new();
    let scaled: Vec<f32> = query.iter().map(|value| value * TOO_SMALL).collect();
    let blocks = scores.par_chunks_mut(BLOCK).enumerate();
    blocks.for_each(|(block, scores)| {
        let own = block * BLOCK * dim..(block * BLOCK + scores.len()) * dim;
        match segment.precision {
            RowPrecision::F16 => arch.dispatch(Products {
                rows: segment.bits()[own].chunks_exact(dim),
                query: &scaled,
                scores,
                value: small_single,
            }),
            RowPrecision::F32 => arch.dispatch(Products {
                rows: segment.singles()[own].chunks_exact(dim),
                query,
                scores,
                value: |value: f32| value,
            }),
        }
    });
}

/// The product of a query with some rows of the segments.
pub(super) fn scan_some(segments: &[Segment], rows: &[RowPlace], query: &[f32]) -> Vec<f32> {
    let (dim, arch) = (query.len(), Arch::new());
    let mut scores = vec![0.0; rows.len()];
    let own = |place: &RowPlace| {
        let start = place.row as usize * dim;
        (place.segment as usize, start..start + dim)
    };
    let scaled: Vec<f32> = query.iter().map(|value| value * TOO_SMALL).collect();
    let blocks = scores.par_chunks_mut(SOME).zip(rows.par_chunks(SOME));
    match segments.first().map(|segment| segment.precision) {
        Some(RowPrecision::F16) => {
            let values: Vec<&[u16]> = segments.iter().map(Segment::bits).collect();
            blocks.for_each(|(scores, rows)| {
                arch.dispatch(Products {
                    rows: rows.iter().map(own).map(|(at, row)| &values[at][row]),
                    query: &scaled,
                    scores,
                    value: small_single,
                });
            });
        }
        Some(RowPrecision::F32) => {
            let values: Vec<&[f32]> = segments.iter().map(Segment::singles).collect();
            blocks.for_each(|(scores, rows)| {
                arch.dispatch(Products {
                    rows: rows.iter().map(own).map(|(at, row)| &values[at][row]),
                    query,
                    scores,
                    value: |value: f32| value,
                });
            });
        }
        None => {}
    }
    scores
}

/// The product of a query with every row of a table in single precision, on this thread.
pub(super) fn products(rows: &[f32], query: &[f32], scores: &mut [f32]) {
    Arch::new().dispatch(Products {
        rows: rows.chunks_exact(query.len().max(1)),
        query,
        scores,
        value: |value: f32| value,
    });
}

/// What a row's halves are too small by once their bits stand where a single's do: the two exponents count
/// from different zeros.
const TOO_SMALL: f32 = f32::from_bits((127 + 112) << 23);

/// A half's sign, exponent and fraction where a single has them: its value over [`TOO_SMALL`], exactly. The
/// query is multiplied by that instead, once. Rows are finite. The loop around this becomes whole registers,
/// where a library's conversion is called for every eight numbers.
#[inline(always)]
fn small_single(half: u16) -> f32 {
    let bits = i32::from(half as i16) << 13;
    f32::from_bits(bits as u32 & 0x8fff_e000)
}

/// Where a row lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowPlace {
    pub(super) segment: u32,
    pub(super) row: u32,
}

/// A product for each row.
struct Products<'p, R, F> {
    rows: R,
    query: &'p [f32],
    scores: &'p mut [f32],
    value: F,
}

impl<'p, T, R, F> WithSimd for Products<'p, R, F>
where
    T: Copy + 'p,
    R: Iterator<Item = &'p [T]>,
    F: Fn(T) -> f32,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self {
            rows,
            query,
            scores,
            value,
        } = self;
        let (query_blocks, query_end) = query.as_chunks::<LANES>();
        for (row, score) in rows.zip(scores) {
            let mut sums = [0.0_f32; LANES];
            let (row_blocks, row_end) = row.as_chunks::<LANES>();
            let ends = row_end.iter().zip(query_end);
            let end: f32 = ends.map(|(&a, b)| value(a) * b).sum();
            // Arrays of a known length: the inner loop becomes whole registers.
            for (row, query) in row_blocks.iter().zip(query_blocks) {
                for lane in 0..LANES {
                    sums[lane] = value(row[lane]).mul_add(query[lane], sums[lane]);
                }
            }
            *score = total(&mut sums) + end;
        }
    }
}

/// The sum, by halves: one addition after the other would take as long as the products.
#[inline(always)]
fn total(sums: &mut [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::f16;

    #[test]
    fn every_half_becomes_its_single() {
        for bits in 0..=u16::MAX {
            let half = f16::from_bits(bits);
            if half.is_finite() {
                assert_eq!(
                    (small_single(bits) * TOO_SMALL).to_bits(),
                    half.to_f32().to_bits(),
                    "{bits:x}"
                );
            }
        }
    }

    #[test]
    fn products_equal_those_of_64_bits_at_any_width() {
        for dim in [1, 3, 16, 64, 130, 512] {
            let number = |at: usize| ((at * 7_919 % 1_000) as f32 - 500.0) / 900.0;
            let rows: Vec<f32> = (0..5 * dim).map(number).collect();
            let query: Vec<f32> = (0..dim).map(|at| number(at + 13)).collect();
            let mut scores = vec![0.0; 5];

            products(&rows, &query, &mut scores);

            for (row, score) in rows.chunks(dim).zip(scores) {
                let exact: f64 = row
                    .iter()
                    .zip(&query)
                    .map(|(&a, &b)| f64::from(a) * f64::from(b))
                    .sum();
                assert!(
                    (f64::from(score) - exact).abs() < 1e-4,
                    "{dim}: {score} {exact}"
                );
            }
        }
    }
}
