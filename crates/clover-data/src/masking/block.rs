//! The region mask: blocks of a 7 x 7 grid that the video encoder does not see.
//!
//! Follows the published code (BEiT's block-wise masking with fixed bounds); one mask serves every
//! frame of a clip.

use rand::Rng;

/// Cells along each side of the grid.
pub const REGION_GRID: usize = 7;

/// A block covers at least this many cells, when that many are still wanted.
const SMALLEST_BLOCK: f64 = 4.0;

/// The height-to-width ratio of a block is log-uniform between this and its inverse.
const SMALLEST_RATIO: f64 = 0.3;

/// Tries to place one block before giving up.
const TRIES: usize = 10;

/// Which cells of the grid are hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionMask {
    cells: [[bool; REGION_GRID]; REGION_GRID],
}

/// A rectangle of cells.
struct Block {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

impl RegionMask {
    /// The number of cells the published settings ask for.
    pub const PUBLISHED_TARGET: usize = 10;

    /// A mask that hides nothing.
    pub fn none() -> Self {
        Self {
            cells: [[false; REGION_GRID]; REGION_GRID],
        }
    }

    /// Draws a mask of at most `target` cells; blocks that do not fit leave it a little short.
    pub fn sample<R: Rng + ?Sized>(target: usize, rng: &mut R) -> Self {
        let mut mask = Self::none();
        let mut done = 0;
        while done < target {
            let room = target - done;
            let Some(added) = (0..TRIES).find_map(|_| mask.try_block(room, rng)) else {
                break;
            };
            done += added;
        }
        mask
    }

    /// The rows of the grid; `true` is hidden.
    pub fn rows(&self) -> &[[bool; REGION_GRID]; REGION_GRID] {
        &self.cells
    }

    /// The number of hidden cells.
    pub fn count(&self) -> usize {
        self.cells
            .iter()
            .flatten()
            .filter(|&&hidden| hidden)
            .count()
    }

    /// Draws one block and hides it if it adds between one and `room` cells; returns how many.
    fn try_block<R: Rng + ?Sized>(&mut self, room: usize, rng: &mut R) -> Option<usize> {
        let block = Block::sample(room, rng)?;
        let added = block
            .cells()
            .filter(|&(row, column)| !self.cells[row][column])
            .count();
        if added == 0 || added > room {
            return None;
        }
        for (row, column) in block.cells() {
            self.cells[row][column] = true;
        }
        Some(added)
    }
}

impl Block {
    /// Draws a block, or nothing where its sides would reach across the whole grid.
    fn sample<R: Rng + ?Sized>(room: usize, rng: &mut R) -> Option<Self> {
        // With less room than the smallest block the bounds are reversed, as in the published code.
        let area = SMALLEST_BLOCK + (room as f64 - SMALLEST_BLOCK) * rng.random::<f64>();
        let bound = SMALLEST_RATIO.recip().ln();
        let ratio = (bound * (2.0 * rng.random::<f64>() - 1.0)).exp();
        let height = (area * ratio).sqrt().round_ties_even() as usize;
        let width = (area / ratio).sqrt().round_ties_even() as usize;
        if height >= REGION_GRID || width >= REGION_GRID {
            return None;
        }
        Some(Self {
            top: rng.random_range(0..=REGION_GRID - height),
            left: rng.random_range(0..=REGION_GRID - width),
            height,
            width,
        })
    }

    fn cells(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let columns = self.left..self.left + self.width;
        (self.top..self.top + self.height)
            .flat_map(move |row| columns.clone().map(move |column| (row, column)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const DRAWS: usize = 20_000;

    fn draws() -> Vec<RegionMask> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        (0..DRAWS)
            .map(|_| RegionMask::sample(RegionMask::PUBLISHED_TARGET, &mut rng))
            .collect()
    }

    #[test]
    fn counts_are_distributed_as_in_the_published_code() {
        let counts: Vec<usize> = draws().iter().map(RegionMask::count).collect();

        // Published over 40,000 draws: 8 in 0.04 %, 9 in 3.96 %, 10 in 96 %; the standard error of
        // the 9s over 20,000 draws is 0.14 %, so 0.6 % is four of them.
        let share = |count| counts.iter().filter(|&&c| c == count).count() as f64 / DRAWS as f64;
        assert!((share(9) - 0.0396).abs() < 0.006, "{}", share(9));
        assert!((share(10) - 0.96).abs() < 0.006, "{}", share(10));
        assert!(share(8) < 0.003, "{}", share(8));
        assert!(counts.iter().all(|count| (8..=10).contains(count)));
    }

    #[test]
    fn cells_are_hidden_as_often_as_in_the_published_code() {
        // The first, second and fourth row of the published frequencies over 40,000 draws; the
        // grid is symmetric, which gives the others.
        let published = [
            (0, [0.0709, 0.1215, 0.1472, 0.1571, 0.1494, 0.1197, 0.0698]),
            (1, [0.1256, 0.2166, 0.2606, 0.2750, 0.2581, 0.2131, 0.1226]),
            (3, [0.1553, 0.2715, 0.3273, 0.3437, 0.3240, 0.2728, 0.1567]),
        ];
        let draws = draws();

        for (row, frequencies) in published {
            for (column, expected) in frequencies.into_iter().enumerate() {
                let hidden = draws.iter().filter(|mask| mask.rows()[row][column]);
                let share = hidden.count() as f64 / DRAWS as f64;
                // Both figures are samples: at most 0.0034 + 0.0024 of standard error.
                assert!((share - expected).abs() < 0.016, "{row},{column}: {share}");
            }
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_mask() {
        let draw = || RegionMask::sample(10, &mut ChaCha8Rng::seed_from_u64(3));

        assert_eq!(draw(), draw());
    }

    #[test]
    fn a_target_of_zero_hides_nothing() {
        let mask = RegionMask::sample(0, &mut ChaCha8Rng::seed_from_u64(0));

        assert_eq!(mask, RegionMask::none());
    }
}
