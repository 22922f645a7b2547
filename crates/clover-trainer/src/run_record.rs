//! What a run folder keeps of its plan, so that a resumed run needs no key and no list again: its
//! `run.json`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf, absolute};

use clover_data::files::read_regular;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::TrainerError;
use crate::finetune::FinetuningPlan;
use crate::pretrain::PretrainingPlan;
use crate::recipe::{PretrainingRecipe, TaskRecipe};
use crate::report::write_whole;
use crate::run::resume_check::add_later_keys;
use crate::task_items::ItemsLocation;

/// The file of a run folder.
const FILE: &str = "run.json";
/// Many times what a plan needs.
const MAX_BYTES: u64 = 1 << 20;

/// The plan of a run, as its folder keeps it: with absolute paths, and without the folder itself, which
/// may be moved.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunRecord {
    /// Of a pre-training run.
    Pretraining(Box<PretrainingPlan>),
    /// Of a fine-tuning run.
    Finetuning(Box<FinetuningPlan>),
}

impl RunRecord {
    /// Reads the record of a folder; nothing where it has none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no record.
    pub fn read(folder: &Path) -> Result<Option<Self>, TrainerError> {
        let path = folder.join(FILE);
        let text = match read_regular(&path, MAX_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(TrainerError::Read { path, source }),
        };
        let read = || {
            let mut record: Value = serde_json::from_slice(&text)?;
            // A recipe of today has every key, one of a run that was begun earlier those there were.
            if let Some(recipe) = record.pointer_mut("/pretraining/recipe") {
                add_later_keys::<PretrainingRecipe>(recipe);
            }
            if let Some(recipe) = record.pointer_mut("/finetuning/recipe") {
                add_later_keys::<TaskRecipe>(recipe);
            }
            serde_json::from_value(record)
        };
        let mut record: Self = read().map_err(|source| TrainerError::Json { path, source })?;
        match &mut record {
            Self::Pretraining(plan) => plan.folder = folder.to_owned(),
            Self::Finetuning(plan) => plan.folder = folder.to_owned(),
        }
        Ok(Some(record))
    }

    /// Of a pre-training run.
    pub(crate) fn of_pretraining(plan: &PretrainingPlan) -> Self {
        let mut plan = plan.clone();
        let paths = [&mut plan.data].into_iter();
        let more = [
            &mut plan.vocabulary,
            &mut plan.videos,
            &mut plan.images,
            &mut plan.validation,
            &mut plan.pair_tests,
            &mut plan.start_from,
        ];
        make_absolute(paths.chain(more.into_iter().flatten()));
        Self::Pretraining(Box::new(plan))
    }

    /// Of a fine-tuning run.
    pub(crate) fn of_finetuning(plan: &FinetuningPlan) -> Self {
        let mut plan = plan.clone();
        make_absolute([&mut plan.bundle].into_iter().chain(&mut plan.answers));
        for items in [&mut plan.data].into_iter().chain(&mut plan.validation) {
            let ItemsLocation { request, clips, .. } = items;
            let more = [
                clips,
                &mut request.list,
                &mut request.mapping,
                &mut request.vocabulary,
            ];
            let paths = [&mut request.annotation].into_iter();
            make_absolute(paths.chain(more.into_iter().flatten()));
        }
        Self::Finetuning(Box::new(plan))
    }

    /// Keeps the record in its run's folder. A plan with a path that is not UTF-8 cannot be kept: its
    /// lists must be given again.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(crate) fn write(&self) -> Result<(), TrainerError> {
        let folder = match self {
            Self::Pretraining(plan) => &plan.folder,
            Self::Finetuning(plan) => &plan.folder,
        };
        let Ok(text) = serde_json::to_vec_pretty(self) else {
            return Ok(());
        };
        let path = folder.join(FILE);
        write_whole(&path, &text)
    }
}

/// A resumed run may be started in another folder.
fn make_absolute<'p>(paths: impl Iterator<Item = &'p mut PathBuf>) {
    for path in paths {
        // Where this cannot be told, no relative path leads anywhere either.
        if let Ok(whole) = absolute(&*path) {
            *path = whole;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    fn pretraining(folder: &Path) -> PretrainingPlan {
        let recipe = PretrainingRecipe::shipped("pretrain").unwrap();
        // A rate of many digits reads back as it was.
        let recipe = recipe
            .with_overrides(&["learning_rate=0.00022020285768777862"])
            .unwrap();
        PretrainingPlan {
            validation: Some("lists/validation.csv".into()),
            ..PretrainingPlan::new(recipe, "lists/train.csv", "vocab.txt", folder)
        }
    }

    #[test]
    fn a_plan_reads_back_wherever_its_folder_lies_and_its_reader_stands() {
        let [made, moved] = [(), ()].map(|()| tempfile::tempdir().unwrap());
        let plan = pretraining(made.path());
        let record = RunRecord::of_pretraining(&plan);

        record.write().unwrap();
        std::fs::rename(made.path().join(FILE), moved.path().join(FILE)).unwrap();
        let read = RunRecord::read(moved.path()).unwrap();

        let Some(RunRecord::Pretraining(read)) = read else {
            panic!("another record: {read:?}")
        };
        assert_eq!(read.recipe, plan.recipe);
        assert_eq!(read.folder, moved.path());
        assert_eq!(read.data, absolute("lists/train.csv").unwrap());
        let validation = read.validation.unwrap();
        assert_eq!(validation, absolute("lists/validation.csv").unwrap());
        assert!(!read.resume && read.max_steps.is_none());
    }

    #[test]
    fn the_lists_of_a_task_are_kept_as_they_were_read() {
        let folder = tempfile::tempdir().unwrap();
        let recipe = TaskRecipe::shipped("open-ended-msvd-qa").unwrap();
        let mut data = ItemsLocation::new(folder.path().join("train_qa.json"), "train");
        data.request.mapping = Some(folder.path().join("mapping.txt"));
        let plan = FinetuningPlan::new("msvd", recipe, folder.path(), data.clone(), folder.path());

        RunRecord::of_finetuning(&plan).write().unwrap();

        let read = RunRecord::read(folder.path()).unwrap();
        let Some(RunRecord::Finetuning(read)) = read else {
            panic!("another record: {read:?}")
        };
        assert_eq!((read.data, read.recipe), (data, plan.recipe));
    }

    /// Writes a record without keys of its recipe.
    fn write_without(record: &RunRecord, folder: &Path, keys: &[&str]) {
        let mut value = serde_json::to_value(record).unwrap();
        let plan = value.as_object_mut().unwrap().values_mut().next().unwrap();
        let recipe = plan["recipe"].as_object_mut().unwrap();
        for key in keys {
            recipe.remove(*key).unwrap();
        }
        std::fs::write(folder.join(FILE), value.to_string()).unwrap();
    }

    #[test]
    fn a_record_from_before_a_key_reads_back_with_what_was_done_then() {
        let folder = tempfile::tempdir().unwrap();
        let plan = pretraining(folder.path());
        let later = [
            "early_stopping",
            "group_size",
            "micro_batches_at_once",
            "temperature",
            "tower_multiplier",
            "train",
        ];
        let record = RunRecord::of_pretraining(&plan);

        write_without(&record, folder.path(), &later);
        let read = RunRecord::read(folder.path()).unwrap();

        let Some(RunRecord::Pretraining(read)) = read else {
            panic!("another record: {read:?}")
        };
        assert_eq!(read.recipe, plan.recipe);
        // A key that every run has recorded is not made up.
        write_without(&record, folder.path(), &["epochs"]);
        let error = RunRecord::read(folder.path()).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("epochs"), "{source}");
    }

    #[test]
    fn a_task_from_before_a_key_gets_its_own_keys_alone() {
        let folder = tempfile::tempdir().unwrap();
        let recipe = TaskRecipe::shipped("retrieval-custom").unwrap();
        let data = ItemsLocation::new(folder.path().join("train.jsonl"), "train");
        let plan = FinetuningPlan::new("own", recipe, folder.path(), data, folder.path());

        let later = ["early_stopping", "train"];
        write_without(&RunRecord::of_finetuning(&plan), folder.path(), &later);
        let read = RunRecord::read(folder.path()).unwrap();

        let Some(RunRecord::Finetuning(read)) = read else {
            panic!("another record: {read:?}")
        };
        assert_eq!(read.recipe, plan.recipe);
    }

    #[test]
    fn no_record_is_none_and_a_damaged_one_is_named() {
        let folder = tempfile::tempdir().unwrap();

        assert!(RunRecord::read(folder.path()).unwrap().is_none());
        for damaged in ["", "{}", "{\"pretraining\": {\"recipe\": 3}}", "\u{0}"] {
            std::fs::write(folder.path().join(FILE), damaged).unwrap();
            let error = RunRecord::read(folder.path()).unwrap_err().to_string();
            assert!(error.contains(FILE), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_plan_with_a_path_that_is_no_text_is_not_kept_and_no_error() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let folder = tempfile::tempdir().unwrap();
        let mut plan = pretraining(folder.path());
        plan.data = OsStr::from_bytes(b"tr\xffin.csv").into();

        RunRecord::of_pretraining(&plan).write().unwrap();

        assert!(RunRecord::read(folder.path()).unwrap().is_none());
    }
}
