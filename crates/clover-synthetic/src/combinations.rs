//! Which combinations of colour, shape, size and direction belong to which split.
//!
//! Colours and shapes are paired by the seed. A block is a pair of colours, a pair of shapes and an
//! axis, with both sizes and both directions: sixteen combinations. Whole blocks are held out, so
//! that a clip and a companion that differs in one attribute always belong to the same split.
//!
//! Where stories are single moves, a part of a block is held out: one size of it. So of every color and shape,
//! training shows both axes while not more than 24 parts are held out. Were a whole block missing, training would
//! teach that those colors and shapes move along the other axis, without exception, and a model that believes it
//! without looking would be right. The other size of what is held out is trained on: there alone, a pair test or an
//! option sets a combination that is held out against one that is not.

use std::ops::Range;

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use crate::attributes::{Attributes, Color, Direction, Shape, Size};
use crate::config::{BenchmarkConfig, Split, Stories};
use crate::randomness;

/// Pairs of colours.
const COLOR_PAIRS: usize = Color::ALL.len() / 2;

/// Pairs of shapes.
const SHAPE_PAIRS: usize = Shape::ALL.len() / 2;

/// All blocks: pairs of colours, pairs of shapes, two axes.
const BLOCKS: usize = COLOR_PAIRS * SHAPE_PAIRS * 2;

/// Combinations of a block.
pub(crate) const BLOCK: usize = 16;

/// Pairs of a size and an axis.
const SIZES_AND_AXES: usize = Size::ALL.len() * 2;

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
    stories: Stories,
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

    /// Parts of blocks, of one size each: first one of every pair of colors and of shapes, then another one of
    /// each. No color and no shape misses the same size and axis throughout.
    fn part(number: usize) -> (Self, Size) {
        const TURNS: [usize; SIZES_AND_AXES] = [0, 2, 1, 3];
        let (colors, shapes) = (number % COLOR_PAIRS, number % SHAPE_PAIRS);
        let turn = TURNS[number / (COLOR_PAIRS * SHAPE_PAIRS) % SIZES_AND_AXES];
        let size_and_axis = (colors + shapes + turn) % SIZES_AND_AXES;
        let block = Self {
            colors,
            shapes,
            vertical: size_and_axis / 2 == 1,
        };
        (block, Size::ALL[size_and_axis % 2])
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
            stories: config.stories,
        }
    }

    /// The blocks of a split.
    pub(crate) fn blocks(&self, split: Split) -> impl Iterator<Item = Block> + use<> {
        self.range(split).map(Block::number)
    }

    /// The numbers of a split's blocks.
    fn range(&self, split: Split) -> Range<usize> {
        let held_out = self.test_blocks + self.validation_blocks;
        match split {
            Split::Test => 0..self.test_blocks,
            Split::Validation => self.test_blocks..held_out,
            Split::Train => held_out..BLOCKS,
        }
    }

    /// All blocks.
    pub(crate) fn all_blocks() -> impl Iterator<Item = Block> {
        (0..BLOCKS).map(Block::number)
    }

    /// The combinations of a split; those that differ in direction alone follow each other.
    pub(crate) fn of(&self, split: Split) -> Vec<Attributes> {
        let parts: Vec<(Block, Size)> = match self.stories {
            Stories::Any => self
                .blocks(split)
                .flat_map(|block| Size::ALL.map(|size| (block, size)))
                .collect(),
            // As many combinations as the blocks have.
            Stories::SingleMove => {
                let Range { start, end } = self.range(split);
                let parts = Size::ALL.len();
                (start * parts..end * parts).map(Block::part).collect()
            }
        };
        let mut all = Vec::with_capacity(parts.len() * BLOCK / Size::ALL.len());
        for (block, size) in parts {
            for color in self.colors(block.colors) {
                for shape in self.shapes(block.shapes) {
                    all.extend(block.directions().map(|direction| Attributes {
                        color,
                        shape,
                        size,
                        direction,
                    }));
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
    fn of_single_moves_training_shows_both_axes_of_every_color_and_shape() {
        let config = BenchmarkConfig::one_shape(600, 0.25);
        let combinations = Combinations::new(&config);

        let splits = Split::ALL.map(|split| combinations.of(split));

        assert_eq!(splits.each_ref().map(Vec::len), [272, 16, 96]);
        let all: HashSet<_> = splits.concat().into_iter().collect();
        assert_eq!(all.len(), 8 * 6 * 2 * 4);
        let [train, _, test] = splits;
        let directions: HashSet<_> = train
            .iter()
            .map(|one| (one.color, one.shape, one.direction))
            .collect();
        assert_eq!(directions.len(), 8 * 6 * 4);
        // Every three attributes but those of a held-out combination itself.
        let colors: HashSet<_> = train
            .iter()
            .map(|one| (one.color, one.size, one.direction))
            .collect();
        let shapes: HashSet<_> = train
            .iter()
            .map(|one| (one.shape, one.size, one.direction))
            .collect();
        assert_eq!((colors.len(), shapes.len()), (8 * 2 * 4, 6 * 2 * 4));
        // One size and axis of every color and shape.
        let held_out: HashSet<_> = test.iter().map(|one| (one.color, one.shape)).collect();
        assert_eq!(held_out.len(), 8 * 6);
        for pair in test.chunks(2) {
            assert_eq!(pair[0].direction.opposite(), pair[1].direction);
        }
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
