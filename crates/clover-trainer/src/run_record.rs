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
        let paths = [&mut plan.data, &mut plan.vocabulary].into_iter();
        let more = [
            &mut plan.videos,
            &mut plan.images,
            &mut plan.validation,
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
        match serde_json::to_vec_pretty(self) {
            Ok(text) => write_whole(&folder.join(FILE), &text),
            Err(_) => Ok(()),
        }
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
