//! How large a benchmark is, what happens in its clips, and which share of it is held out.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::SyntheticError;
use crate::combinations::{BLOCK, held_out_blocks};
use crate::family::MEMBERS;

/// The share a held-out split may have; what is trained on keeps at least a fifth.
const SHARES: [f64; 2] = [0.01, 0.4];
/// Clips that a benchmark has at least, unless its stories are single moves.
const LEAST_CLIPS: usize = 100;
const MOST_CLIPS: usize = 1_000_000;
/// As many shapes as a story can have.
const MOST_SHAPES: usize = 3;

/// The size of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkConfig {
    /// All clips, 100 to 1,000,000.
    pub clips: usize,
    /// Frames a clip, 8 to 256.
    pub frames: usize,
    /// Pixels along each side, 28 to 1,024.
    pub size: usize,
    /// The same seed gives the same files.
    pub seed: u64,
    /// Shapes in a clip, at most; 1 to 3. With 1 they are larger and go farther, and nobody says or
    /// asks how many there are.
    #[serde(default = "most_shapes")]
    pub shapes: usize,
    /// What happens in a clip.
    #[serde(default)]
    pub stories: Stories,
    /// Whether the clips to train on, too, come in groups that follow each other and are alike: five that differ
    /// in one respect, or, where stories are single moves, two that go opposite ways. Otherwise each tells a story of
    /// its own. The last group is smaller where the clips do not come out even.
    #[serde(default)]
    pub train_twins: bool,
    /// Different captions of a clip, 1 to 8.
    pub captions_per_clip: usize,
    /// Open-ended questions about a clip, at most; 1 to 8.
    pub questions_per_clip: usize,
    /// The share of clips for validation, 0.01 to 0.4; rounded to whole groups of twins.
    pub validation_share: f64,
    /// The share of clips for the test, 0.01 to 0.4; rounded to whole groups of twins.
    pub test_share: f64,
}

/// What happens in the clips of a benchmark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stories {
    /// Shapes move, turn, appear and disappear, slowly or fast; held-out clips come in groups of five
    /// that differ in one respect.
    #[default]
    Any,
    /// One large shape moves once, always at the same speed. The shares are of the combinations of
    /// color, shape, size and direction: each that is held out has one clip, and the clips to train on
    /// show the others in turn.
    SingleMove,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Clips to train on.
    Train,
    /// Clips to choose a model by.
    Validation,
    /// Clips to report on.
    Test,
}

fn most_shapes() -> usize {
    MOST_SHAPES
}

impl Split {
    /// All splits, in the order of their clips' numbers.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The name of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl Default for BenchmarkConfig {
    fn default() -> Self {
        Self {
            clips: 10_000,
            frames: 16,
            size: 64,
            seed: 0,
            shapes: MOST_SHAPES,
            stories: Stories::Any,
            train_twins: false,
            captions_per_clip: 3,
            questions_per_clip: 2,
            validation_share: 0.1,
            test_share: 0.1,
        }
    }
}

impl BenchmarkConfig {
    /// The easiest benchmark: short and small clips of one shape that moves once. `test_share` is the
    /// share of combinations that are held out for the test.
    #[must_use]
    pub fn one_shape(train_clips: usize, test_share: f64) -> Self {
        let mut config = Self {
            clips: 0,
            frames: 8,
            size: 32,
            shapes: 1,
            stories: Stories::SingleMove,
            captions_per_clip: 1,
            questions_per_clip: 1,
            validation_share: SHARES[0],
            test_share,
            ..Self::default()
        };
        config.clips = train_clips + config.held_out();
        config
    }

    /// Checks the numbers.
    ///
    /// # Errors
    ///
    /// When a number is outside the range its field tells; the error names it, what was found and
    /// what is allowed.
    pub fn validate(&self) -> Result<(), SyntheticError> {
        let [smallest, largest] = SHARES;
        let (least_clips, shapes) = match self.stories {
            Stories::Any => (LEAST_CLIPS, MOST_SHAPES),
            Stories::SingleMove => (self.held_out() + 1, 1),
        };
        let numbers = [
            ("validation_share", self.validation_share, smallest, largest),
            ("test_share", self.test_share, smallest, largest),
        ];
        let counts = [
            ("clips", self.clips, least_clips, MOST_CLIPS),
            ("frames", self.frames, 8, 256),
            ("size", self.size, 28, 1_024),
            ("shapes", self.shapes, 1, shapes),
            ("captions_per_clip", self.captions_per_clip, 1, 8),
            ("questions_per_clip", self.questions_per_clip, 1, 8),
        ];
        let counts = counts.map(|(key, value, smallest, largest)| {
            (key, value as f64, smallest as f64, largest as f64)
        });
        for (key, value, smallest, largest) in numbers.into_iter().chain(counts) {
            // Not a number is in no range.
            if !(smallest..=largest).contains(&value) {
                return Err(SyntheticError::OutOfRange {
                    key,
                    value,
                    smallest,
                    largest,
                });
            }
        }
        Ok(())
    }

    /// The numbers of a split's clips.
    pub fn range(&self, split: Split) -> Range<usize> {
        let validation = self.held_out_by(self.validation_share);
        let train = self.clips.saturating_sub(self.held_out());
        match split {
            Split::Train => 0..train,
            Split::Validation => train..train + validation,
            Split::Test => train + validation..train + self.held_out(),
        }
    }

    fn held_out(&self) -> usize {
        self.held_out_by(self.validation_share) + self.held_out_by(self.test_share)
    }

    fn held_out_by(&self, share: f64) -> usize {
        match self.stories {
            Stories::Any => {
                let groups = (self.clips as f64 * share / MEMBERS as f64).round();
                (groups as usize).max(1) * MEMBERS
            }
            Stories::SingleMove => held_out_blocks(share) * BLOCK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: BenchmarkConfig) -> String {
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn too_few_and_too_many_clips_are_refused_with_what_is_allowed() {
        for clips in [99, 1_000_001] {
            let message = refused(BenchmarkConfig {
                clips,
                ..BenchmarkConfig::default()
            });

            for part in ["clips", &clips.to_string(), "100", "1000000"] {
                assert!(message.contains(part), "{message}");
            }
        }
        assert!(BenchmarkConfig::one_shape(1, 0.01).validate().is_ok());
        let message = refused(BenchmarkConfig::one_shape(0, 0.01));
        assert!(message.contains("clips is 32"), "{message}");
    }

    #[test]
    fn a_share_that_is_no_share_is_refused() {
        for test_share in [0.0, 0.41, -1.0, f64::NAN, f64::INFINITY] {
            let message = refused(BenchmarkConfig {
                test_share,
                ..BenchmarkConfig::default()
            });

            assert!(message.contains("test_share"), "{message}");
        }
    }

    #[test]
    fn the_splits_are_whole_groups_and_cover_all_clips() {
        for clips in [100, 101, 999, 10_000, 1_000_000] {
            let config = BenchmarkConfig {
                clips,
                ..BenchmarkConfig::default()
            };

            let [train, validation, test] = Split::ALL.map(|split| config.range(split));

            assert_eq!((train.start, test.end), (0, clips));
            assert_eq!((train.end, validation.end), (validation.start, test.start));
            assert_eq!((validation.len() % MEMBERS, test.len() % MEMBERS), (0, 0));
            let share = test.len() as f64 / clips as f64;
            assert!((share - 0.1).abs() < 0.026, "{share} of {clips}");
        }
    }

    #[test]
    fn something_is_trained_on_whatever_the_shares() {
        for share in SHARES {
            let config = BenchmarkConfig {
                clips: 100,
                validation_share: share,
                test_share: share,
                ..BenchmarkConfig::default()
            };

            assert!(config.range(Split::Train).len() >= 20);
        }
    }
}
