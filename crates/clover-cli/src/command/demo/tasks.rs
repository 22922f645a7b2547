//! The tasks of the demonstration, each with its keys.

use std::fmt;
use std::path::PathBuf;

use anyhow::Result;
use clover_synthetic::{BenchmarkFiles, Split};
use clover_trainer::recipe::{Recipe, TaskRecipe};
use clover_trainer::task_items::ItemsLocation;

/// Keys of all three tasks: frames and clips as in pre-training. The rates are high for a model that was trained before,
/// and are stable only after a warm-up.
const COMMON: [&str; 4] = [
    "train_crop=whole",
    "test_crop=whole",
    "workers=1",
    "warmup_epochs=0.2",
];

/// A task: its recipe, its keys, and its file.
pub(super) struct DemoTask {
    pub(super) name: &'static str,
    keys: &'static [&'static str],
    file: fn(&BenchmarkFiles, Split) -> PathBuf,
}

pub(super) const RETRIEVAL: DemoTask = DemoTask {
    name: "retrieval-custom",
    keys: &["epochs=2", "batch_size=60", "learning_rate=2e-4"],
    file: |files, split| files.split(split).retrieval.clone(),
};

pub(super) const CHOICES: DemoTask = DemoTask {
    name: "multiple-choice-custom",
    keys: &[
        "epochs=1",
        "batch_size=16",
        "learning_rate=5e-4",
        "answer_head_dropout=0.0",
        "answer_head_multiplier=1.0",
        "question_form=with-candidate",
    ],
    file: |files, split| files.split(split).multiple_choice.clone(),
};

pub(super) const ANSWERS: DemoTask = DemoTask {
    name: "open-ended-custom",
    keys: &[
        "epochs=2",
        "batch_size=16",
        "learning_rate=5e-4",
        "answer_head_dropout=0.0",
        "answer_head_multiplier=1.0",
        // No question about one shape has more word pieces.
        "text_len=12",
    ],
    file: |files, split| files.split(split).open_ended.clone(),
};

impl fmt::Display for DemoTask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl DemoTask {
    /// How it is learned and measured.
    pub(super) fn recipe(&self, seed: u64) -> Result<TaskRecipe> {
        let seed = format!("seed={seed}");
        let keys = COMMON.iter().chain(self.keys).copied().chain([&*seed]);
        let keys: Vec<&str> = keys.collect();
        Ok(TaskRecipe::open(self.name)?.with_overrides(&keys)?)
    }

    /// What it is learned from, or measured with.
    pub(super) fn items(&self, files: &BenchmarkFiles, split: Split) -> ItemsLocation {
        ItemsLocation {
            clips: Some(files.clips.clone()),
            ..ItemsLocation::new((self.file)(files, split), split.name())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipes_of_the_demonstration_can_be_used() {
        for task in [RETRIEVAL, CHOICES, ANSWERS] {
            let recipe = task.recipe(3).unwrap();

            assert_eq!((recipe.seed, recipe.workers), (3, 1));
        }
    }
}
