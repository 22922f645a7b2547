//! Zero-shot retrieval while a run trains: metrics of the model so far, on pairs it does not learn from.
//!
//! Nothing of it reaches training: no random number is drawn, and the model is only read.

use std::path::Path;
use std::time::Instant;

use burn::prelude::*;
use clover_data::dataset::{ClipTable, SkippedItem};
use clover_inference::{Embedder, NeutralTexts};
use serde::{Deserialize, Serialize};

use super::PretrainingPlan;
use crate::TrainerError;
use crate::checkpoint::ListFingerprint;
use crate::evaluate::{ListRetrieval, list_retrieval};
use crate::run::Scored;
use crate::run::metrics_file::Measured;

/// What was measured on the validation list; one line of `validation.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidationMetrics {
    /// Optimizer steps the model has done.
    pub step: u64,
    /// The epoch, from zero.
    pub epoch: u64,
    /// Zero-shot retrieval in both directions.
    #[serde(flatten)]
    pub retrieval: ListRetrieval,
    /// Pairs that could not be read.
    pub skipped: usize,
    /// Seconds it took.
    pub seconds: f64,
}

impl ValidationMetrics {
    /// Every metric that a run watches, under `group/name`; recalls in percent.
    #[must_use]
    pub fn scalars(&self) -> [(&'static str, f64); 11] {
        let [texts, clips] = [&self.retrieval.text_to_video, &self.retrieval.video_to_text];
        [
            ("validation/recall_sum", self.retrieval.recall_sum),
            ("validation_text_to_video/recall_at_1", texts.recall_at_1),
            ("validation_text_to_video/recall_at_5", texts.recall_at_5),
            ("validation_text_to_video/recall_at_10", texts.recall_at_10),
            ("validation_text_to_video/median_rank", texts.median_rank),
            ("validation_text_to_video/mean_rank", texts.mean_rank),
            ("validation_video_to_text/recall_at_1", clips.recall_at_1),
            ("validation_video_to_text/recall_at_5", clips.recall_at_5),
            ("validation_video_to_text/recall_at_10", clips.recall_at_10),
            ("validation_video_to_text/median_rank", clips.median_rank),
            ("validation_video_to_text/mean_rank", clips.mean_rank),
        ]
    }
}

impl Scored for ValidationMetrics {
    fn score(&self) -> f64 {
        self.retrieval.recall_sum
    }
}

/// The list of a run, and what was measured on it.
#[derive(Debug)]
pub(super) struct Validation {
    table: ClipTable,
    pub(super) fingerprint: ListFingerprint,
}

impl Validation {
    /// Opens a list.
    pub(super) fn open(path: &Path, plan: &PretrainingPlan) -> Result<Self, TrainerError> {
        let table = plan.open(path)?;
        Ok(Self {
            fingerprint: ListFingerprint::of_table(&table, path),
            table,
        })
    }

    /// Rows of the list that cannot be used.
    pub(super) fn unusable(&self) -> &[SkippedItem] {
        self.table.skipped()
    }

    /// Measures a model after `step` steps, and how its captions and clips score; `reading` as in [`list_retrieval`].
    pub(super) fn measure<B: Backend>(
        &self,
        embedder: &Embedder<B>,
        reading: (usize, f64),
        (step, epoch): (u64, u64),
        progress: impl FnMut(usize, usize),
    ) -> Result<(ValidationMetrics, NeutralTexts), TrainerError> {
        let started = Instant::now();
        let table = self.table.clone();
        let (retrieval, embedded) = list_retrieval(embedder, table, reading, progress)?;
        let metrics = ValidationMetrics {
            step,
            epoch,
            retrieval,
            skipped: embedded.skipped.len() + self.unusable().len(),
            seconds: started.elapsed().as_secs_f64(),
        };
        Ok((metrics, embedded.neutral_texts(&self.table)))
    }
}

impl Measured for ValidationMetrics {
    fn step(&self) -> u64 {
        self.step
    }
}
