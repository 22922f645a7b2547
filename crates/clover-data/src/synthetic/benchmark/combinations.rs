//! Which combinations of colour, shape, size and direction belong to which split.
//!
//! Colours and shapes are paired by the seed. A block is a pair of colours, a pair of shapes and an
//! axis, with both sizes and both directions: sixteen combinations. Whole blocks are held out, so
//! that a clip and a companion that differs in one attribute always belong to the same split.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::config::{BenchmarkConfig, Split};
use crate::dataset::Randomness;
use crate::synthetic::{Attributes, Color, Direction, Shape, Size};

/// Pairs of colours.
const COLOR_PAIRS: usize = Color::ALL.len() / 2;

/// Pairs of shapes.
const SHAPE_PAIRS: usize = Shape::ALL.len() / 2;

/// All blocks: pairs of colours, pairs of shapes, two axes.
const BLOCKS: usize = COLOR_PAIRS * SHAPE_PAIRS * 2;

/// Combinations that are held out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// The pair of colours.
    pub(super) colors: usize,
    /// The pair of shapes.
    pub(super) shapes: usize,
    /// Whether the axis of motion is the vertical one.
    pub(super) vertical: bool,
}

/// The combinations of each split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Combinations {
    colors: [Color; Color::ALL.len()],
    shapes: [Shape; Shape::ALL.len()],
    test_blocks: usize,
    validation_blocks: usize,
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

    /// One of the two directions.
    pub(super) fn direction<R: Rng + ?Sized>(self, rng: &mut R) -> Direction {
        let first = if self.vertical {
            Direction::Up
        } else {
            Direction::Left
        };
        if rng.random() {
            first
        } else {
            first.opposite()
        }
    }
}

impl Combinations {
    /// Deals the blocks out; a valid configuration leaves at least four to train on.
    pub(super) fn new(config: &BenchmarkConfig) -> Self {
        let mut rng = Randomness::new(config.seed).for_order(0);
        let (mut colors, mut shapes) = (Color::ALL, Shape::ALL);
        colors.shuffle(&mut rng);
        shapes.shuffle(&mut rng);
        let blocks = |share: f64| (share * BLOCKS as f64).ceil() as usize;
        Self {
            colors,
            shapes,
            test_blocks: blocks(config.test_share),
            validation_blocks: blocks(config.validation_share),
        }
    }

    /// The split a combination belongs to.
    pub(super) fn split_of(&self, attributes: &Attributes) -> Split {
        let place = |found: Option<usize>| found.unwrap_or_default() / 2;
        let of = Block {
            colors: place(self.colors.iter().position(|&c| c == attributes.color)),
            shapes: place(self.shapes.iter().position(|&s| s == attributes.shape)),
            vertical: matches!(attributes.direction, Direction::Up | Direction::Down),
        };
        let splits = [Split::Test, Split::Validation];
        let held_out = splits
            .into_iter()
            .find(|&split| self.blocks(split).any(|block| block == of));
        held_out.unwrap_or(Split::Train)
    }

    /// The blocks of a split.
    pub(super) fn blocks(&self, split: Split) -> impl Iterator<Item = Block> + use<> {
        let held_out = self.test_blocks + self.validation_blocks;
        let range = match split {
            Split::Test => 0..self.test_blocks,
            Split::Validation => self.test_blocks..held_out,
            Split::Train => held_out..BLOCKS,
        };
        range.map(Block::number)
    }

    /// All blocks.
    pub(super) fn all_blocks() -> impl Iterator<Item = Block> {
        (0..BLOCKS).map(Block::number)
    }

    /// One of a pair of colours.
    pub(super) fn color<R: Rng + ?Sized>(&self, pair: usize, rng: &mut R) -> Color {
        let pair = &self.colors[pair * 2..pair * 2 + 2];
        pair.choose(rng).copied().unwrap_or(pair[0])
    }

    /// One of a pair of shapes.
    pub(super) fn shape<R: Rng + ?Sized>(&self, pair: usize, rng: &mut R) -> Shape {
        let pair = &self.shapes[pair * 2..pair * 2 + 2];
        pair.choose(rng).copied().unwrap_or(pair[0])
    }

    /// The other colour of a colour's pair.
    pub(super) fn other_color(&self, color: Color) -> Color {
        let place = self.colors.iter().position(|&other| other == color);
        self.colors[place.unwrap_or_default() ^ 1]
    }

    /// The other shape of a shape's pair.
    pub(super) fn other_shape(&self, shape: Shape) -> Shape {
        let place = self.shapes.iter().position(|&other| other == shape);
        self.shapes[place.unwrap_or_default() ^ 1]
    }
}

/// The other size.
pub(super) fn other_size(size: Size) -> Size {
    match size {
        Size::Small => Size::Big,
        Size::Big => Size::Small,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_combination_has_one_split_and_each_split_its_share() {
        let combinations = Combinations::new(&BenchmarkConfig::default());

        let count = |split| {
            let all = Attributes::all().into_iter();
            all.filter(|one| combinations.split_of(one) == split)
                .count()
        };

        // Three blocks of sixteen each; ten percent of the blocks would be two and a half.
        assert_eq!(Split::ALL.map(count), [288, 48, 48]);
    }

    #[test]
    fn changing_one_attribute_stays_in_the_split() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        for one in Attributes::all() {
            let changed = [
                Attributes {
                    color: combinations.other_color(one.color),
                    ..one
                },
                Attributes {
                    shape: combinations.other_shape(one.shape),
                    ..one
                },
                Attributes {
                    size: other_size(one.size),
                    ..one
                },
                Attributes {
                    direction: one.direction.opposite(),
                    ..one
                },
            ];

            for other in changed {
                assert_ne!(other, one);
                assert_eq!(combinations.split_of(&other), combinations.split_of(&one));
            }
        }
    }

    #[test]
    fn the_blocks_are_different_and_a_held_out_split_shows_most_colours() {
        let combinations = Combinations::new(&BenchmarkConfig::default());

        let all: HashSet<_> = Combinations::all_blocks()
            .map(|block| (block.colors, block.shapes, block.vertical))
            .collect();
        let colors: HashSet<_> = combinations
            .blocks(Split::Test)
            .map(|block| block.colors)
            .collect();

        assert_eq!(all.len(), BLOCKS);
        assert_eq!(colors.len(), 3);
    }
}
