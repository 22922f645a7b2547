//! What a run is given, what it tells, and how it ended.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clover_data::DataError;
use clover_data::dataset::{ClipTable, ConvertRequest, ItemsTask, ManifestColumns, SkippedItem};
use clover_model::weights::WeightReport;
use serde::{Deserialize, Serialize};

use crate::TrainerError;
use crate::pretrain::step::StepMetrics;
use crate::pretrain::validation::ValidationMetrics;
use crate::recipe::{PretrainingRecipe, Recipe};

/// Where a run reads and writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PretrainingPlan {
    /// What the run depends on but its data.
    pub recipe: PretrainingRecipe,
    /// The pairs: a manifest, an annotation file with captions, a folder of videos, or shards.
    pub data: PathBuf,
    /// The folder of the videos that annotation files name; their own folder if not given.
    pub videos: Option<PathBuf>,
    /// Pairs of still images, of the same forms: each iteration takes a batch of both.
    pub images: Option<PathBuf>,
    /// Pairs to measure zero-shot retrieval with while the run goes, of the same forms.
    pub validation: Option<PathBuf>,
    /// What is chosen of the columns of manifests, the same for every list.
    pub columns: ManifestColumns,
    /// A bundle that the model starts from, instead of random weights: its sizes count then, not the
    /// recipe's preset.
    pub start_from: Option<PathBuf>,
    /// The word pieces.
    pub vocabulary: PathBuf,
    /// The folder for checkpoints, metrics and the trained bundle.
    #[serde(skip)]
    pub folder: PathBuf,
    /// Whether to go on from the last checkpoint, if there is one.
    #[serde(skip)]
    pub resume: bool,
    /// Stop, with a checkpoint, after this many steps in all.
    #[serde(skip)]
    pub max_steps: Option<u64>,
}

impl PretrainingPlan {
    /// A run from its start to its end.
    pub fn new(
        recipe: PretrainingRecipe,
        data: impl Into<PathBuf>,
        vocabulary: impl Into<PathBuf>,
        folder: impl Into<PathBuf>,
    ) -> Self {
        Self {
            recipe,
            data: data.into(),
            videos: None,
            images: None,
            validation: None,
            columns: ManifestColumns::default(),
            start_from: None,
            vocabulary: vocabulary.into(),
            folder: folder.into(),
            resume: false,
            max_steps: None,
        }
    }

    /// Opens a list of pairs.
    pub(in crate::pretrain) fn open(&self, list: &Path) -> Result<ClipTable, DataError> {
        let request = ConvertRequest {
            columns: self.columns.clone(),
            ..ConvertRequest::new(list)
        };
        let table = ClipTable::open_as(&request, self.videos.as_deref(), &|_, _| ())?;
        table.for_task(ItemsTask::Retrieval, list)
    }

    /// Checks what can be checked without reading any data.
    pub(super) fn validate(&self) -> Result<(), TrainerError> {
        self.recipe.validate()?;
        if self.validation.is_some() && self.recipe.validate_every == 0 {
            return Err(TrainerError::RecipeValue {
                key: "validate_every",
                reason: "is 0, so that the validation list would never be used".to_owned(),
            });
        }
        Ok(())
    }
}

/// What hears of every event, and may break off the run.
pub type Observe<'o> = dyn FnMut(PretrainingEvent<'_>) -> ControlFlow<()> + 'o;

/// What a run tells while it goes.
#[derive(Debug)]
#[non_exhaustive]
pub enum PretrainingEvent<'r> {
    /// Reading begins.
    Started {
        /// Parameters of the model.
        parameters: usize,
        /// Usable pairs of the list.
        pairs: usize,
        /// Usable pairs of the list of images.
        images: usize,
        /// Steps of the whole run.
        total_steps: u64,
        /// Steps done before, when resuming.
        done_steps: u64,
    },
    /// The model starts from a bundle.
    StartsFrom {
        /// Its folder.
        folder: &'r Path,
        /// What became of its weights.
        report: &'r WeightReport,
    },
    /// A damaged checkpoint was passed over.
    CheckpointRefused {
        /// Which, and why.
        reason: String,
    },
    /// An item was left out.
    Skipped(&'r SkippedItem),
    /// A step was done.
    Step(&'r StepMetrics),
    /// A checkpoint was written.
    Saved(&'r Path),
    /// Pairs of the validation list are being embedded.
    Validating {
        /// Pairs done.
        done: usize,
        /// Pairs in all.
        total: usize,
    },
    /// The model was measured on the validation list.
    Validated {
        /// The figures.
        metrics: &'r ValidationMetrics,
        /// Whether they are the best so far.
        best: bool,
    },
}

/// The model of a run that did best on the validation list.
#[derive(Clone, Debug, PartialEq)]
pub struct BestModel {
    /// Its folder, a bundle.
    pub folder: PathBuf,
    /// Its figures.
    pub metrics: ValidationMetrics,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct PretrainingSummary {
    /// The folder of the model after the last step.
    pub bundle: PathBuf,
    /// The model that did best on the validation list.
    pub best: Option<BestModel>,
    /// All steps of the run, also those before a resume.
    pub metrics: Vec<StepMetrics>,
    /// All measurements on the validation list, also those before a resume.
    pub validations: Vec<ValidationMetrics>,
    /// Items left out, by name.
    pub skipped: Vec<SkippedItem>,
    /// Whether all epochs were done.
    pub finished: bool,
}
