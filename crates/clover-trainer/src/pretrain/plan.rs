//! What a pre-training run is given.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clover_data::DataError;
use clover_data::dataset::{ClipTable, ConvertRequest, ItemsTask, ManifestColumns};
use serde::{Deserialize, Serialize};

use super::metrics::StepMetrics;
use super::validation::ValidationMetrics;
use crate::TrainerError;
use crate::recipe::{PretrainingRecipe, Recipe};
use crate::run::{self, RunEvent, RunSummary, check_early_stopping};

/// What is told of a pre-training run.
pub type Observe<'o> = run::Observe<'o, StepMetrics, ValidationMetrics>;

/// What a pre-training run tells while it goes.
pub type PretrainingEvent<'r> = RunEvent<'r, StepMetrics, ValidationMetrics>;

/// How a pre-training run ended.
pub type PretrainingSummary = RunSummary<StepMetrics, ValidationMetrics>;

/// Where a run reads and writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PretrainingPlan {
    /// What the run depends on but its data.
    pub recipe: PretrainingRecipe,
    /// The pairs: a manifest, an annotation file with captions, a folder of videos, or shards.
    pub data: PathBuf,
    /// The folder that relative paths of the lists start at; each list's own folder if not given.
    pub videos: Option<PathBuf>,
    /// Pairs of still images, of the same forms: each iteration takes a batch of both.
    pub images: Option<PathBuf>,
    /// Pairs to measure zero-shot retrieval with while the run goes, of the same forms.
    pub validation: Option<PathBuf>,
    /// Pair tests that show, beside the validation, what the model tells apart; their clips lie as those of
    /// annotation files.
    #[serde(default)]
    pub pair_tests: Option<PathBuf>,
    /// What is chosen of the columns of manifests, the same for every list.
    pub columns: ManifestColumns,
    /// A bundle that the model starts from, instead of random weights: its sizes count then, not the
    /// recipe's preset.
    pub start_from: Option<PathBuf>,
    /// The word pieces. If not given, they are those of the bundle that the model starts from, or else made of
    /// the captions and kept in the run's folder.
    pub vocabulary: Option<PathBuf>,
    /// The folder for checkpoints, metrics and the trained bundle.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The time the run may take, instead of the recipe's epochs: it plans as many steps as fit.
    #[serde(default)]
    pub time: Option<Duration>,
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
            pair_tests: None,
            columns: ManifestColumns::default(),
            start_from: None,
            vocabulary: Some(vocabulary.into()),
            folder: folder.into(),
            time: None,
            resume: false,
            max_steps: None,
        }
    }

    /// Opens a list of pairs.
    pub(super) fn open(&self, list: &Path) -> Result<ClipTable, DataError> {
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
        if self.pair_tests.is_some() && self.validation.is_none() {
            return Err(TrainerError::PairTestsAlone);
        }
        check_early_stopping(self.recipe.early_stopping, self.validation.is_some())
    }
}
