//! The tasks of the demonstration, each with its keys.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clover_data::dataset::ConvertRequest;
use clover_data::files::write_whole;
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
    /// Items to learn from, if not all.
    most: Option<usize>,
    file: fn(&BenchmarkFiles, Split) -> PathBuf,
}

pub(super) const RETRIEVAL: DemoTask = DemoTask {
    name: "retrieval-custom",
    keys: &["epochs=1", "batch_size=60", "learning_rate=2e-4"],
    most: None,
    file: |files, split| files.split(split).retrieval.clone(),
};

pub(super) const CHOICES: DemoTask = DemoTask {
    name: "multiple-choice-custom",
    keys: &[
        "epochs=1",
        "batch_size=16",
        "micro_batch=8",
        "micro_batches_at_once=2",
        "learning_rate=5e-4",
        // The encoders know what to look at, and forget it at the full rate.
        "tower_multiplier=0.2",
        "answer_head_dropout=0.0",
        "answer_head_multiplier=1.0",
        "question_form=with-candidate",
    ],
    // About half of what there is: one takes as long as six questions.
    most: Some(9_600),
    file: |files, split| files.split(split).multiple_choice.clone(),
};

pub(super) const ANSWERS: DemoTask = DemoTask {
    name: "open-ended-custom",
    keys: &[
        "epochs=2",
        // The questions about sixteen clips, each of which is encoded once for all of its own.
        "batch_size=64",
        "group_size=4",
        "micro_batch=32",
        "micro_batches_at_once=2",
        "learning_rate=7e-4",
        // At the full rate the encoders can forget directions before they are asked for.
        "tower_multiplier=0.4",
        "answer_head_dropout=0.0",
        "answer_head_multiplier=1.0",
        // No question about one shape has more word pieces.
        "text_len=10",
    ],
    most: None,
    file: |files, split| files.split(split).open_ended.clone(),
};

impl DemoTask {
    /// How it is learned and measured.
    pub(super) fn recipe(&self, seed: u64) -> Result<TaskRecipe> {
        let seed = format!("seed={seed}");
        let keys = COMMON.iter().chain(self.keys).copied().chain([&*seed]);
        let keys: Vec<&str> = keys.collect();
        Ok(TaskRecipe::open(self.name)?.with_overrides(&keys)?)
    }

    /// What it is learned from; a shorter list is written into `folder`.
    pub(super) fn training_items(
        &self,
        files: &BenchmarkFiles,
        folder: &Path,
    ) -> Result<ItemsLocation> {
        let all = self.items(files, Split::Train);
        let Some(most) = self.most else {
            return Ok(all);
        };
        let whole = (self.file)(files, Split::Train);
        let text = fs::read_to_string(&whole).with_context(|| whole.display().to_string())?;
        let items: String = text.split_inclusive('\n').take(most).collect();
        let list = folder.join(self.name).with_extension("jsonl");
        write_whole(&list, |file| file.write_all(items.as_bytes()))
            .with_context(|| list.display().to_string())?;
        Ok(ItemsLocation {
            request: ConvertRequest::new(list),
            ..all
        })
    }

    /// What it is measured with.
    pub(super) fn test_items(&self, files: &BenchmarkFiles) -> ItemsLocation {
        self.items(files, Split::Test)
    }

    fn items(&self, files: &BenchmarkFiles, split: Split) -> ItemsLocation {
        ItemsLocation {
            clips: Some(files.clips.clone()),
            ..ItemsLocation::new((self.file)(files, split), split.name())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::clips::QUESTIONS;
    use super::*;

    #[test]
    fn the_recipes_of_the_demonstration_can_be_used() {
        for task in [RETRIEVAL, CHOICES, ANSWERS] {
            let recipe = task.recipe(3).unwrap();

            assert_eq!((recipe.seed, recipe.workers), (3, 1));
        }
        assert_eq!(ANSWERS.recipe(0).unwrap().group_size, QUESTIONS);
    }
}
