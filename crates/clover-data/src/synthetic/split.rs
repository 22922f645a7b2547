//! Which clips the set has, and which of them are held out.

use rand::seq::SliceRandom;

use super::caption::caption;
use super::scene::{Attributes, Scene};
use crate::DataError;
use crate::dataset::Randomness;

/// The size of a synthetic set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntheticSetConfig {
    /// Clips to train on.
    pub train_clips: usize,
    /// Clips to test on, each with a combination of attributes of its own.
    pub held_out_clips: usize,
    /// Frames a clip.
    pub frames: usize,
    /// Pixels along each side.
    pub size: usize,
    /// The same seed gives the same files.
    pub seed: u64,
}

/// A clip of the set, not yet drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticClip {
    /// The name of its file, without folder.
    pub file: String,
    /// What there is to see.
    pub scene: Scene,
    /// What is said about it.
    pub caption: String,
}

/// All clips of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticSet {
    /// Clips to train on.
    pub train: Vec<SyntheticClip>,
    /// Clips whose combinations of attributes are not among those trained on.
    pub held_out: Vec<SyntheticClip>,
}

impl Default for SyntheticSetConfig {
    fn default() -> Self {
        Self {
            train_clips: 2_000,
            held_out_clips: 100,
            frames: 8,
            size: 64,
            seed: 0,
        }
    }
}

impl SyntheticSetConfig {
    /// Checks the figures.
    ///
    /// # Errors
    ///
    /// When more than half of the combinations would be held out, a clip would have no frame, or
    /// its pictures would be smaller than 16 or larger than 1024 pixels.
    pub fn validate(&self) -> Result<(), DataError> {
        let limits = [
            ("train_clips", self.train_clips, 1..=1_000_000),
            (
                "held_out_clips",
                self.held_out_clips,
                0..=Attributes::COMBINATIONS / 2,
            ),
            ("frames", self.frames, 1..=1_000),
            ("size", self.size, 16..=1_024),
        ];
        for (key, value, range) in limits {
            if !range.contains(&value) {
                return Err(DataError::OutOfRange {
                    key,
                    value,
                    smallest: *range.start(),
                    largest: *range.end(),
                });
            }
        }
        Ok(())
    }
}

impl SyntheticSet {
    /// Plans the clips of a set.
    ///
    /// # Errors
    ///
    /// As [`SyntheticSetConfig::validate`].
    pub fn plan(config: &SyntheticSetConfig) -> Result<Self, DataError> {
        config.validate()?;
        let randomness = Randomness::new(config.seed);
        let mut combinations = Attributes::all();
        combinations.shuffle(&mut randomness.for_order(0));
        let (held_out, train) = combinations.split_at(config.held_out_clips);

        let clip = |prefix: &str, part: u64, index: usize, attributes: Attributes| {
            let mut rng = randomness.for_item(part, index as u64);
            SyntheticClip {
                file: format!("{prefix}-{index:05}.gif"),
                scene: Scene::sample(attributes, &mut rng),
                caption: caption(&attributes, &mut rng),
            }
        };
        Ok(Self {
            // The combinations in turn: each is trained on about equally often.
            train: (0..config.train_clips)
                .map(|index| clip("train", 0, index, train[index % train.len()]))
                .collect(),
            held_out: held_out
                .iter()
                .enumerate()
                .map(|(index, &attributes)| clip("held-out", 1, index, attributes))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn combinations(clips: &[SyntheticClip]) -> HashSet<Attributes> {
        clips.iter().map(|clip| clip.scene.attributes).collect()
    }

    #[test]
    fn held_out_combinations_are_distinct_and_never_trained_on() {
        let set = SyntheticSet::plan(&SyntheticSetConfig::default()).unwrap();

        let held_out = combinations(&set.held_out);
        let train = combinations(&set.train);
        assert_eq!(held_out.len(), 100);
        assert_eq!(train.len(), 284);
        assert!(held_out.is_disjoint(&train));
    }

    #[test]
    fn a_seed_gives_the_same_set_and_another_seed_another() {
        let plan = |seed| {
            let config = SyntheticSetConfig {
                seed,
                ..SyntheticSetConfig::default()
            };
            SyntheticSet::plan(&config).unwrap()
        };

        assert_eq!(plan(1), plan(1));
        assert_ne!(plan(1), plan(2));
    }

    #[test]
    fn holding_out_more_than_half_is_refused() {
        let config = SyntheticSetConfig {
            held_out_clips: 193,
            ..SyntheticSetConfig::default()
        };

        let message = SyntheticSet::plan(&config).unwrap_err().to_string();

        assert!(
            message.contains("held_out_clips") && message.contains("192"),
            "{message}"
        );
    }
}
