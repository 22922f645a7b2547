//! Zero-shot retrieval and pair tests while a run trains: metrics of the model so far, on clips it does not
//! learn from.
//!
//! Nothing of it reaches training: no random number is drawn, and the model is only read.

use std::borrow::Cow;
use std::path::Path;
use std::time::Instant;

use burn::prelude::*;
use clover_data::dataset::{ClipTable, SkippedItem};
use clover_inference::{Embedder, NeutralTexts};
use serde::{Deserialize, Serialize};

use super::PretrainingPlan;
use crate::TrainerError;
use crate::checkpoint::ListFingerprint;
use crate::evaluate::{
    ListRetrieval, PairTests, SkillAccuracy, list_retrieval, measure_pair_tests,
};
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
    /// What is told apart, where the run has pair tests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillAccuracy>,
    /// Clips that could not be read.
    pub skipped: usize,
    /// Seconds it took.
    pub seconds: f64,
}

impl ValidationMetrics {
    /// Every metric that a run watches, under `group/name`; recalls and accuracies in percent.
    #[must_use]
    pub fn scalars(&self) -> Vec<(Cow<'static, str>, f64)> {
        let [texts, clips] = [&self.retrieval.text_to_video, &self.retrieval.video_to_text];
        let retrieval = [
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
        ];
        let retrieval = retrieval.map(|(name, value)| (name.into(), value));
        let skills = self.skills.iter().map(|one| {
            let name = format!("validation_pair_tests/{}", one.skill);
            (name.into(), 100.0 * one.accuracy)
        });
        retrieval.into_iter().chain(skills).collect()
    }
}

impl Scored for ValidationMetrics {
    fn score(&self) -> f64 {
        self.retrieval.recall_sum
    }
}

/// What a run is measured on.
#[derive(Debug)]
pub(super) struct Validation {
    table: ClipTable,
    pub(super) fingerprint: ListFingerprint,
    pub(super) pair_tests: Option<PairTests>,
}

impl Validation {
    /// Opens a list, and the pair tests of the plan.
    pub(super) fn open(path: &Path, plan: &PretrainingPlan) -> Result<Self, TrainerError> {
        let table = plan.open(path)?;
        let pair_tests = plan.pair_tests.as_deref();
        let pair_tests = pair_tests.map(|list| PairTests::read(list, plan.videos.as_deref()));
        Ok(Self {
            pair_tests: pair_tests.transpose()?,
            fingerprint: ListFingerprint::of_table(&table, path),
            table,
        })
    }

    /// Rows of the lists that cannot be used.
    pub(super) fn unusable(&self) -> impl Iterator<Item = &SkippedItem> {
        let pair_tests = self.pair_tests.iter().flat_map(PairTests::unusable);
        self.table.skipped().iter().chain(pair_tests)
    }

    /// Measures a model after `step` steps, and how its captions and clips score; `reading` as in [`list_retrieval`].
    pub(super) fn measure<B: Backend>(
        &self,
        embedder: &Embedder<B>,
        reading: (usize, f64),
        (step, epoch): (u64, u64),
        mut progress: impl FnMut(usize, usize),
    ) -> Result<(ValidationMetrics, NeutralTexts), TrainerError> {
        let started = Instant::now();
        let table = self.table.clone();
        let (retrieval, embedded) = list_retrieval(embedder, table, reading, &mut progress)?;
        let (skills, unread) = match &self.pair_tests {
            Some(tests) => measure_pair_tests(embedder, tests, reading, progress)?,
            None => Default::default(),
        };
        let metrics = ValidationMetrics {
            step,
            epoch,
            retrieval,
            skills,
            skipped: embedded.skipped.len() + unread.len() + self.unusable().count(),
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
