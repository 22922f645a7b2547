//! A clip of the benchmark from its number alone: what is seen, what is said, what is asked.

use std::ops::Range;

use rand::Rng;

use super::annotation::{Annotations, annotate};
use super::combinations::Combinations;
use super::config::{BenchmarkConfig, Split};
use super::family::{MEMBERS, family};
use super::layout::draw_layout;
use super::picture::BenchmarkScene;
use super::plot::draw_story;
use super::story::Difference;
use crate::DataError;
use crate::dataset::Randomness;
use crate::synthetic::{Attributes, Background};

/// Clips of one folder.
const CLIPS_PER_FOLDER: usize = 1_000;

/// Keeps what is seen, said and asked from sharing numbers.
const SCENE: u64 = 0;
const WORDS: u64 = 1;

/// A planned benchmark; no clip of it is held.
#[derive(Debug, Clone)]
pub struct Benchmark {
    config: BenchmarkConfig,
    combinations: Combinations,
}

/// From which clip a companion differs, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twin {
    /// The number of the other clip.
    pub clip: usize,
    /// The single respect in which the two differ.
    pub difference: Difference,
    /// The shape that differs, counted from zero, where it is a single one.
    pub actor: Option<usize>,
}

/// A clip that is not yet drawn, with its annotations.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchmarkClip {
    /// Its number in the benchmark.
    pub index: usize,
    /// The part of the benchmark it belongs to.
    pub split: Split,
    /// Its path below the folder of clips, with `/`.
    pub file: String,
    /// What there is to see.
    pub scene: BenchmarkScene,
    /// The clip it is nearly identical to, where it is a companion.
    pub twin: Option<Twin>,
    /// What is said and asked about it.
    pub annotations: Annotations,
}

impl Benchmark {
    /// Plans a benchmark.
    ///
    /// # Errors
    ///
    /// As [`BenchmarkConfig::validate`].
    pub fn plan(config: &BenchmarkConfig) -> Result<Self, DataError> {
        config.validate()?;
        Ok(Self {
            config: *config,
            combinations: Combinations::new(config),
        })
    }

    /// What it was planned from.
    pub fn config(&self) -> &BenchmarkConfig {
        &self.config
    }

    /// The numbers of a split's clips.
    pub fn range(&self, split: Split) -> Range<usize> {
        self.config.range(split)
    }

    /// The only split in which the first shape of a clip shows this combination.
    pub fn split_of(&self, combination: &Attributes) -> Split {
        self.combinations.split_of(combination)
    }

    /// Plans one clip; it depends on the configuration and the number alone.
    ///
    /// # Errors
    ///
    /// When there is no such clip.
    pub fn clip(&self, index: usize) -> Result<BenchmarkClip, DataError> {
        let mut splits = Split::ALL.into_iter();
        let split = splits
            .find(|&split| self.range(split).contains(&index))
            .ok_or(DataError::OutOfRange {
                key: "clip",
                value: index,
                smallest: 0,
                largest: self.config.clips - 1,
            })?;
        Ok(self.planned(index, split))
    }

    fn planned(&self, index: usize, split: Split) -> BenchmarkClip {
        let alone = split == Split::Train && !self.config.train_twins;
        let place = if alone {
            0
        } else {
            (index - self.range(split).start) % MEMBERS
        };
        let first = index - place;
        let randomness = Randomness::new(self.config.seed);
        let mut rng = randomness.for_item(SCENE, first as u64);
        let shapes = self.config.shapes;
        let story = draw_story(&self.combinations, split, shapes, &mut rng);
        let places = draw_layout(&story, shapes, &mut rng);
        let background = Background::sample(&mut rng);
        let family = family(story, &self.combinations, &mut rng);
        let member = if alone {
            // Any of a family whose others exist in words only: were it always the first, the right
            // option could be told from the wrong ones without looking.
            rng.random_range(0..family.len())
        } else {
            // A family always has all its members; were one missing, the last would stand in.
            place.min(family.len() - 1)
        };
        let this = &family[member];
        let twin = (place > 0).then_some(Twin {
            clip: first,
            difference: this.difference,
            actor: this.actor,
        });
        let mut rng = randomness.for_item(WORDS, index as u64);
        let (id, file) = (name(index, split, twin), file_name(index));
        let annotations = annotate([&id, &file], &family, member, &self.config, &mut rng);
        BenchmarkClip {
            index,
            split,
            file,
            scene: this.scene(places, background),
            twin,
            annotations,
        }
    }
}

/// The path of a clip below the folder of clips.
pub(super) fn file_name(index: usize) -> String {
    format!("{:03}/{index:06}.gif", index / CLIPS_PER_FOLDER)
}

/// What reports call a clip: its split, its number, and how it differs from its twin.
fn name(index: usize, split: Split, twin: Option<Twin>) -> String {
    let name = format!("{}-{index:06}", split.name());
    match twin {
        Some(twin) => format!("{name}-{}", twin.difference.name()),
        None => name,
    }
}

#[cfg(test)]
mod tests;
