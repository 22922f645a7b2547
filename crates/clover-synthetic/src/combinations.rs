//! Which combinations of colour, shape, size and direction belong to which split.
//!
//! Colours and shapes are paired by the seed. A block is a pair of colours, a pair of shapes and an
//! axis, with both sizes and both directions: sixteen combinations. Whole blocks are held out, so
//! that a clip and a companion that differs in one attribute always belong to the same split.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use crate::attributes::{Attributes, Color, Direction, Shape, Size};
use crate::config::{BenchmarkConfig, Split};
use crate::randomness;

/// Pairs of colours.
const COLOR_PAIRS: usize = Color::ALL.len() / 2;

/// Pairs of shapes.
const SHAPE_PAIRS: usize = Shape::ALL.len() / 2;

/// All blocks: pairs of colours, pairs of shapes, two axes.
const BLOCKS: usize = COLOR_PAIRS * SHAPE_PAIRS * 2;

/// Combinations of a block.
pub(crate) const BLOCK: usize = 16;

/// Combinations that are held out together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// The pair of colours.
    pub(crate) colors: usize,
    /// The pair of shapes.
    pub(crate) shapes: usize,
    /// Whether the axis of motion is the vertical one.
    vertical: bool,
}

/// The combinations of each split.
#[derive(Debug, Clone)]
pub(crate) struct Combinations {
    colors: [Color; Color::ALL.len()],
    shapes: [Shape; Shape::ALL.len()],
    test_blocks: usize,
    validation_blocks: usize,
}

/// The blocks that a share holds out; both shares leave at least four to train on.
pub(crate) fn held_out_blocks(share: f64) -> usize {
    (share * BLOCKS as f64).ceil() as usize
}

impl Block {
    /// Blocks in an order in which neighbours share neither colours nor shapes, so that the few of
    /// a held-out split show most of both.
    fn number(number: usize) -> Self {
        Self {
            colors: number % COLOR_PAIRS,
            shapes: number % SHAPE_PAIRS,
            // 4 and 3 have no common divisor: the pairs return after twelve blocks, with the other axis.
            vertical: (number + number / (COLOR_PAIRS * SHAPE_PAIRS)) % 2 == 1,
        }
    }

    fn directions(self) -> [Direction; 2] {
        let first = if self.vertical {
            Direction::Up
        } else {
            Direction::Left
        };
        [first, first.opposite()]
    }

    /// One of the two directions.
    pub(crate) fn direction<R: Rng + ?Sized>(self, rng: &mut R) -> Direction {
        let [first, second] = self.directions();
        if rng.random() { first } else { second }
    }
}

impl Combinations {
    pub(crate) fn new(config: &BenchmarkConfig) -> Self {
        let mut rng = randomness::for_order(config.seed, 0);
        let (mut colors, mut shapes) = (Color::ALL, Shape::ALL);
        colors.shuffle(&mut rng);
        shapes.shuffle(&mut rng);
        Self {
            colors,
            shapes,
            test_blocks: held_out_blocks(config.test_share),
            validation_blocks: held_out_blocks(config.validation_share),
        }
    }

    /// The blocks of a split.
    pub(crate) fn blocks(&self, split: Split) -> impl Iterator<Item = Block> + use<> {
        let held_out = self.test_blocks + self.validation_blocks;
        let range = match split {
            Split::Test => 0..self.test_blocks,
            Split::Validation => self.test_blocks..held_out,
            Split::Train => held_out..BLOCKS,
        };
        range.map(Block::number)
    }

    /// All blocks.
    pub(crate) fn all_blocks() -> impl Iterator<Item = Block> {
        (0..BLOCKS).map(Block::number)
    }

    /// The combinations of a split.
    pub(crate) fn of(&self, split: Split) -> Vec<Attributes> {
        let mut all = Vec::new();
        for block in self.blocks(split) {
            for color in self.colors(block.colors) {
                for shape in self.shapes(block.shapes) {
                    for size in Size::ALL {
                        all.extend(block.directions().map(|direction| Attributes {
                            color,
                            shape,
                            size,
                            direction,
                        }));
                    }
                }
            }
        }
        all
    }

    fn colors(&self, pair: usize) -> [Color; 2] {
        [self.colors[pair * 2], self.colors[pair * 2 + 1]]
    }

    fn shapes(&self, pair: usize) -> [Shape; 2] {
        [self.shapes[pair * 2], self.shapes[pair * 2 + 1]]
    }

    /// One of a pair of colours.
    pub(crate) fn color<R: Rng + ?Sized>(&self, pair: usize, rng: &mut R) -> Color {
        let pair = self.colors(pair);
        pair.choose(rng).copied().unwrap_or(pair[0])
    }

    /// One of a pair of shapes.
    pub(crate) fn shape<R: Rng + ?Sized>(&self, pair: usize, rng: &mut R) -> Shape {
        let pair = self.shapes(pair);
        pair.choose(rng).copied().unwrap_or(pair[0])
    }

    /// The other colour of a colour's pair.
    pub(crate) fn other_color(&self, color: Color) -> Color {
        let place = self.colors.iter().position(|&other| other == color);
        self.colors[place.unwrap_or_default() ^ 1]
    }

    /// The other shape of a shape's pair.
    pub(crate) fn other_shape(&self, shape: Shape) -> Shape {
        let place = self.shapes.iter().position(|&other| other == shape);
        self.shapes[place.unwrap_or_default() ^ 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_combination_has_one_split_and_each_split_its_share() {
        let combinations = Combinations::new(&BenchmarkConfig::default());

        let splits = Split::ALL.map(|split| combinations.of(split));

        // Three blocks of sixteen each; ten percent of the blocks would be two and a half.
        assert_eq!(splits.each_ref().map(Vec::len), [288, 48, 48]);
        let all: HashSet<_> = splits.concat().into_iter().collect();
        assert_eq!(all.len(), 8 * 6 * 2 * 4);
    }

    #[test]
    fn changing_one_attribute_stays_in_the_split() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        for own in Split::ALL.map(|split| combinations.of(split)) {
            for one in &own {
                let mut changed = [*one; 4];
                changed[0].color = combinations.other_color(one.color);
                changed[1].shape = combinations.other_shape(one.shape);
                changed[2].size = one.size.other();
                changed[3].direction = one.direction.opposite();

                for other in changed {
                    assert!(other != *one && own.contains(&other), "{other:?}");
                }
            }
        }
    }

    #[test]
    fn a_held_out_split_shows_most_colors() {
        let combinations = Combinations::new(&BenchmarkConfig::default());

        let blocks = combinations.blocks(Split::Test);

        let colors: HashSet<_> = blocks.map(|block| block.colors).collect();
        assert_eq!(colors.len(), 3);
    }
}
