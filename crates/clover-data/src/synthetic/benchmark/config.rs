//! How large a benchmark is, and which share of it is held out.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::family::MEMBERS;
use crate::DataError;

/// The share a held-out split may have; what is trained on keeps at least a fifth.
const SHARES: [f64; 2] = [0.01, 0.4];

/// The size of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkConfig {
    /// All clips, 100 to 1,000,000.
    pub clips: usize,
    /// Frames a clip, 8 to 256.
    pub frames: usize,
    /// Pixels along each side, 32 to 1,024.
    pub size: usize,
    /// The same seed gives the same files.
    pub seed: u64,
    /// Shapes in a clip, at most; 1 to 3. With 1 they are larger and go farther, and nobody asks
    /// how many there are.
    #[serde(default = "largest_cast")]
    pub shapes: usize,
    /// Whether the clips to train on, too, come in groups of five that follow each other and differ
    /// in one respect; otherwise each tells a story of its own. The last group is smaller where
    /// the clips do not come out even.
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

/// As many shapes as a story can have.
fn largest_cast() -> usize {
    3
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
            shapes: largest_cast(),
            train_twins: false,
            captions_per_clip: 3,
            questions_per_clip: 2,
            validation_share: 0.1,
            test_share: 0.1,
        }
    }
}

impl BenchmarkConfig {
    /// Checks the figures.
    ///
    /// # Errors
    ///
    /// When a figure is outside the range its field tells; the error names it, what was found and
    /// what is allowed.
    pub fn validate(&self) -> Result<(), DataError> {
        let figures = [
            ("clips", self.clips, 100..=1_000_000),
            ("frames", self.frames, 8..=256),
            ("size", self.size, 32..=1_024),
            ("shapes", self.shapes, 1..=largest_cast()),
            ("captions_per_clip", self.captions_per_clip, 1..=8),
            ("questions_per_clip", self.questions_per_clip, 1..=8),
        ];
        for (key, value, range) in figures {
            if !range.contains(&value) {
                return Err(DataError::OutOfRange {
                    key,
                    value,
                    smallest: *range.start(),
                    largest: *range.end(),
                });
            }
        }
        let [smallest, largest] = SHARES;
        let shares = [
            ("validation_share", self.validation_share),
            ("test_share", self.test_share),
        ];
        for (key, value) in shares {
            // Not a number is in no range.
            if !(smallest..=largest).contains(&value) {
                return Err(DataError::ShareOutOfRange {
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
        let held_out = |share: f64| {
            let groups = (self.clips as f64 * share / MEMBERS as f64).round();
            (groups as usize).max(1) * MEMBERS
        };
        let (validation, test) = (held_out(self.validation_share), held_out(self.test_share));
        let train = self.clips.saturating_sub(validation + test);
        match split {
            Split::Train => 0..train,
            Split::Validation => train..train + validation,
            Split::Test => train + validation..train + validation + test,
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
        for clips in [100, 1_000_000] {
            let config = BenchmarkConfig {
                clips,
                ..BenchmarkConfig::default()
            };

            assert!(config.validate().is_ok());
        }
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
