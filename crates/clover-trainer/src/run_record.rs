//! What a run folder keeps of its plan, so that a resumed run needs no key and no list again: its
//! `run.json`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf, absolute};

use clover_data::files::read_regular;
use serde::{Deserialize, Serialize};

use crate::TrainerError;
use crate::finetune::FinetuningPlan;
use crate::pretrain::PretrainingPlan;
use crate::report::write_whole;
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
        let mut record: Self =
            serde_json::from_slice(&text).map_err(|source| TrainerError::Json { path, source })?;
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
    use crate::recipe::{PretrainingRecipe, Recipe, TaskRecipe};

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
